import { expect } from 'aegir/chai'
import { equals } from 'uint8arrays/equals'
import { ReceiveQueue } from '../../../src/core/receive-queue.ts'
import { join, pattern } from '../../support/frames.ts'
import { takeAll } from '../../support/reading.ts'

const BUFFER = 65_536

/** What a transport delivers: buffers that are full of frames of one length, each sliced out of its buffer. */
function * slices (byteLength: number, total: number, header = 12): Generator<Uint8Array> {
  let buffer = pattern(BUFFER)
  let at = 0

  for (let done = 0; done < total; done += byteLength) {
    if (at + header + byteLength > BUFFER) {
      buffer = pattern(BUFFER)
      at = 0
    }

    yield buffer.subarray(at + header, at + header + byteLength)
    at += header + byteLength
  }
}

/** The memory that these pieces keep from being freed. */
function pinned (pieces: Uint8Array[]): number {
  return [...new Set(pieces.map(piece => piece.buffer))].reduce((sum, buffer) => sum + buffer.byteLength, 0)
}

/** Puts all into a queue that is settled every `every` pieces, as after each delivery of a transport. */
function settled (pieces: Iterable<Uint8Array>, every: number): ReceiveQueue {
  const queue = new ReceiveQueue()
  let count = 0

  for (const piece of pieces) {
    queue.push(piece)

    if (++count % every === 0) {
      queue.settle()
    }
  }

  queue.settle()

  return queue
}

/** The spare room of the first tail, which is more than twice of very little. */
const SPARE = 1_024

