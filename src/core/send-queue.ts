/**
 * The bytes of one stream that wait to be framed, as references to what the application handed over. The list exists
 * only while something is queued: an idle stream pays for three fields.
 */
import type { Output } from './output.ts'

/**
 * As long as no more pieces than this wait, each makes a frame of its own; only a longer queue is sent as the stream of
 * bytes that it is. Readers that take one `send()` for one message are wrong, but many, and libp2p's own tests are
 * among them.
 */
const FEW_PIECES = 16

export class SendQueue {
  byteLength = 0
  #pieces: Uint8Array[] | undefined
  #head = 0

  push (piece: Uint8Array): void {
    if (piece.byteLength === 0) {
      return
    }

    this.byteLength += piece.byteLength

    if (this.#pieces === undefined) {
      this.#pieces = [piece]
    } else {
      this.#pieces.push(piece)
    }
  }

  /** How many bytes make the next frame, if it may have as many as `max`. */
  nextLength (max: number): number {
    if (this.#pieces === undefined || this.#pieces.length - this.#head > FEW_PIECES) {
      return Math.min(this.byteLength, max)
    }

    return Math.min(this.#pieces[this.#head].byteLength, max)
  }

  /** Moves the next `length` bytes, which must be queued, to the output. */
  drainTo (output: Output, length: number): void {
    const pieces = this.#pieces ?? []

    this.byteLength -= length

    while (length > 0) {
      const piece = pieces[this.#head]

      if (piece.byteLength > length) {
        output.append(piece.subarray(0, length))
        pieces[this.#head] = piece.subarray(length)
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
