/** An allowance for what is cheap to send and costly to receive: a bucket of tokens, refilled as time goes by. */

const REFILL_MILLIS = 10_000

export class Budget {
  readonly limit: number
  #left: number
  #filledAt: number | undefined

  constructor (limit: number) {
    this.limit = limit
    this.#left = limit
  }

  /** `false`: over budget. */
  take (now: number): boolean {
    this.#filledAt ??= now

    if (this.#left < 1) {
      this.#left = Math.min(this.limit, this.#left + (now - this.#filledAt) * this.limit / REFILL_MILLIS)
      this.#filledAt = now

      if (this.#left < 1) {
        return false
      }
    }

    this.#left--

    return true
  }
}
