/**
 * Credit: what the peer lets us send, and what we let the peer send. The laws, asserted by the property tests:
 *
 * - the peer can never have more outstanding than `size`: `available + unread ≤ size`, whatever is read in what order;
 * - credit goes back only for bytes that were read, and only once it is half of the window, or 256 KiB;
 * - the growth of all windows of a connection never exceeds its budget, and every way to end gives the growth back.
 */
import { Starvation } from './starvation.ts'
import type { Pace } from './starvation.ts'

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

/** A reader of 9 kB a second returns as much before a writer that waits for 30 s gives up, however large the window. */
const ANNOUNCE_BYTES = 262_144

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

  // from the first credit on: of the many streams that a connection may have most never get there
  #starvation: Starvation | undefined

  constructor (size: number, limit: number) {
    this.size = size
    this.available = size
    this.limit = limit
    this.#base = size
  }

  /** The header of a frame is here, and `unread` bytes from before. `false`: more than was granted. */
  receive (bytes: number, unread: number, pace: Pace): boolean {
    if (bytes > this.available) {
      return false
    }

    this.available -= bytes
    this.#starvation?.more(this.available, unread, pace)

    return true
  }

  /** All of the frame is here. */
  received (pace: Pace): void {
    this.#starvation?.pause(this.available, this.size, pace)
  }

  /**
   * The credit to announce after a read that leaves `unread` bytes, or 0 while too little is owed: half of the window, or
   * as much as keeps the writer from taking a slow reader for one that is gone. The window doubles for a peer that its
   * size keeps waiting.
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

    const starvation = this.#starvation ??= new Starvation(now)

    starvation.epochBytes += owed

    if (starvation.epochBytes >= this.size) {
      owed += this.#grow(starvation.endEpoch(now, pace), budget)
    }

    starvation.granted(owed, this.available, this.size, pace)
    this.available += owed

    return owed
  }

  /** Returns by how much it has grown. */
  #grow (tooSmall: boolean, budget: GrowthBudget): number {
    const { size } = this
    const grown = Math.min(size * 2, this.limit, size + budget.left)

    if (tooSmall && grown > size) {
      this.#resize(grown, budget)
    }

    return this.size - size
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
