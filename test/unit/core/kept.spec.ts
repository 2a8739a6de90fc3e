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

  it('counts nothing of a stream that is released', () => {
    const kept = new Kept()
    const streams = [record(1, undefined, true), record(3, undefined, true)]

    kept.push(streams[0], pattern(3))
    kept.push(streams[1], pattern(5))
    kept.release(streams[0])

    expect(kept).to.include({ bytes: 5, pieces: 1, unstarted: 5 })
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
