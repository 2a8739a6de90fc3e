/**
 * Credit: what the peer lets us send, and what we let the peer send. The laws, asserted by the property tests:
 *
 * - the peer can never have more outstanding than `size`: `available + unread ≤ size`, whatever is read in what order;
 * - credit goes back only for bytes that were read, and only once it is half of the window, or 256 KiB;
 * - the growth of all windows of a connection never exceeds its budget, and every way to end gives the growth back.
 */
import type { RoundTrip } from './round-trip.ts'

const MAX_WINDOW = 2 ** 32 - 1

/** What the peer lets us send. */
export class SendWindow {
  available: number

  constructor (available: number) {
    this.available = available
  }

  /** `false`: the sum does not fit 32 bits, which is the peer's mistake (go and hashicorp wrap, rust once panicked). */
  grant (bytes: number): boolean {
    if (this.available + bytes > MAX_WINDOW) {
      return false
    }

    this.available += bytes

    return true
  }
}

/** What a window grows by. */
export interface Pace {
  readonly roundTrip: RoundTrip

  /** How long, all in all, the connection had nothing to do. */
  idleMillis: number
}

/** A reader of 9 kB a second returns as much before a writer that waits for 30 s gives up, however large the window. */
const ANNOUNCE_BYTES = 262_144

/** A busy event loop answers as much later: half of a window should last as long. */
const LOOP_MILLIS = 1

/** Idle for this part of the time or more, a receiver waits for its peer. */
const IDLE_PARTS = 4

/** Bytes by which the windows of one connection may still grow. */
export interface GrowthBudget {
  left: number
}

/** What we let the peer send. */
export class ReceiveWindow {
  /** Bytes that we are willing to keep for this stream. */
  size: number

  /** Bytes that the peer may still send. */
  available: number

  /** `size` grows no further; lowered below `size`, the window shrinks as fast as bytes are read. */
  limit: number

  // what does not count as growth
  #base: number
  #epochStart: number
  #epochIdle: number
  #epochBytes = 0

  /** `idleMillis`: that of the pace, so far. */
  constructor (size: number, limit: number, now: number, idleMillis = 0) {
    this.size = size
    this.available = size
    this.limit = limit
    this.#base = size
    this.#epochStart = now
    this.#epochIdle = idleMillis
  }

  /** `false`: more than was granted. */
  receive (bytes: number): boolean {
    if (bytes > this.available) {
      return false
    }

    this.available -= bytes

    return true
  }

  /**
   * The credit to announce after a read that leaves `unread` bytes, or 0 while too little is owed: half of the window, or
   * as much as keeps the writer from taking a slow reader for one that is gone.
   *
   * The window doubles when it, and neither the path nor the reader, sets the pace. Half of it went within twice the
   * least round trip, so it is less than four times bandwidth × round trip (rust-yamux's rule; a loaded round trip would
   * take our own queues for distance, rust-libp2p issue 5387), or within the time that event loops may be late. And we
   * were idle for a part of that time: a receiver that always has something to do gains nothing from a larger window
   * but a longer queue in front of every small message. On loopback 16 MiB cost them 5 ms, 256 KiB 0.1 ms.
   */
  update (unread: number, now: number, pace: Pace, budget: GrowthBudget): number {
    if (this.size > this.limit) {
      this.#resize(Math.max(this.limit, this.available + unread), budget)
    } else if (this.size < this.#base) {
      // it was shrunk, and the limit has been raised since
      this.size = Math.min(this.limit, this.#base)
    }

    let owed = this.size - this.available - unread

    if (owed < Math.min(this.size / 2, ANNOUNCE_BYTES)) {
      return 0
    }

    this.#epochBytes += owed

    if (this.#epochBytes >= this.size / 2) {
      owed += this.#endEpoch(now, pace, budget)
    }

    this.available += owed

    return owed
  }

  /** Half of the window went. Returns by how much it has grown. */
  #endEpoch (now: number, pace: Pace, budget: GrowthBudget): number {
    const { size } = this
    const grown = Math.min(size * 2, this.limit, size + budget.left)

    if (grown > size && this.#isTooSmall(now, pace)) {
      this.#resize(grown, budget)
    }

    this.#epochStart = now
    this.#epochIdle = pace.idleMillis
    this.#epochBytes = 0

    return this.size - size
  }

  #isTooSmall (now: number, pace: Pace): boolean {
    const { min, settled } = pace.roundTrip

    if (min === undefined || !settled) {
      return false
    }

    const elapsed = now - this.#epochStart
    const idle = pace.idleMillis - this.#epochIdle

    return idle * IDLE_PARTS >= elapsed && (elapsed < 2 * min || (idle > 0 && elapsed < LOOP_MILLIS))
  }

  /** The stream is over: gives its growth back to the connection. Harmless when repeated. */
  release (budget: GrowthBudget): void {
    budget.left += Math.max(0, this.size - this.#base)
    this.#base = this.size
  }

  #resize (size: number, budget: GrowthBudget): void {
    budget.left -= Math.max(0, size - this.#base) - Math.max(0, this.size - this.#base)
    this.size = size
  }
}
