/**
 * The bytes of one stream that wait to be framed: references to what the application handed over, where that costs no more
 * memory than the bytes themselves. A queue is bounded by its bytes, and an application that sends back what it was sent,
 * a byte of each 64 KiB, would keep a gigabyte for a peer that does not let it send. The list exists only while something
 * is queued: an idle stream pays for four fields.
 */
import { FEW_PIECES, Tail, withoutPin } from './tail.ts'
import type { Output } from './output.ts'

export class SendQueue {
  byteLength = 0
  #pieces: Uint8Array[] | undefined
  #head = 0
  #tail: Tail | undefined

  push (piece: Uint8Array): void {
    if (piece.byteLength === 0) {
      return
    }

    this.byteLength += piece.byteLength

    const pieces = this.#pieces ??= []
    const tail = this.#tail ??= new Tail()

    tail.push(pieces, piece, this.byteLength, pieces.length - this.#head > FEW_PIECES)
  }

  /** How many bytes make the next frame, if it may have as many as `max`: few pieces each have their own, a longer queue goes as the bytes that it is. */
  nextLength (max: number): number {
    if (this.#tail?.joined === true || this.#pieces === undefined || this.#pieces.length - this.#head > FEW_PIECES) {
      return Math.min(this.byteLength, max)
    }

    return Math.min(this.#pieces[this.#head].byteLength, max)
  }

  /** Moves the next `length` bytes, which must be queued, to the output. */
  drainTo (output: Output, length: number): void {
    const pieces = this.#pieces ?? []

    this.#tail?.finish(pieces)
    this.byteLength -= length

    while (length > 0) {
      const piece = pieces[this.#head]

      if (piece.byteLength > length) {
        output.append(piece.subarray(0, length))
        // if it is the tail it is the only piece, and what comes next stays apart from it
        pieces[this.#head] = withoutPin(piece.subarray(length))
        return
      }

      output.append(piece)
      length -= piece.byteLength
      // let go of the piece at once: the list may live on for long
      pieces[this.#head++] = EMPTY
    }

    this.#trim()
  }

  clear (): void {
    this.byteLength = 0
    this.#pieces = undefined
    this.#head = 0
    this.#tail = undefined
  }

  #trim (): void {
    if (this.byteLength === 0) {
      this.clear()
    } else if (this.#head > 1_024 && this.#pieces !== undefined) {
      // a writer that never lets the queue run dry would otherwise leave an ever longer trail of empty places
      this.#pieces = this.#pieces.slice(this.#head)
      this.#head = 0
    }
  }
}

const EMPTY = new Uint8Array(0)
