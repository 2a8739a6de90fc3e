/**
 * Keeps the event loop from sleeping for a moment while the answer to a small message is all but here, as Linux does for
 * sockets (`SO_BUSY_POLL`) and KVM for guests.
 *
 * A process that waits gives up its core, and in a virtual machine takes 25 µs and more to have it back, at either end: with
 * messages of 64 bytes yamux made 8,000 to 10,000 round trips a second over TCP, at 60 µs of processor time each at either
 * end, and awake 38,000 at 25, as to fall asleep and to wake up is work as well. Raw TCP makes 13,600 at 37. Where
 * other programs want all cores, who stays awake takes from the peer what it needs to answer: ours had 0.6 of raw TCP there, which
 * is 1.8 × @libp2p/yamux. To tell that by how long answers take was tried, and lost a third of the gain elsewhere, as that differs
 * more from one moment to the next than by who sleeps.
 */
import { systemClock } from './clock.ts'
import type { Clock } from './clock.ts'

/** So long after a small message, in milliseconds, if nothing comes: as KVM polls before it lets a guest sleep. */
const AWAKE_MILLIS = 0.2

/** An answer that took longer was not worth waiting for awake. It may have cost both ends a sleep, hence twice as long. */
const QUICK_MILLIS = 2 * AWAKE_MILLIS

/** Larger messages are no conversation: who moves them in numbers is awake anyway. */
const SMALL_BYTES = 4_096

/** After so many quick answers in a row the next is awaited awake. */
const QUICK_ANSWERS = 4

/** Each answer that was awaited in vain doubles their number, up to this: of a peer that is never quick enough next to nothing is lost. */
const MOST_QUICK_ANSWERS = 1_024

export class BusyPoll {
  readonly #clock: Clock
  readonly #stayAwake: (until: number) => void
  #sentAt: number | undefined
  #quickAnswers = 0
  #needed = QUICK_ANSWERS
  #polling = false

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
    this.#polling = this.#quickAnswers >= this.#needed

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
      this.#needed = Math.min(this.#needed * 2, MOST_QUICK_ANSWERS)
      this.#quickAnswers = 0
    } else if (millis > QUICK_MILLIS || byteLength > SMALL_BYTES) {
      this.#quickAnswers = 0
    } else {
      this.#quickAnswers++
      this.#needed = this.#polling ? QUICK_ANSWERS : this.#needed
    }
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
