/**
 * Room behind the last piece of a queue, into which small ones are copied: what waits is bounded by its bytes, and each
 * piece by itself costs some 200 more.
 */

const MIN_BYTES = 1_024
const MAX_BYTES = 65_536

export class Tail {
  #buffer: Uint8Array | undefined
  #length = 0

  /** There is one, and the last piece of the queue is in it. */
  get open (): boolean {
    return this.#buffer !== undefined
  }

  /**
   * Copies a piece behind the first `count` of `pieces`, into the spare room of the last first, if that is in the tail, whole.
   * `waiting` bytes are queued. Returns how many pieces there are then.
   */
  append (pieces: Uint8Array[], count: number, piece: Uint8Array, waiting: number): number {
    const buffer = this.#buffer

    if (buffer !== undefined) {
      const part = piece.byteLength <= buffer.byteLength - this.#length ? piece : piece.subarray(0, buffer.byteLength - this.#length)

      if (part.byteLength > 0) {
        buffer.set(part, this.#length)
        this.#length += part.byteLength
        pieces[count - 1] = buffer.subarray(0, this.#length)
      }

      if (part === piece) {
        return count
      }

      piece = piece.subarray(part.byteLength)
    }

    if (piece.byteLength > 0) {
      // an eighth of all that waits, and no more than twice the last: spare room costs as much memory as what is kept
      const next = buffer === undefined ? 0 : Math.min(MAX_BYTES, buffer.byteLength * 2, waiting / 8)

      this.#buffer = new Uint8Array(Math.max(MIN_BYTES, next, piece.byteLength))
      this.#buffer.set(piece)
      this.#length = piece.byteLength
      pieces[count++] = this.#buffer.subarray(0, piece.byteLength)
    }

    return count
  }

  /** What comes next is not joined to what is there. */
  close (): void {
    this.#buffer = undefined
    this.#length = 0
  }
}
