import { expect } from 'aegir/chai'
import { FIN, RST, SYN, data, join, windowUpdate } from '../../support/frames.ts'
import { muxerAndPeer } from '../../support/muxers.ts'
import { noUnhandledRejections, outcomeOf, turn, until } from '../../support/waiting.ts'

describe('connection: going away', () => {
  noUnhandledRejections()

  it('waits for the end of the last stream, and goes through no list of them at the end of each', async () => {
    const count = 1_000
    const { muxer, peer } = muxerAndPeer({ direction: 'inbound' })
    const ids = Array.from({ length: count }, (_, i) => 1 + 2 * i)
    const { streams } = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(Object.getPrototypeOf(muxer.engine)))
    let walks = 0

    muxer.addEventListener('stream', () => {})
    await turn()
    peer.send(...ids.map(id => windowUpdate(id, 0, SYN)))
    await turn()
    expect(muxer.streams).to.have.lengthOf(count)

    Object.defineProperty(muxer.engine, 'streams', {
      get () {
        walks++

        return streams.get?.call(muxer.engine)
      }
    })

    const going = muxer.goAway()

    peer.send(...ids.slice(1).map(id => windowUpdate(id, 0, RST)))
    expect(await outcomeOf(going)).to.equal('pending')
    expect(muxer.streams).to.have.lengthOf(1)
    peer.send(windowUpdate(ids[0], 0, RST))
    await going
    expect(peer.goAways).to.deep.equal([0])
    expect(walks).to.be.lessThan(10)
  })

  it('refuses a stream as well that opened in the delivery in which it was asked for, and has not been told', async () => {
    const { muxer, peer } = muxerAndPeer({ direction: 'inbound' })
    const accepted = muxer.acceptStream()

    peer.send(windowUpdate(1, 0, SYN))

    const stream = await accepted
    let going: Promise<void> | undefined

    stream.addEventListener('message', () => {
      going ??= muxer.goAway()
      stream.abort(new Error('enough'))
    })
    await turn()
    peer.send(join(data(1, 10), windowUpdate(3, 0, SYN | FIN)))
    await until(() => going !== undefined)
    await going
    expect(peer.lines).to.include('window|RST 3 4103')
    expect(peer.goAways).to.deep.equal([0])
  })
})
