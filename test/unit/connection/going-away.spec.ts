import { expect } from 'aegir/chai'
import { RST, SYN, windowUpdate } from '../../support/frames.ts'
import { muxerAndPeer } from '../../support/muxers.ts'
import { noUnhandledRejections, outcomeOf, turn } from '../../support/waiting.ts'

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
})
