/**
 * @packageDocumentation
 *
 * Reads an exact number of bytes, or "what there is", from the async iterator of
 * a stream. Only the iterator gives real backpressure: nothing is asked of it
 * before the bytes of the last answer are used up.
 */

import { decodePrefix, PREFIX_LENGTH } from './file-protocol.ts'
import type { Uint8ArrayList } from 'uint8arraylist'

/**
 * The bytes ended before the message did
 */
export class UnexpectedEndError extends Error {
  static name = 'UnexpectedEndError'

  constructor (message = 'the stream ended early') {
    super(message)
    this.name = 'UnexpectedEndError'
  }
}

export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array | Uint8ArrayList>
  #pieces: Uint8Array[] = []

  constructor (source: AsyncIterable<Uint8Array | Uint8ArrayList>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /**
   * The next bytes, without a copy, at most `limit`; `undefined` at the end
   */
  async some (limit: number): Promise<Uint8Array | undefined> {
    while (this.#pieces.length === 0) {
      const next = await this.#source.next()

      if (next.done === true) {
        return
      }

      for (const piece of next.value instanceof Uint8Array ? [next.value] : next.value) {
        if (piece.byteLength > 0) {
          this.#pieces.push(piece)
        }
      }
    }

    const first = this.#pieces[0]

    if (first.byteLength <= limit) {
      this.#pieces.shift()
      return first
    }

    this.#pieces[0] = first.subarray(limit)
    return first.subarray(0, limit)
  }

  /**
   * Exactly so many bytes, copied together; meant for small messages only
   */
  async exactly (length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    let filled = 0

    while (filled < length) {
      const piece = await this.some(length - filled)

      if (piece == null) {
        throw new UnexpectedEndError()
      }

      bytes.set(piece, filled)
      filled += piece.byteLength
    }

    return bytes
  }

  /**
   * A header or a receipt, without its length prefix
   */
  async message (limit: number, what: string): Promise<Uint8Array> {
    return this.exactly(decodePrefix(await this.exactly(PREFIX_LENGTH), limit, what))
  }

  /**
   * Let go of the stream's iterator, what is unread stays unread
   */
  async release (): Promise<void> {
    await this.#source.return?.()
  }
}
