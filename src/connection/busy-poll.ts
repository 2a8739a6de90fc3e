/**
 * Keeps the event loop from sleeping for a moment while the answer to a small message is all but here, as Linux does for
 * sockets (`SO_BUSY_POLL`) and KVM for guests.
 *
 * A process that waits gives up its core, and in a virtual machine takes 25 µs and more to have it back, at either end: with
 * messages of 64 bytes yamux made 8,000 to 10,000 round trips a second over TCP, at 60 µs of processor time each at either
 * end, and awake 38,000 at 25, as to fall asleep and to wake up is work as well. Raw TCP makes 13,600 at 37. Where cores
 * never sleep, or have other work, nothing is gained by it, which shows in how long answers take, and it is given up.
 */
import { systemClock } from './clock.ts'
import type { Clock } from './clock.ts'

/** So long after a small message, in milliseconds, if nothing comes: as KVM polls before it lets a guest sleep. */
const AWAKE_MILLIS = 0.2

/** An answer that took longer was not worth waiting for awake. It may have cost both ends a sleep, hence twice as long. */
const QUICK_MILLIS = 2 * AWAKE_MILLIS

/** Larger messages are no conversation: who moves them in numbers is awake anyway. */
const SMALL_BYTES = 4_096

/** After so many quick answers in a row, awaited asleep, the next are awaited awake. */
const QUICK_ANSWERS = 4

/** Each time that was in vain doubles their number, up to this: of a peer that is never quick enough next to nothing is lost. */
const MOST_QUICK_ANSWERS = 1_024

/**
 * After so many it is asked whether they came sooner. They do not where no core sleeps anyway, as other programs have work
 * for all of them: there to stay awake takes from the peer what it needs to answer.
 */
const JUDGED_ANSWERS = 32

/** Of the time that answers took asleep those awake have to take this part, or less. Where cores sleep it is a third. */
const WORTHWHILE = 0.75

/** After so many it is tried asleep again. */
const AWAKE_ANSWERS = 1_024

export class BusyPoll {
  readonly #clock: Clock
  readonly #stayAwake: (until: number) => void
  #sentAt: number | undefined
  #needed = QUICK_ANSWERS
  #polling = false

  // quick answers in a row, and how long all of them took: first those that were awaited asleep, then those awake
  #asleepAnswers = 0
  #asleepMillis = 0
  #awakeAnswers = 0
  #awakeMillis = 0

  constructor (clock = systemClock, stayAwake = stayAwakeUntil) {
    this.#clock = clock
    this.#stayAwake = stayAwake
  }

  /** So many bytes went to the peer at once. */
  sent (byteLength: number): void {
    if (byteLength > SMALL_BYTES) {
      this.#sentAt = undefined
      return
    }

    this.#sentAt = this.#clock.now()
    this.#polling = this.#asleepAnswers >= this.#needed

    if (this.#polling) {
      this.#stayAwake(this.#sentAt + AWAKE_MILLIS)
    }
  }

  /** So many bytes came from the peer at once: the answer, if anything was sent since the last. */
  received (byteLength: number): void {
    if (this.#sentAt === undefined) {
      return
    }

    const millis = this.#clock.now() - this.#sentAt

    this.#sentAt = undefined

    if (this.#polling && millis > AWAKE_MILLIS) {
      this.#sleep(this.#needed * 2)
    } else if (millis > QUICK_MILLIS || byteLength > SMALL_BYTES) {
      this.#sleep(this.#needed)
    } else if (!this.#polling) {
      this.#asleepAnswers++
      this.#asleepMillis += millis
    } else {
      this.#awakeAnswers++
      this.#awakeMillis += millis
      this.#judge()
    }
  }

  #judge (): void {
    const isWorthwhile = this.#awakeMillis / this.#awakeAnswers <= this.#asleepMillis / this.#asleepAnswers * WORTHWHILE

    if (this.#awakeAnswers === JUDGED_ANSWERS && !isWorthwhile) {
      this.#sleep(this.#needed * 2)
    } else if (this.#awakeAnswers === AWAKE_ANSWERS) {
      this.#sleep(QUICK_ANSWERS)
    }
  }

  /** Until so many quick answers have come in a row. */
  #sleep (needed: number): void {
    this.#needed = Math.min(needed, MOST_QUICK_ANSWERS)
    this.#asleepAnswers = 0
    this.#asleepMillis = 0
    this.#awakeAnswers = 0
    this.#awakeMillis = 0
  }
}

let awakeUntil = 0
let awake = false

/** Of all connections: the event loop polls what there is, of whichever, and goes on. Where it cannot be told to, nothing happens. */
function stayAwakeUntil (until: number): void {
  awakeUntil = until

  if (!awake && globalThis.setImmediate !== undefined) {
    awake = true
    globalThis.setImmediate(poll)
  }
}

function poll (): void {
  awake = systemClock.now() < awakeUntil

  if (awake) {
    globalThis.setImmediate(poll)
  }
}
