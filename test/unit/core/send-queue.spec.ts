import { expect } from 'aegir/chai'
import { equals } from 'uint8arrays/equals'
import { Output } from '../../../src/core/output.ts'
import { SendQueue } from '../../../src/core/send-queue.ts'
import { hex, join, pattern } from '../../support/frames.ts'

const LARGE = 65_536

function queueOf (...pieces: Uint8Array[]): SendQueue {
  const queue = new SendQueue()

  pieces.forEach(piece => {
    queue.push(piece)
  })

  return queue
}

/** The buffers that carry the next `length` bytes. */
function take (queue: SendQueue, length: number): Uint8Array[] {
  const output = new Output()

  queue.drainTo(output, length)

  return output.take()
}

/** The lengths of the frames that the queue makes of all that is in it. */
function frameLengths (queue: SendQueue, max: number): number[] {
  const lengths: number[] = []

  while (queue.byteLength > 0) {
    lengths.push(queue.nextLength(max))
    take(queue, lengths[lengths.length - 1])
  }

  return lengths
}

describe('core/send-queue', () => {
  it('makes no frame of nothing', () => {
    const queue = new SendQueue()

    expect(queue.byteLength).to.equal(0)
    expect(queue.nextLength(100)).to.equal(0)
    expect(take(queue, 0)).to.deep.equal([])
  })

  it('keeps no piece that is empty', () => {
    const queue = queueOf(new Uint8Array(0), pattern(3), new Uint8Array(0))

    expect(queue.byteLength).to.equal(3)
    expect(frameLengths(queue, 100)).to.deep.equal([3])
  })

  it('passes large pieces on by reference', () => {
    const piece = pattern(LARGE)
    const [taken] = take(queueOf(piece), LARGE)

    expect(taken.buffer).to.equal(piece.buffer)
    expect(taken).to.deep.equal(piece)
  })

  it('passes large parts of a piece on by reference', () => {
    const piece = pattern(3 * LARGE)
    const queue = queueOf(piece)

    for (let i = 0; i < 3; i++) {
      const [taken] = take(queue, LARGE)

      expect(taken.buffer).to.equal(piece.buffer)
      expect(taken.byteOffset).to.equal(i * LARGE)
    }

    expect(queue.byteLength).to.equal(0)
  })

  it('makes a frame of each piece while they are few', () => {
    const lengths = Array.from({ length: 16 }, (_, i) => i + 1)

    expect(frameLengths(queueOf(...lengths.map(length => pattern(length))), 100)).to.deep.equal(lengths)
  })

  it('cuts a piece that is longer than a frame may be, and starts a new frame for the next', () => {
    expect(frameLengths(queueOf(pattern(250), pattern(30)), 100)).to.deep.equal([100, 100, 50, 30])
  })

  it('fills frames once there are many pieces, to the end of the queue', () => {
    const queue = queueOf(...Array.from({ length: 36 }, () => pattern(10)))

    expect(frameLengths(queue, 100)).to.deep.equal([100, 100, 100, 60])
    expect(frameLengths(queueOf(pattern(10), pattern(10)), 100)).to.deep.equal([10, 10])
  })

  it('fills frames of many large pieces until few are left', () => {
    const queue = queueOf(...Array.from({ length: 18 }, () => pattern(LARGE)))

    expect(frameLengths(queue, 2 * LARGE)).to.deep.equal([2 * LARGE, ...new Array(16).fill(LARGE)])
  })

  it('joins small pieces beyond the first, and keeps their bytes in order whatever is taken meanwhile', () => {
    const queue = new SendQueue()
    const bytes = pattern(50_000)
    const taken: Uint8Array[] = []
    let written = 0

    for (let length = 1; written < bytes.byteLength; length = (length * 7) % 113 + 1) {
      const end = written + (length === 29 ? 5_000 : length)
      // some pin more than themselves
      const piece = length % 3 === 0 ? bytes.subarray(written, end) : bytes.slice(written, end)

      queue.push(piece)
      written += piece.byteLength

      if (length % 5 === 0) {
        // all but a few bytes now and then, so that the tail is the last piece that is left
        taken.push(...take(queue, length % 2 === 0 ? Math.floor(queue.byteLength / 3) : Math.max(0, queue.byteLength - 7)))
      }
    }

    taken.push(...take(queue, queue.byteLength))
    expect(join(...taken)).to.deep.equal(bytes)
  })

  it('joins nothing to what was joined before other pieces came', () => {
    const bytes = pattern(400)
    const slices = (from: number, to: number): Uint8Array[] => Array.from({ length: (to - from) / 10 }, (_, i) => bytes.subarray(from + 10 * i, from + 10 * i + 10))
    const queue = queueOf(...slices(0, 200))
    const taken = take(queue, 195)

    for (const slice of slices(200, 400)) {
      queue.push(slice)
    }

    expect(join(...taken, ...take(queue, 205))).to.deep.equal(bytes)
  })

  it('keeps no reference to memory that is much larger than its bytes', () => {
    const large = pattern(LARGE)
    const slice = large.subarray(100, 200)
    const most = large.subarray(0, LARGE / 2)
    const queue = queueOf(slice, most)

    large.fill(0, 100, 200)
    expect(take(queue, 100)).to.deep.equal([pattern(200).subarray(100)])
    expect(take(queue, LARGE / 2)[0].buffer).to.equal(large.buffer)
  })

  it('keeps no room behind a small piece that a larger one follows', () => {
    const queue = new SendQueue()
    const kept = new Set<ArrayBufferLike>()
    const all: Uint8Array[] = []

    for (let i = 0; i < 2_000; i++) {
      all.push(pattern(1, i), pattern(256, i), pattern(65_536, i).subarray(0, 16_384), pattern(1, i), pattern(256, i))
      all.slice(-5).forEach(piece => { queue.push(piece) })
    }

    const { byteLength } = queue
    const taken: Uint8Array[] = []

    queue.drainTo({ append: (piece: Uint8Array) => { taken.push(piece) } } as unknown as Output, byteLength)
    taken.forEach(({ buffer }) => { kept.add(buffer) })

    expect([...kept].reduce((sum, buffer) => sum + buffer.byteLength, 0)).to.be.at.most(byteLength * 9 / 8)
    expect(equals(join(...taken), join(...all))).to.be.true()
  })

  it('keeps no reference to the buffer of a piece of which little is left', () => {
    const large = pattern(LARGE)
    const queue = queueOf(large)

    take(queue, LARGE - 100)
    large.fill(0)

    const [left] = take(queue, 100)

    expect(left).to.deep.equal(pattern(LARGE).subarray(LARGE - 100))
  })

  it('keeps no reference to a buffer of a sixteenth of which the application writes a part, however large', () => {
    const file = pattern(2 * 1_048_576)
    const [one] = take(queueOf(file.subarray(0, LARGE)), LARGE)
    const [other] = take(queueOf(file.subarray(0, 2 * LARGE)), 2 * LARGE)

    expect(one.buffer).to.not.equal(file.buffer)
    expect(other.buffer).to.equal(file.buffer)
  })

  it('sends the bytes in order, wherever frames end', () => {
    const pieces = Array.from({ length: 50 }, (_, i) => pattern(i, i))
    const queue = queueOf(...pieces)
    const taken: Uint8Array[] = []

    for (let length = 1; queue.byteLength > 0; length = length * 5 % 97) {
      taken.push(...take(queue, Math.min(length, queue.byteLength)))
    }

    expect(join(...taken)).to.deep.equal(join(...pieces))
  })

  it('takes more while it is being sent', () => {
    const queue = queueOf(pattern(10, 1))
    const first = take(queue, 4)

    queue.push(pattern(10, 2))
    expect(queue.byteLength).to.equal(16)
    expect(join(...first, ...take(queue, 16))).to.deep.equal(join(pattern(10, 1), pattern(10, 2)))
  })

  it('forgets all that is cleared', () => {
    const queue = queueOf(pattern(10), pattern(10))

    take(queue, 5)
    queue.clear()

    expect(queue.byteLength).to.equal(0)
    expect(queue.nextLength(100)).to.equal(0)

    queue.push(pattern(3, 9))
    expect(join(...take(queue, 3))).to.deep.equal(pattern(3, 9))
  })

  it('goes on in order for a writer that never lets it run dry', () => {
    const pieces = Array.from({ length: 3_000 }, (_, i) => pattern(3, i))
    const queue = queueOf(...pieces.slice(0, 20))
    const taken: Uint8Array[] = []

    // what was sent leaves more than a thousand empty places, over and over
    for (const piece of pieces.slice(20)) {
      queue.push(piece)
      taken.push(...take(queue, queue.nextLength(3)))
    }

    expect(queue.byteLength).to.equal(60)
    expect(hex(join(...taken, ...take(queue, 60)))).to.equal(hex(join(...pieces)))
  })
})
