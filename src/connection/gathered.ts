/** What a reader was handed that waits for more: it costs no more than its bytes, in however many pieces they came. */
import { Uint8ArrayList } from 'uint8arraylist'
import { Tail } from '../core/tail.ts'

/** A thousand streams may each wait for a message of which nothing but the beginning comes. */
const MIN_BYTES = 128

export class Gathered {
  byteLength = 0
  readonly #pieces: Uint8Array[] = []
  readonly #tail = new Tail(MIN_BYTES)

  append (data: Uint8Array | Uint8ArrayList): void {
    for (const piece of data instanceof Uint8Array ? [data] : data) {
      this.byteLength += piece.byteLength
      // the first stays as it is, since it is mostly the only one
      this.#tail.push(this.#pieces, piece, this.byteLength, this.#pieces.length > 0)
    }
  }

  toList (): Uint8ArrayList {
    this.#tail.finish(this.#pieces)

    return Uint8ArrayList.fromUint8Arrays(this.#pieces)
  }
}
