import { expect } from 'aegir/chai'
import { mplex } from '../../../src/mplex.ts'
import { pong } from '../../support/frames.ts'
import { memoryLink } from '../../support/memory-link.ts'
import { muxerAndPeer } from '../../support/muxers.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { noUnhandledRejections, outcomeOf, turn, until } from '../../support/waiting.ts'
import type { WithPeer } from '../../support/muxers.ts'

/** A peer that answers pings when the test does, and is punished for the second answer that was not asked for. */
function withPeer (clock?: VirtualClock): WithPeer {
  return muxerAndPeer({ clock, options: { budgets: { emptyFrames: 1 } }, peer: { pongs: false } })
}

describe('connection: pings', () => {
  noUnhandledRejections()

  it('go out at once, up to sixteen; who asks meanwhile shares the next, when one of them was answered', async () => {
    const { muxer, peer } = withPeer()
    const pings = Array.from({ length: 2_000 }, async () => muxer.ping())

    await turn()
    expect(peer.lines).to.have.lengthOf(16)
    peer.send(pong(3))
    await turn()
    expect(peer.lines.slice(16)).to.deep.equal(['ping|SYN 16'])

    // all are answered, and no answer is an offence
    peer.send(...Array.from({ length: 17 }, (_, i) => i).filter(i => i !== 3).map(i => pong(i)))
    expect(await Promise.all(pings)).to.have.lengthOf(2_000)
    expect(muxer.status).to.equal('open')
    expect(peer.lines).to.have.lengthOf(17)
  })

  it('that are shared begin after the last call', async () => {
    const clock = new VirtualClock()
    const { muxer, peer } = withPeer(clock)
    const first = Array.from({ length: 16 }, async () => muxer.ping())
    const shared = [muxer.ping()]

    await clock.advance(100)
    shared.push(muxer.ping())
    peer.send(...first.map((_, i) => pong(i)))
    expect(await Promise.all(first)).to.deep.equal(first.map(() => 100))
    await clock.advance(30)
    peer.send(pong(16))
    expect(await Promise.all(shared)).to.deep.equal([30, 30])

    // and the next are by themselves again
    const next = [muxer.ping(), muxer.ping()]

    await turn()
    expect(peer.lines.slice(17)).to.deep.equal(['ping|SYN 17', 'ping|SYN 18'])
    peer.send(pong(17), pong(18))
    await Promise.all(next)
  })

  it('go out a thousand at once, and a hundred a second from then on, however soon they are answered', async () => {
    const clock = new VirtualClock()
    const { muxer, peer } = muxerAndPeer({ clock })
    const reason = new Error('the test is over')
    let answered = 0

    const asking = (async () => {
      while (true) {
        await muxer.ping()
        answered++
      }
    })()

    asking.catch(() => {})
    await until(() => answered === 1_000)
    await turn()
    expect(peer.lines).to.have.lengthOf(1_000)
    await clock.advance(100)
    expect(answered).to.equal(1_010)
    expect(clock.pending).to.equal(1)

    // nothing of it is left
    muxer.abort(reason)
    await expect(asking).to.eventually.be.rejectedWith(reason.message)
    expect(clock.pending).to.equal(0)
  })

  it('are given up by the reason of their signal, under way or not, which makes room; late answers are no offence', async () => {
    const { muxer, peer } = withPeer()
    const controller = new AbortController()
    const reason = new Error('enough')
    const givenUp = Array.from({ length: 17 }, async () => muxer.ping({ signal: controller.signal }))
    const kept = muxer.ping()

    await turn()
    controller.abort(reason)
    expect((await Promise.allSettled(givenUp)).map(result => (result as PromiseRejectedResult).reason)).to.deep.equal(givenUp.map(() => reason))
    expect(await outcomeOf(kept)).to.equal('pending')
    peer.send(...Array.from({ length: 17 }, (_, i) => pong(i)))
    expect(await outcomeOf(kept)).to.equal('resolved')
    expect(muxer.status).to.equal('open')
  })

  it('are rejected by what closes the connection, under way or not', async () => {
    const { muxer } = withPeer()
    const error = new Error('enough')
    const pings = Promise.allSettled(Array.from({ length: 18 }, async () => muxer.ping()))

    await turn()
    muxer.abort(error)
    expect((await pings).map(result => (result as PromiseRejectedResult).reason)).to.deep.equal(Array.from({ length: 18 }, () => error))
  })

  it('of a close in order wait for no others', async () => {
    const { muxer, peer } = withPeer()
    const pings = Promise.allSettled(Array.from({ length: 20 }, async () => muxer.ping()))

    await turn()

    const closing = muxer.close()

    await turn()
    expect(peer.lines.slice(16)).to.deep.equal(['ping|SYN 16'])
    peer.send(pong(16))
    await closing
    expect(peer.goAways).to.deep.equal([0])
    expect((await pings).map(result => (result as PromiseRejectedResult).reason.name)).to.deep.equal(Array.from({ length: 20 }, () => 'MuxerClosedError'))
  })

  it('are refused where the protocol has none', async () => {
    const muxer = mplex()().createStreamMuxer(memoryLink().outbound)

    await expect((muxer as any).ping()).to.eventually.be.rejected.with.property('name', 'UnsupportedOperationError')
    muxer.abort(new Error('the test is over'))
  })
})
