/**
 * Bytes to frames, cut anywhere. A header is reported as soon as it is here, so that it can be judged before a byte of
 * its body is kept; a body is reported in slices of what arrived, never gathered, never copied.
 */

/** What `next()` found. */
export const Token = {
  /** All bytes are used up. */
  needMore: 0,
  /** The header of a new frame. */
  header: 1,
  /** `payload` is a part of the body of the last frame; `bodyLeft` bytes of it are still to come. */
  payload: 2,
  /** No frame begins so: where the next one begins cannot be known. */
  malformed: 3
} as const

export type TokenKind = typeof Token[keyof typeof Token]

export abstract class BaseDecoder {
  payload: Uint8Array = EMPTY
  bodyLeft = 0

  protected bytes: Uint8Array = EMPTY
  protected offset = 0

  /** At least one byte is there, and no body is due. */
  protected abstract readHeader (): TokenKind

  /** The next bytes; all that were given before must have been used up. */
  push (bytes: Uint8Array): void {
    this.bytes = bytes
    this.offset = 0
  }

  next (): TokenKind {
    const available = this.bytes.byteLength - this.offset

    if (available === 0) {
      // what is used up may be large, and the next bytes may be long in coming
      this.bytes = EMPTY
      this.offset = 0

      return Token.needMore
    }

    if (this.bodyLeft > 0) {
      const length = Math.min(available, this.bodyLeft)

      this.payload = this.bytes.subarray(this.offset, this.offset + length)
      this.offset += length
      this.bodyLeft -= length

      return Token.payload
    }

    return this.readHeader()
  }
}

const EMPTY = new Uint8Array(0)
