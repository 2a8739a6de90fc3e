import { expect } from 'aegir/chai'
import { equals } from 'uint8arrays/equals'
import { ReceiveQueue } from '../../../../src/core/receive-queue.ts'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { data, join, pattern } from '../../../support/frames.ts'
import { pushBack } from '../../../support/unread.ts'
import type { YamuxStream } from '../../../../src/protocols/yamux/stream.ts'

/** Of 65,024 bytes that come at once these are for one stream, and the rest for another. */
const KEPT = 58_000
const REST = 7_000
const PINNED = 7_024
const WINDOW = 16_777_216

function driver (pinnedBytes: number): EngineDriver {
  return new EngineDriver('client', { budgets: { pinnedBytes }, streamOptions: { initialStreamWindowSize: WINDOW } })
}

function pinned (streams: YamuxStream[]): number {
  return streams.reduce((sum, { receiveQueue }) => sum + receiveQueue.pinned, 0)
}

describe('yamux: buffers that slices of what waits to be read were cut from', () => {
  it('copies all slices before more than budgets.pinnedBytes are pinned, and goes on', () => {
    const link = driver(100_000)
    const [one, other] = [link.inbound(2), link.inbound(4)]
    const seen: number[] = []

    for (let i = 0; i < 40; i++) {
      link.give(join(data(2, pattern(KEPT, i)), data(4, REST)))
      link.engine.retain(one)
      link.engine.retain(other)
      seen.push(pinned([one, other]))
    }

    // what each delivery adds, until it would be too much
    expect(seen.slice(0, 3)).to.deep.equal([PINNED, 2 * PINNED, 3 * PINNED])
    expect(Math.max(...seen)).to.be.within(80_000, 100_000)
    expect(link.engine.state).to.equal('open')
    expect(equals(link.read(one), join(...Array.from({ length: 40 }, (_, i) => pattern(KEPT, i))))).to.be.true()
    expect(pinned([one, other])).to.equal(0)
  })

  it('counts what is pinned by the rest of a piece that was read in part', () => {
    const link = driver(100_000)
    const streams = Array.from({ length: 10 }, (_, i) => link.inbound(2 + 2 * i))

    for (const stream of streams) {
      link.give(data(stream.id, pattern(64_000)))
      link.engine.retain(stream)
      expect(link.read(stream, 30_000)).to.have.lengthOf(30_000)
      expect(pinned(streams)).to.be.at.most(100_000)
    }

    expect(pinned(streams)).to.be.above(0)
    expect(streams.every(stream => equals(link.read(stream), pattern(64_000).subarray(30_000)))).to.be.true()
  })

  it('counts what readers give back and what is pushed back', () => {
    const link = driver(15_000)
    const stream = link.inbound(2)
    const slice = (): Uint8Array => pattern(64_000).subarray(0, KEPT)

    link.engine.giveBack(stream, [slice()])
    pushBack(link, stream, slice())
    expect(pinned([stream])).to.equal(12_000)

    pushBack(link, stream, slice())
    expect(pinned([stream])).to.equal(0)

    link.engine.giveBack(stream, [slice(), slice(), slice(), slice()])
    expect(pinned([stream])).to.equal(0)
    expect(link.read(stream)).to.have.lengthOf(7 * KEPT)
  })

  it('looks at all that is kept no sooner than an eighth of the budget may have come', () => {
    const link = driver(100_000)
    const [kept, read] = [link.inbound(2), link.inbound(4)]
    let looks = 0

    Object.defineProperty(kept.receiveQueue, 'pinned', {
      get () {
        looks++

        return Reflect.get(ReceiveQueue.prototype, 'pinned', this)
      }
    })

    for (let i = 0; i < 11; i++) {
      link.give(join(data(2, KEPT), data(4, REST)))
      link.engine.retain(kept)
    }

    for (let i = 0; i < 80; i++) {
      link.give(join(data(4, KEPT), data(2, REST)))
      link.engine.retain(read)
      link.read(read)
    }

    // 77,264 bytes are pinned all along, so that every third delivery brings what may be too much
    expect(looks).to.be.within(20, 28)
    expect(kept.receiveQueue.pinned).to.equal(11 * PINNED)
  })
})
