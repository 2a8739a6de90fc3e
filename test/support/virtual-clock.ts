/** A clock that stands still until a test moves it. */
import { turn } from './waiting.ts'
import type { Clock } from '../../src/connection/clock.ts'

interface Timer {
  at: number
  callback(): void
}

export class VirtualClock implements Clock {
  /** Called behind each callback, before anything that it has put off: as sockets are read behind timers. */
  onRung: (() => void) | undefined

  readonly #timers = new Set<Timer>()
  #now: number

  constructor (now = 1_000) {
    this.#now = now
  }

  now (): number {
    return this.#now
  }

  schedule (callback: () => void, millis: number): () => void {
    const timer = { at: this.#now + millis, callback }

    this.#timers.add(timer)

    return () => {
      this.#timers.delete(timer)
    }
  }

  /** How many callbacks are scheduled. */
  get pending (): number {
    return this.#timers.size
  }

  /** Moves the time without ringing: what a busy process sees. */
  skip (millis: number): void {
    this.#now += millis
  }

  /** Moves the time; everything due rings at its own moment, and what it caused is done before the next. */
  async advance (millis: number): Promise<void> {
    const end = this.#now + millis

    await turn()

    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#timers.delete(timer)
      this.#now = Math.max(this.#now, timer.at)
      timer.callback()
      this.onRung?.()
      await turn()
    }

    this.#now = end
    await turn()
  }

  #next (end: number): Timer | undefined {
    let next: Timer | undefined

    for (const timer of this.#timers) {
      if (timer.at <= end && (next === undefined || timer.at < next.at)) {
        next = timer
      }
    }

    return next
  }
}