describe('core/receive-queue, what it keeps in memory', () => {
  for (const [what, byteLength, header] of [
    ['single bytes', 1, 12],
    ['slices of 100 bytes', 100, 12],
    ['slices of 3,000 bytes', 3_000, 12],
    ['slices of 4,096 bytes', 4_096, 12],
    ['slices of 20,000 bytes', 20_000, 12],
    ['slices of 40,000 bytes', 40_000, 12],
    ['whole buffers', BUFFER, 0]
  ] as const) {
    for (const every of [1, 7, 5_000]) {
      it(`is at most twice what is unread: ${what}, settled every ${every} pieces`, () => {
        // twenty thousand pieces at most: single bytes would need a quarter of a million
        const total = Math.min(1_048_576, byteLength * 20_000)
        const queue = settled(slices(byteLength, total, header), every)
        const unread = queue.byteLength
        const pieces = takeAll(queue)

        expect(unread).to.be.at.least(total)
        expect(pinned(pieces)).to.be.at.most(2 * unread + SPARE)
      })
    }
  }

  for (const [what, deliver] of [
    ['arrays', bytes => bytes],
    ['buffers of Node.js, whose slice() is no copy', bytes => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)]
  ] as Array<[string, (bytes: Uint8Array) => Uint8Array]>) {
    it(`is what is unread, where pieces are few and none fills its buffer: ${what}`, () => {
      for (const byteLength of [1, 3_000, 20_000]) {
        const queue = settled([...slices(byteLength, 10 * byteLength)].map(deliver), 1)

        expect(pinned(takeAll(queue))).to.equal(10 * byteLength)
      }
    })
  }

  it('is an eighth of a buffer more than what is unread where seven eighths are used', () => {
    const queue = settled([pattern(BUFFER).subarray(0, BUFFER / 8 * 7)], 1)

    expect(pinned(takeAll(queue))).to.equal(BUFFER)
  })

  it('lets go of a buffer of which less is used', () => {
    const queue = settled([pattern(BUFFER).subarray(0, BUFFER / 8 * 7 - 1)], 1)

    expect(pinned(takeAll(queue))).to.equal(BUFFER / 8 * 7 - 1)
  })

  it('is an eighth more than what is unread, where all of it is joined', () => {
    for (const total of [20_000, 200_000, 1_048_576]) {
      const queue = settled(slices(100, total), 7)

      expect(pinned(takeAll(queue))).to.be.at.most(total * 1.125 + SPARE)
    }
  })

  it('is one piece of few that are to be joined, and goes on where they end', () => {
    const queue = new ReceiveQueue()

    for (let i = 0; i < 10; i++) {
      queue.push(pattern(100).subarray(i * 10, i * 10 + 10))
      queue.settle()
    }

    expect(queue.pieces).to.equal(10)
    queue.settle(true)
    expect(queue.pieces).to.equal(1)

    const [first] = takeAll(queue)

    expect(first).to.deep.equal(pattern(100))

    queue.push(pattern(10_000))
    queue.push(pattern(20).subarray(0, 10))
    queue.settle(true)
    queue.push(pattern(20).subarray(10))
    queue.settle(true)
    expect(takeAll(queue)).to.deep.equal([pattern(10_000), pattern(20)])
  })

  it('is at most twice what is unread when a reader takes some between', () => {
    const queue = new ReceiveQueue()
    let count = 0

    for (const piece of slices(100, 1_048_576)) {
      queue.push(piece)

      if (++count % 50 === 0) {
        queue.settle()
        queue.shift(1_000)
        queue.shift(10)
      }
    }

    queue.settle()

    const unread = queue.byteLength

    expect(unread).to.be.at.least(BUFFER)
    // the buffer of the piece that was read in part is the reader's as well
    expect(pinned(takeAll(queue))).to.be.at.most(2 * unread + SPARE + BUFFER)
  })

  it('is a bounded number of pieces, however small they came', () => {
    for (const byteLength of [1, 10, 1_000]) {
      const queue = settled(slices(byteLength, byteLength * 20_000), 1)

      expect(queue.pieces).to.be.at.most(queue.byteLength / 1_024 + 17)
    }
  })

  it('is a bounded number of pieces where large and small alternate', () => {
    const queue = new ReceiveQueue()

    for (let i = 0; i < 1_000; i++) {
      queue.push(pattern(4_096))
      queue.push(pattern(1))
      queue.settle()
    }

    const { byteLength, pieces } = queue

    expect(pieces).to.be.at.most(2 * byteLength / 4_096 + 1)
    expect(pinned(takeAll(queue))).to.be.at.most(2 * byteLength)
  })

  it('is nothing of what was read: what was handed out is the reader\'s alone', async () => {
    const queue = new ReceiveQueue()
    const refs: Array<WeakRef<ArrayBufferLike>> = []

    for (let i = 0; i < 10; i++) {
      const piece = pattern(BUFFER, i)

      refs.push(new WeakRef(piece.buffer))
      queue.push(piece)
    }

    queue.settle()

    for (let i = 0; i < 9; i++) {
      queue.shift()
    }

    await collectGarbage()
    expect(refs.filter(ref => ref.deref() !== undefined)).to.have.lengthOf(1)
    expect(queue.byteLength).to.equal(BUFFER)
  })

  it('says what is pinned, and copies it when it is told to', () => {
    const queue = new ReceiveQueue()

    queue.push(pattern(BUFFER).subarray(0, 60_000))
    expect(queue.pinned).to.equal(0)
    expect(queue.settle()).to.equal(5_536)
    queue.push(pattern(BUFFER))
    queue.push(pattern(10))
    expect(queue.settle()).to.equal(0)
    expect(queue.putBack([pattern(BUFFER).subarray(10)], true)).to.equal(10)
    expect(queue.pinned).to.equal(5_546)

    const { pieces } = queue

    queue.unpin()
    expect(queue).to.include({ pinned: 0, pieces })
    expect(takeAll(queue)).to.deep.equal([pattern(BUFFER).subarray(10), pattern(BUFFER).subarray(0, 60_000), pattern(BUFFER), pattern(10)])
  })

  for (const small of [12, 4_100]) {
    it(`keeps no room behind ${small} bytes that a piece follows which stays as it is`, () => {
      const queue = settled(slices(12, 17 * 12), 1)
      const all = [...slices(12, 17 * 12)]
      let pinnedAtMost = 0

      for (let i = 0; i < 200; i++) {
        // the second has a room of twice the first behind it, unless that is cut when the third comes
        for (const piece of [pattern(BUFFER, i).subarray(0, 30_000), pattern(BUFFER, i).subarray(0, small), pattern(4_096, i)]) {
          all.push(piece)
          queue.push(piece)
          pinnedAtMost += queue.settle()
        }
      }

      expect(queue.pinned).to.be.at.most(pinnedAtMost)

      const { byteLength } = queue
      const pieces = takeAll(queue)

      expect(pinned(pieces)).to.be.at.most(byteLength * 9 / 8)
      expect(equals(join(...pieces), join(...all))).to.be.true()
    })
  }

  it('keeps no room behind small pieces that were joined, once they were read in part', () => {
    const queue = settled(slices(300, 30_000), 1)

    while (queue.pieces > 1) {
      queue.shift()
    }

    const { byteLength } = queue

    queue.shift(10)
    expect(pinned(takeAll(queue))).to.equal(byteLength - 10)
  })

  it('pins nothing when all was joined', () => {
    const queue = new ReceiveQueue()

    for (const piece of [pattern(100), pattern(32_768), pattern(BUFFER).subarray(0, 60_000)]) {
      queue.push(piece)
    }

    queue.join()
    expect(queue.pinned).to.equal(0)
    expect(pinned(takeAll(queue))).to.equal(92_868)
  })

  it('does not count, or copy, the spare room of small pieces that are joined', () => {
    const queue = settled(slices(300, 60_000), 1)

    expect(queue.pinned).to.equal(0)
    queue.unpin()
    queue.push(pattern(300))
    queue.settle()
    expect(queue.byteLength).to.equal(60_300)
  })
})

/** A `WeakRef` holds its target until the end of the turn in which it was made or read. */
async function collectGarbage (): Promise<void> {
  const { setFlagsFromString } = await import('node:v8')
  const { runInNewContext } = await import('node:vm')

  setFlagsFromString('--expose-gc')
  await new Promise(resolve => { setImmediate(resolve) })
  runInNewContext('gc')()
}
