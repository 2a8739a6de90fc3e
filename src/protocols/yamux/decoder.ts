/** The headers of frames: twelve bytes each. */
import { BaseDecoder, Token } from '../../core/decoder.ts'
import { FrameType, HEADER_LENGTH } from './frame.ts'
import type { TokenKind } from '../../core/decoder.ts'

export class Decoder extends BaseDecoder {
  version = 0
  type = 0
  flags = 0
  streamId = 0
  length = 0

  // a header that was cut
  readonly #partial = new Uint8Array(HEADER_LENGTH)
  #partialLength = 0

  protected readHeader (): TokenKind {
    const available = this.bytes.byteLength - this.offset

    if (this.#partialLength === 0 && available >= HEADER_LENGTH) {
      this.#read(this.bytes, this.offset)
      this.offset += HEADER_LENGTH

      return Token.header
    }

    const missing = Math.min(available, HEADER_LENGTH - this.#partialLength)

    for (let i = 0; i < missing; i++) {
      this.#partial[this.#partialLength++] = this.bytes[this.offset++]
    }

    if (this.#partialLength < HEADER_LENGTH) {
      return this.next()
    }

    this.#partialLength = 0
    this.#read(this.#partial, 0)

    return Token.header
  }

  /** A frame was received in part. */
  get incomplete (): boolean {
    return this.#partialLength > 0 || this.bodyLeft > 0
  }

  #read (bytes: Uint8Array, at: number): void {
    this.version = bytes[at]
    this.type = bytes[at + 1]
    this.flags = bytes[at + 2] << 8 | bytes[at + 3]
    // `<<` makes a signed number of what has its 32nd bit set
    this.streamId = (bytes[at + 4] << 24 | bytes[at + 5] << 16 | bytes[at + 6] << 8 | bytes[at + 7]) >>> 0
    this.length = (bytes[at + 8] << 24 | bytes[at + 9] << 16 | bytes[at + 10] << 8 | bytes[at + 11]) >>> 0
    this.bodyLeft = this.type === FrameType.data ? this.length : 0
  }
}
