import { expect } from 'aegir/chai'
import { Kept } from '../../../src/core/kept.ts'
import { pattern } from '../../support/frames.ts'
import { record } from './records.ts'

describe('core/kept', () => {
  it('counts bytes and pieces of all streams', () => {
    const kept = new Kept()
    const streams = [record(1), record(3)]

    kept.push(streams[0], pattern(3))
    kept.push(streams[0], pattern(4))
    kept.push(streams[1], pattern(5))

    expect(kept).to.include({ bytes: 12, pieces: 3 })
  })

  it('counts less for what was read, a part of a piece as the whole piece', () => {
    const kept = new Kept()
    const stream = record()

    kept.push(stream, pattern(3))
    kept.push(stream, pattern(4))
    expect(kept.shift(stream, 2)).to.have.lengthOf(2)
    expect(kept).to.include({ bytes: 5, pieces: 2 })
    expect(kept.shift(stream, 2)).to.have.lengthOf(1)
    expect(kept).to.include({ bytes: 4, pieces: 1 })
    kept.shift(stream, Infinity)
    expect(kept).to.include({ bytes: 0, pieces: 0 })
    expect(kept.shift(stream, Infinity)).to.equal(undefined)
    expect(kept).to.include({ bytes: 0, pieces: 0 })
  })

  it('counts pieces that were joined as the one that they are', () => {
    const kept = new Kept()
    const stream = record()

    for (let i = 0; i < 100; i++) {
      kept.push(stream, pattern(1))
    }

    kept.settle(stream)

    expect(kept).to.include({ bytes: 100, pieces: 1 })
  })

  it('counts what is put back once more, as not begun to be read if that is so again', () => {
    const kept = new Kept()
    const stream = record(2, undefined, true)

    kept.push(stream, pattern(3_000))

    const bytes = kept.shift(stream, 1_050) as Uint8Array

    expect(kept).to.include({ bytes: 1_950, unstarted: 0 })
    kept.pushBack(stream, [bytes.subarray(30)], true)
    expect(kept).to.include({ bytes: 2_970, pieces: 2, unstarted: 2_970 })
    kept.pushBack(stream, [pattern(5)], false)
    expect(kept).to.include({ bytes: 2_975, pieces: 3, unstarted: 2_975 })
  })

  it('counts nothing of a stream that is released', () => {
    const kept = new Kept()
    const streams = [record(1, undefined, true), record(3, undefined, true)]

    kept.push(streams[0], pattern(3))
    kept.push(streams[1], pattern(5))
    kept.release(streams[0])

    expect(kept).to.include({ bytes: 5, pieces: 1, unstarted: 5 })
  })

  it('counts what is left of a stream that is over until it was read, released, or the connection is over', () => {
    const kept = new Kept()
    const streams = [2, 4, 6, 8].map(id => record(id, undefined, true))

    for (const stream of streams) {
      kept.push(stream, pattern(5))
      stream.apply('reset-received')
      kept.linger(stream)
    }

    const [read, released, left, joined] = streams

    kept.push(joined, pattern(1))
    kept.settle(joined, true)
    expect(kept).to.include({ bytes: 21, pieces: 4, unstarted: 21 })

    kept.shift(read, 2)
    expect([...kept.lingering]).to.deep.equal(streams)
    kept.shift(read, Infinity)
    kept.release(released)
    expect(kept).to.include({ bytes: 11, pieces: 2, unstarted: 11 })
    expect([...kept.lingering]).to.deep.equal([left, joined])

    kept.clear()
    expect(kept).to.include({ bytes: 0, pieces: 0, unstarted: 0 })
    expect(kept.lingering.size).to.equal(0)
    kept.settle(left)
    expect(kept.shift(left, Infinity)).to.have.lengthOf(5)
    kept.release(joined)
    expect(kept).to.include({ bytes: 0, pieces: 0, unstarted: 0 })
  })

  it('counts apart what waits on streams of the peer of which less than 1 KiB was read', () => {
    const kept = new Kept()
    const [ours, theirs] = [record(1), record(2, undefined, true)]

    kept.push(ours, pattern(3_000))
    expect(kept.unstarted).to.equal(0)

    kept.push(theirs, pattern(3_000))
    expect(kept.unstarted).to.equal(3_000)

    // a negotiation, and a little more
    kept.shift(theirs, 60)
    kept.shift(theirs, 963)
    kept.settle(theirs)
    expect(kept.unstarted).to.equal(1_977)

    kept.shift(theirs, 1)
    kept.push(theirs, pattern(5_000))
    expect(kept).to.include({ unstarted: 0, bytes: 9_976 })
  })
})
