/** The one place that knows what time it is. Tests bring a clock of their own. */

import { MAX_TIMEOUT } from '../core/deadlines.ts'

export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number

  /** Calls back after so many milliseconds; returns what takes the call back. */
  schedule(callback: () => void, millis: number): () => void
}

// looked up once: the global object of Node.js makes it by a getter
const { performance } = globalThis

export const systemClock: Clock = {
  now: () => performance.now(),
  schedule (callback, millis) {
    const timer: any = setTimeout(callback, Math.min(MAX_TIMEOUT, Math.ceil(millis)))

    // a process that has nothing else to wait for need not wait for a keep-alive
    timer.unref?.()

    return () => {
      clearTimeout(timer)
    }
  }
}

/** Calls back when the event loop has seen to what else there is: I/O, and timers that are due. */
export const afterTurn: (callback: () => void) => void = globalThis.setImmediate ?? (callback => { setTimeout(callback, 0) })

/**
 * An alarm later than this, in milliseconds, was held up, as timers of Node.js by themselves are 1 or 2 late: it rings when what
 * came meanwhile was read. A peer that was long back with its answer was cut for what our own process was busy with.
 */
const LATE_MILLIS = 2

/** One timer for whatever comes first. */
export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  #at = Infinity
  #cancel: (() => void) | undefined
  #isSoon = false
  #stopped = false

  constructor (clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /**
   * Rings at that time, or earlier if it was set so before: an alarm that comes too early costs less than moving it. If it is
   * that time, as soon as others had their turn. Late, it lets one turn pass, and no more: a process that is always late has to
   * judge as well.
   */
  set (at: number | undefined): void {
    if (at === undefined || at >= this.#at) {
      return
    }

    const millis = at - this.#clock.now()

    if (millis <= 0 && (this.#isSoon || !isLate(millis))) {
      this.#setSoon()
      return
    }

    this.#cancel?.()
    this.#at = at
    this.#cancel = this.#clock.schedule(() => {
      this.#at = Infinity

      if (isLate(at - this.#clock.now())) {
        this.#setSoon()
      } else {
        this.#ring()
      }
      // late already, by a timer all the same: only what is put off from there is sure to come after sockets were read
    }, Math.max(0, millis))
  }

  stop (): void {
    this.#cancel?.()
    this.#at = Infinity
    this.#stopped = true
  }

  /** Beside the timer, and not in place of it: those of Node.js are costly to make anew for each turn. */
  #setSoon (): void {
    if (!this.#isSoon) {
      this.#isSoon = true
      afterTurn(this.#onSoon)
    }
  }

  readonly #onSoon = (): void => {
    this.#isSoon = false

    if (!this.#stopped) {
      this.#ring()
    }
  }
}

function isLate (millis: number): boolean {
  return millis < -LATE_MILLIS
}
