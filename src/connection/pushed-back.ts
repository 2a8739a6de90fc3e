/** What was pushed back to be read again, and when it is delivered. */
import { StreamBufferError } from '../interface/errors.ts'

export function tooMuchPushedBack (bytes: number, limit: number): StreamBufferError {
  return new StreamBufferError(`${bytes} bytes were pushed back to be read again, the limit is ${limit} (option maxReadBufferLength)`)
}

export class PushedBack {
  /** Bytes that were pushed back and not read since, at most. */
  bytes = 0

  readonly #deliver: () => void
  #isDue = false
  #wasDelivered = false

  constructor (deliver: () => void) {
    this.#deliver = deliver
  }

  /** Bytes were read, whichever. */
  read (bytes: number): void {
    this.bytes = Math.max(0, this.bytes - bytes)
  }

  /** Something came that was not pushed back. */
  renew (): void {
    this.#wasDelivered = false
  }

  /**
   * Delivers it at once; but a listener that pushes back what it was given, as it waits for more, has the event loop turn in
   * between: otherwise nothing more would ever come.
   */
  deliver (): void {
    if (this.#isDue) {
      return
    }

    const deliver = (): void => {
      this.#isDue = false
      this.#deliver()
    }

    this.#isDue = true

    if (this.#wasDelivered) {
      setTimeout(deliver)
    } else {
      this.#wasDelivered = true
      queueMicrotask(deliver)
    }
  }
}
