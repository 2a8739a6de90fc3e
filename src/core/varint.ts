/** Unsigned varints (multiformats), seven bits a byte, the least first: judged byte by byte, without exceptions. */

/** What a byte made of the varint. */
export type VarintState = 'more' | 'done' | 'too-long' | 'not-minimal'

/** As many bytes as a number without loss can have: 2⁵³ - 1. */
const MAX_LENGTH = 8

export class VarintDecoder {
  value = 0
  #scale = 1
  #length = 0

  push (byte: number): VarintState {
    // no shift: it would make 32 bits of it
    this.value += (byte & 0x7f) * this.#scale
    this.#scale *= 128
    this.#length++

    if (this.value > Number.MAX_SAFE_INTEGER) {
      return 'too-long'
    }

    if (byte >= 0x80) {
      return this.#length === MAX_LENGTH ? 'too-long' : 'more'
    }

    return byte === 0 && this.#length > 1 ? 'not-minimal' : 'done'
  }
}

export function encodeVarint (value: number): Uint8Array {
  const bytes: number[] = []

  while (value >= 0x80) {
    bytes.push(value % 128 + 128)
    value = Math.floor(value / 128)
  }

  bytes.push(value)

  return Uint8Array.from(bytes)
}
