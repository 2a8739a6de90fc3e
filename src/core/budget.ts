/** An allowance for what is cheap to send and costly to receive: a bucket of tokens, refilled as time goes by. */

const REFILL_MILLIS = 10_000

export class Budget {
  readonly limit: number
  #left: number
  #filledAt = 0

  constructor (limit: number) {
    this.limit = limit
    this.#left = limit
  }

  /** `false`: over budget. */
  take (now: number): boolean {
    // whatever is left, or time that passed while the bucket was full would fill it a second time
    if (this.#left < this.limit) {
      this.#left = Math.min(this.limit, this.#left + (now - this.#filledAt) * this.limit / REFILL_MILLIS)
    }

    this.#filledAt = now

    if (this.#left < 1) {
      return false
    }

    this.#left--

    return true
  }
}
