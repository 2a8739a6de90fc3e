/** The headers of messages: two varints, judged byte by byte and without exceptions. */
import { BaseDecoder, Token } from '../../core/decoder.ts'
import { LOW_IDS, LOW_ID_BITS, MAX_HEADER_LENGTH, MAX_LENGTH_LENGTH, MAX_MESSAGE_LENGTH } from './frame.ts'
import type { TokenKind } from '../../core/decoder.ts'
import type { StreamId } from '../../core/stream-record.ts'

/** What a byte counts that is not among the first four of a header. */
const SCALE = [1, 2 ** 7, 2 ** 14, 2 ** 21, 2 ** 28]

export class Decoder extends BaseDecoder {
  flag = 0
  id: StreamId = 0
  length = 0

  /** What is wrong with a header that is malformed. */
  fault = ''

  // a header that was cut: the bytes of the varint so far, the first four of them, and what the others come to
  #inLength = false
  #count = 0
  #low = 0
  #high = 0

  /** A message was received in part. */
  get incomplete (): boolean {
    return this.bodyLeft > 0 || this.#inLength || this.#count > 0
  }

  protected readHeader (): TokenKind {
    const { bytes } = this

    while (this.offset < bytes.byteLength) {
      const byte = bytes[this.offset++]

      if (this.#count < 4) {
        this.#low |= (byte & 0x7f) << 7 * this.#count
      } else {
        // no shift: it would make 32 bits of it
        this.#high += (byte & 0x7f) * SCALE[this.#count - 4]
      }

      this.#count++

      if (byte >= 0x80) {
        if (this.#count === (this.#inLength ? MAX_LENGTH_LENGTH : MAX_HEADER_LENGTH)) {
          return this.#malformed(this.#inLength ? `message of more than ${MAX_MESSAGE_LENGTH} bytes` : `header of more than ${MAX_HEADER_LENGTH} bytes`)
        }
      } else if (byte === 0 && this.#count > 1) {
        return this.#malformed(`${this.#inLength ? 'length' : 'header'} that is not in its shortest form`)
      } else if (this.#inLength) {
        return this.#endHeader()
      } else {
        this.#endId()
      }
    }

    return this.next()
  }

  #endId (): void {
    const low = this.#low >>> 3

    this.flag = this.#low & 7

    // nine bytes in their shortest form are more than 53 bits of id, eight are not
    this.id = this.#count === MAX_HEADER_LENGTH
      ? BigInt(this.#high) << BigInt(LOW_ID_BITS) | BigInt(low)
      : this.#high * LOW_IDS + low
    this.#inLength = true
    this.#count = 0
    this.#low = 0
    this.#high = 0
  }

  #endHeader (): TokenKind {
    this.length = this.#low
    this.bodyLeft = this.#low
    this.#inLength = false
    this.#count = 0
    this.#low = 0

    return this.length > MAX_MESSAGE_LENGTH
      ? this.#malformed(`message of ${this.length} bytes, the most is ${MAX_MESSAGE_LENGTH}`)
      : Token.header
  }

  #malformed (fault: string): TokenKind {
    this.fault = fault

    return Token.malformed
  }
}
