/**
 * Bytes to frames, cut anywhere. A header is reported as soon as its twelve bytes are here, so that it can be judged
 * before a byte of its body is kept; a body is reported in slices of what arrived, never gathered, never copied.
 */
import { FrameType, HEADER_LENGTH } from './frame.ts'

/** What `next()` found. */
export const Token = {
  /** All bytes are used up. */
  needMore: 0,
  /** `type`, `flags`, `streamId` and `length` are those of a new frame. */
  header: 1,
  /** `payload` is a part of the body of the last data frame; `bodyLeft` bytes of it are still to come. */
  payload: 2
} as const

export type TokenKind = typeof Token[keyof typeof Token]

export class Decoder {
  version = 0
  type = 0
  flags = 0
  streamId = 0
  length = 0
  payload: Uint8Array = EMPTY
  bodyLeft = 0

  #bytes: Uint8Array = EMPTY
  #offset = 0

  // a header that was cut
  readonly #partial = new Uint8Array(HEADER_LENGTH)
  #partialLength = 0

  /** The next bytes; all that were given before must have been used up. */
  push (bytes: Uint8Array): void {
    this.#bytes = bytes
    this.#offset = 0
  }

  next (): TokenKind {
    const available = this.#bytes.byteLength - this.#offset

    if (available === 0) {
      // what is used up may be large, and the next bytes may be long in coming
      this.#bytes = EMPTY
      this.#offset = 0

      return Token.needMore
    }

    if (this.bodyLeft > 0) {
      const length = Math.min(available, this.bodyLeft)

      this.payload = this.#bytes.subarray(this.#offset, this.#offset + length)
      this.#offset += length
      this.bodyLeft -= length

      return Token.payload
    }

    if (this.#partialLength === 0 && available >= HEADER_LENGTH) {
      this.#readHeader(this.#bytes, this.#offset)
      this.#offset += HEADER_LENGTH

      return Token.header
    }

    const missing = Math.min(available, HEADER_LENGTH - this.#partialLength)

    for (let i = 0; i < missing; i++) {
      this.#partial[this.#partialLength++] = this.#bytes[this.#offset++]
    }

    if (this.#partialLength < HEADER_LENGTH) {
      return this.next()
    }

    this.#partialLength = 0
    this.#readHeader(this.#partial, 0)

    return Token.header
  }

  /** A frame was received in part. */
  get incomplete (): boolean {
    return this.#partialLength > 0 || this.bodyLeft > 0
  }

  #readHeader (bytes: Uint8Array, at: number): void {
    this.version = bytes[at]
    this.type = bytes[at + 1]
    this.flags = bytes[at + 2] << 8 | bytes[at + 3]
    // `<<` makes a signed number of what has its 32nd bit set
    this.streamId = (bytes[at + 4] << 24 | bytes[at + 5] << 16 | bytes[at + 6] << 8 | bytes[at + 7]) >>> 0
    this.length = (bytes[at + 8] << 24 | bytes[at + 9] << 16 | bytes[at + 10] << 8 | bytes[at + 11]) >>> 0
    this.bodyLeft = this.type === FrameType.data ? this.length : 0
  }
}

const EMPTY = new Uint8Array(0)
