/** Round trip times, in milliseconds, from pings. */

/** The least of this many samples counts: at one ping in 30 s a path that got longer is believed after five minutes. */
const SAMPLES = 10

/** The first sample of a process that has just started is late by all that it compiles: 10 ms where 0.1 are true. */
const FIRST_SAMPLES = 3

export class RoundTrip {
  last: number | undefined
  min: number | undefined

  /** Weighted 7 to 1 for what is known, as TCP does (RFC 6298 §2). */
  smoothed: number | undefined

  readonly #samples: number[] = []
  #next = 0

  /** Enough is known to act on it. */
  get settled (): boolean {
    return this.#samples.length >= FIRST_SAMPLES
  }

  sample (millis: number): void {
    this.last = millis
    this.smoothed = this.smoothed === undefined ? millis : this.smoothed * 7 / 8 + millis / 8
    this.#samples[this.#next] = millis
    this.#next = (this.#next + 1) % SAMPLES
    this.min = Math.min(...this.#samples)
  }
}
