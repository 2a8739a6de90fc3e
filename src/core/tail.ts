/**
 * Room behind the last piece of a queue, into which small ones are copied: what waits is bounded by its bytes, and each
 * piece by itself costs some 200 more, and the buffer that it is cut from.
 */
import { REFERENCE_BYTES } from './output.ts'

/**
 * As long as no more pieces than this wait, each stays apart, in a frame of its own and as it came: readers that take one `send()`
 * for one message are wrong, but many, and libp2p's own tests are among them.
 */
export const FEW_PIECES = 16

/** Of the first room: by default as much as several small messages have. */
const MIN_BYTES = 1_024
const MAX_BYTES = 65_536

/**
 * Smaller pieces are joined once there are many. Larger ones would be copied twice until they are in a frame: 512 bytes
 * each went a quarter slower so, 100 bytes over a thousand streams a quarter faster.
 */
const SMALL_BYTES = 256

/**
 * A large slice may be of an even larger buffer: of a file that is sent in parts, say, which is the application's own. What
 * comes from a socket of Node.js, a peer's, is 64 KiB.
 */
const LARGE_PINS = 16

/** It would keep much more memory than it has bytes. */
function pins ({ byteLength, buffer }: Uint8Array): boolean {
  return byteLength * (byteLength < REFERENCE_BYTES ? 2 : LARGE_PINS) < buffer.byteLength
}

/** The same bytes, in memory of about their own size. */
export function withoutPin (piece: Uint8Array): Uint8Array {
  // not by `slice()`, which copies nothing of a `Buffer`
  return pins(piece) ? new Uint8Array(piece) : piece
}

export class Tail {
  /** Pieces were joined by `push()`. */
  joined = false
  readonly #min: number
  readonly #whole: number
  #buffer: Uint8Array | undefined
  #length = 0
  #unfinished = false

  /** `min`: of the first room, in bytes. With less than `whole` bytes it is made larger, by a quarter, and not followed by another. */
  constructor (min = MIN_BYTES, whole = 0) {
    this.#min = min
    this.#whole = whole
  }

  /** There is one, and the last piece of the queue is in it. */
  get open (): boolean {
    return this.#buffer !== undefined
  }

  /**
   * Puts a piece behind the others of a queue in which `waiting` bytes are, so that it costs no more than its bytes. `join`: there
   * are so many that it need not stay apart.
   */
  push (pieces: Uint8Array[], piece: Uint8Array, waiting: number, join: boolean): void {
    // in this order, as to ask for the buffer of a small array costs as much as to copy it
    if (join && (piece.byteLength < SMALL_BYTES || pins(piece))) {
      this.joined = true
      this.append(pieces, pieces.length, piece, waiting)
    } else {
      this.end(pieces)
      pieces.push(withoutPin(piece))
    }
  }

  /**
   * Copies a piece behind the first `count` of `pieces`, into the spare room of the last first, if that is in the tail, whole.
   * `waiting` bytes are queued. Returns how many pieces there are then, of which the last is whole only after `finish()`.
   */
  append (pieces: Uint8Array[], count: number, piece: Uint8Array, waiting: number): number {
    const buffer = this.#buffer

    if (buffer !== undefined) {
      const part = piece.byteLength <= buffer.byteLength - this.#length ? piece : piece.subarray(0, buffer.byteLength - this.#length)

      buffer.set(part, this.#length)
      this.#length += part.byteLength
      this.#unfinished = true

      if (part === piece) {
        return count
      }

      piece = piece.subarray(part.byteLength)

      if (buffer.byteLength < this.#whole) {
        this.#buffer = new Uint8Array(Math.max(Math.ceil(buffer.byteLength * 1.25), this.#length + piece.byteLength))
        this.#buffer.set(buffer)
        this.#buffer.set(piece, this.#length)
        this.#length += piece.byteLength

        return count
      }

      this.finish(pieces, count)
    }

    // an eighth of all that waits, and no more than twice the last: spare room costs as much memory as what is kept
    const next = buffer === undefined ? 0 : Math.min(MAX_BYTES, buffer.byteLength * 2, waiting / 8)

    this.#buffer = new Uint8Array(Math.max(this.#min, next, piece.byteLength))
    this.#buffer.set(piece)
    this.#length = piece.byteLength
    pieces[count++] = this.#buffer.subarray(0, piece.byteLength)

    return count
  }

  /** The last piece is all that was joined to it. Not for each that is joined, as that was a sixth of what a small message cost. */
  finish (pieces: Uint8Array[], count = pieces.length): void {
    if (this.#unfinished) {
      this.#unfinished = false
      pieces[count - 1] = (this.#buffer as Uint8Array).subarray(0, this.#length)
    }
  }

  /**
   * What comes next is not joined to the last of `count` pieces, which is cut to its size: a peer that has a byte follow each large piece
   * had rooms of twice that kept for them, and with them twice of what waited. Returns what is left of the room, which is an eighth at most.
   */
  end (pieces: Uint8Array[], count = pieces.length): number {
    const buffer = this.#buffer

    if (buffer === undefined) {
      return 0
    }

    this.finish(pieces, count)

    const length = this.#length
    const spare = buffer.byteLength - length

    this.close()

    // another length: part of it was taken since
    if (spare * 8 > buffer.byteLength && pieces[count - 1].byteLength === length) {
      pieces[count - 1] = buffer.slice(0, length)
      return 0
    }

    return spare
  }

  /** What comes next is not joined to what is there, which somebody holds. */
  close (): void {
    this.#buffer = undefined
    this.#length = 0
  }
}
