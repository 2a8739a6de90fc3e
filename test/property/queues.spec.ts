import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { Output } from '../../src/core/output.ts'
import { ReceiveQueue } from '../../src/core/receive-queue.ts'
import { SendQueue } from '../../src/core/send-queue.ts'
import { piece, pieceLength, runs, sequence } from '../support/arbitraries.ts'
import { join } from '../support/frames.ts'
import { takeAll } from '../support/reading.ts'

type SendStep = { push: Uint8Array[] } | { frame: number, header: number } | { take: true }

type ReceiveStep = { push: Uint8Array[] } | { shift: number } | { putBack: Uint8Array[], inFront: boolean } | { settle: boolean } | { clear: true }

const pieces = fc.oneof(
  fc.array(piece, { minLength: 1, maxLength: 5 }),
  // more than the few that stay apart
  fc.array(fc.uint8Array({ minLength: 1, maxLength: 30 }), { minLength: 17, maxLength: 40 }),
  // parts of one large buffer, as a transport delivers them
  fc.tuple(piece, pieceLength).map(([buffer, step]) => {
    const parts: Uint8Array[] = []

    for (let at = 0; at < buffer.byteLength && parts.length < 100; at += step) {
      parts.push(buffer.subarray(at, at + step))
    }

    return parts
  })
)

const sendStep: fc.Arbitrary<SendStep> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ push: pieces }) },
  { weight: 3, arbitrary: fc.record({ frame: pieceLength, header: fc.integer({ min: 0, max: 12 }) }) },
  { weight: 1, arbitrary: fc.constant({ take: true as const }) }
)

const receiveStep: fc.Arbitrary<ReceiveStep> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ push: pieces }) },
  { weight: 5, arbitrary: fc.record({ shift: fc.oneof(pieceLength, fc.constant(Infinity)) }) },
  { weight: 3, arbitrary: fc.record({ putBack: pieces, inFront: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ settle: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ clear: true as const }) }
)

/** The plainest queue that there is. */
class Bytes {
  #bytes: Uint8Array = new Uint8Array(0)

  push (bytes: Uint8Array): void {
    this.#bytes = join(this.#bytes, bytes)
  }

  unshift (bytes: Uint8Array): void {
    this.#bytes = join(bytes, this.#bytes)
  }

  take (length: number): Uint8Array {
    const taken = this.#bytes.slice(0, length)

    this.#bytes = this.#bytes.slice(length)

    return taken
  }

  get length (): number {
    return this.#bytes.byteLength
  }
}

function pinned (pieces: Uint8Array[]): number {
  return [...new Set(pieces.map(piece => piece.buffer))].reduce((sum, buffer) => sum + buffer.byteLength, 0)
}

describe('property: queues', () => {
  it('send what was queued, in order, whatever frames are made of it', () => {
    fc.assert(fc.property(sequence(sendStep, 80), steps => {
      const queue = new SendQueue()
      const output = new Output()
      const queued = new Bytes()
      const expected: Uint8Array[] = []
      const taken: Uint8Array[] = []

      for (const step of steps) {
        if ('push' in step) {
          for (const piece of step.push) {
            queue.push(piece)
            queued.push(piece)
          }
        } else if ('frame' in step) {
          const length = queue.nextLength(step.frame)

          expect(length).to.be.within(queued.length > 0 ? 1 : 0, Math.min(step.frame, queued.length))
          output.reserve(step.header).fill(0xee, output.offset, output.offset + step.header)
          queue.drainTo(output, length)
          expected.push(new Uint8Array(step.header).fill(0xee), queued.take(length))
        } else {
          const { byteLength } = output
          const buffers = output.take()

          expect(buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0)).to.equal(byteLength)
          taken.push(...buffers)
        }

        expect(queue.byteLength).to.equal(queued.length)
      }

      taken.push(...output.take())
      expect(join(...taken)).to.deep.equal(join(...expected))
    }), runs(150))
  })

  it('receive what came, in order, whatever is read, settled and cleared', () => {
    fc.assert(fc.property(sequence(receiveStep, 60), steps => {
      const queue = new ReceiveQueue()
      const model = new Bytes()
      const handedOut: Array<[Uint8Array, Uint8Array]> = []

      for (const step of steps) {
        if ('push' in step) {
          step.push.forEach(bytes => {
            queue.push(bytes)
            model.push(bytes)
          })
        } else if ('shift' in step) {
          const shifted = queue.shift(step.shift)

          expect(shifted === undefined).to.equal(model.length === 0)

          if (shifted !== undefined) {
            expect(shifted.byteLength).to.be.within(1, step.shift)
            handedOut.push([shifted, model.take(shifted.byteLength)])
          }
        } else if ('putBack' in step) {
          queue.putBack(step.putBack, step.inFront)

          if (step.inFront) {
            model.unshift(join(...step.putBack))
          } else {
            model.push(join(...step.putBack))
          }
        } else if ('settle' in step) {
          queue.settle(step.settle)
        } else {
          queue.clear()
          model.take(model.length)
        }

        expect(queue.byteLength).to.equal(model.length)
        expect(queue.pieces > 0).to.equal(model.length > 0)
      }

      handedOut.push([join(...takeAll(queue)), model.take(model.length)])

      // looked at only now, when all that could have changed it has happened
      for (const [actual, expected] of handedOut) {
        expect(actual).to.deep.equal(expected)
      }
    }), runs(150))
  })

  it('keep no more memory, and no more pieces, than what is unread is worth', () => {
    fc.assert(fc.property(sequence(fc.tuple(pieces, fc.nat(10)), 40), turns => {
      const queue = new ReceiveQueue()
      let largest = 0

      for (const [arrived, reads] of turns) {
        for (const bytes of arrived) {
          queue.push(bytes)
          largest = Math.max(largest, bytes.buffer.byteLength)
        }

        queue.settle()

        for (let i = 0; i < reads; i++) {
          queue.shift(1_000)
        }
      }

      const { byteLength, pieces } = queue

      // each of the few may have been joined into a tail of its own, and the first may have been read in part
      expect(pieces).to.be.at.most(2 * byteLength / 1_024 + 18)
      expect(pinned(takeAll(queue))).to.be.at.most(2.25 * byteLength + 18 * 1_024 + Math.max(largest, 65_536))
    }), runs(100))
  })
})
