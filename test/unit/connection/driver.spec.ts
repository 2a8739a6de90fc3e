import { StreamMessageEvent, StreamStateError } from '@libp2p/interface'
import { expect } from 'aegir/chai'
import { mplex } from '../../../src/mplex.ts'
import { data, lineOf, parseFrames, pattern } from '../../support/frames.ts'
import { memoryLink } from '../../support/memory-link.ts'
import { muxedPair, openPair } from '../../support/muxers.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { noUnhandledRejections, turn } from '../../support/waiting.ts'
import type { MemoryEnd } from '../../support/memory-link.ts'

/** The frames of each call of `send()` from the `first` on. */
function sent (end: MemoryEnd, first: number): string[][] {
  return end.sends.slice(first).map(buffers => parseFrames(...buffers).map(lineOf))
}

describe('connection: when frames are made', () => {
  noUnhandledRejections()

  it('sends what listeners answer to a delivery before the delivery returns', async () => {
    const pair = muxedPair()
    const end = pair.link.inbound
    const [outbound, inbound] = await openPair(pair)

    inbound.addEventListener('message', event => {
      inbound.send(event.data)
      inbound.send(event.data)
    })
    await turn()

    const before = end.sendCalls

    end.dispatchEvent(new StreamMessageEvent(data(Number(outbound.id), pattern(3))))
    expect(sent(end, before)).to.have.lengthOf(1)
  })

  it('sends what is answered to further deliveries of the same turn together, a microtask later', async () => {
    const pair = muxedPair()
    const end = pair.link.inbound
    const [outbound, inbound] = await openPair(pair)
    const message = data(Number(outbound.id), pattern(3))

    inbound.addEventListener('message', event => { inbound.send(event.data) })
    await turn()

    const before = end.sendCalls

    for (let i = 0; i < 5; i++) {
      end.dispatchEvent(new StreamMessageEvent(message))
    }

    expect(sent(end, before)).to.have.lengthOf(1)
    await turn()
    expect(sent(end, before).map(frames => frames.length)).to.deep.equal([1, 4])
  })

  it('takes no more from any connection in a turn of which deliveries have had their share, and goes on in the next', async () => {
    const clock = new VirtualClock()
    const [slow, quick] = await Promise.all([0, 1].map(async () => {
      const pair = muxedPair({ clock })
      const [outbound, inbound] = await openPair(pair)

      return { ...pair, outbound, inbound, received: 0 }
    }))

    slow.inbound.addEventListener('message', event => {
      clock.skip(20)
      slow.received += event.data.byteLength
    })
    quick.inbound.addEventListener('message', event => { quick.received += event.data.byteLength })
    await turn()

    for (let deliveries = 1; deliveries <= 3; deliveries++) {
      slow.link.inbound.dispatchEvent(new StreamMessageEvent(data(Number(slow.outbound.id), pattern(3))))
      expect(slow.link.inbound.paused).to.equal(deliveries === 3)
    }

    quick.link.inbound.dispatchEvent(new StreamMessageEvent(data(Number(quick.outbound.id), pattern(5))))
    expect(quick.link.inbound.paused).to.be.true()

    // both wait for their turn, and miss nothing
    slow.outbound.send(pattern(7))
    quick.outbound.send(pattern(11))
    await turn()
    expect([slow.link.inbound.paused, quick.link.inbound.paused]).to.deep.equal([false, false])
    await turn()
    expect([slow.received, quick.received]).to.deep.equal([16, 16])
  })

  it('does not fail when the peer has ended what was paused', async () => {
    const clock = new VirtualClock()
    const pair = muxedPair({ clock })
    const { link, listener } = pair
    const [outbound, inbound] = await openPair(pair)
    let calls = 0

    link.inbound.resume = () => {
      calls++
      throw new StreamStateError('Cannot resume a stream that is closing/closed')
    }
    inbound.addEventListener('message', () => { clock.skip(60) })
    await turn()
    link.inbound.dispatchEvent(new StreamMessageEvent(data(Number(outbound.id), pattern(3))))
    await turn()
    await turn()
    expect(calls).to.equal(1)
    expect(listener.status).to.equal('open')
  })

  it('lets others have their turn while an application writes whenever it may, over a connection that takes all at once', async () => {
    const muxer = mplex()().createStreamMuxer(memoryLink({ record: false, manual: true }).outbound)
    const stream = await muxer.createStream()
    const message = new Uint8Array(65_536)
    const test = { over: false }
    let writes = 0

    const write = (): void => {
      let more = true

      // a test that no longer gets its turn cannot fail by itself: there is an end to it
      while (more && !test.over && writes < 5_000) {
        more = stream.send(message)
        writes++
      }
    }

    stream.addEventListener('drain', write)
    write()
    await new Promise(resolve => { setTimeout(resolve, 0) })
    test.over = true
    expect(writes).to.be.greaterThan(64)
    expect(writes).to.be.lessThan(5_000)
    muxer.abort(new Error('the test is over'))
  })
})
