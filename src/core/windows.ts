/**
 * Credit: what the peer lets us send, and what we let the peer send. The laws, asserted by the property tests:
 *
 * - the peer can never have more outstanding than `size`: `available + unread ≤ size`, whatever is read in what order;
 * - credit goes back only for bytes that were read, once it is half of the window, or 256 KiB a while after the last;
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

/**
 * As much goes back before half of a large window was read: a reader of 9 kB a second returns it before a writer that
 * waits for 30 s gives up, and a long path is filled by a window of what is on the way, not of twice that.
 */
const ANNOUNCE_BYTES = 262_144

/**
 * But not sooner after the last: each wakes the sender, and over noise is a record of its own at both ends. With windows of
 * 2 MiB bulk over noise cost 7.8 s of processor time a GiB with credit for every 256 KiB, and 5.4 for every half.
 */
const ANNOUNCE_MILLIS = 4

/**
 * A stream that has the connection to itself keeps nobody waiting, so its window may grow to this once so many in a row
 * were used up at once, distance or no distance: at every half of a window one end is woken by the other, which takes
 * 0.1 ms and more. Over loopback 256 KiB carried 790 MiB/s, 1 MiB 1,130, 2 MiB 1,470 and 4 MiB no more than that.
 */
const ALONE_BYTES = 2_097_152
const QUICK_EPOCHS = 8

/** For so long after data came for another stream nobody is alone, and the window is only as large as the distance wants it. */
const SHARED_MILLIS = 100

/**
 * But a stream that brings most of what comes, beside small messages, may have this. Of 256 KiB half is two messages of 64 KiB,
 * and its writer waits for credit between them: over loopback bulk beside an echo had 0.70 of raw TCP, and 0.86 with three in each
 * half. The echo takes no longer, 0.110 ms instead of 0.115, and more with sizes between, where credit cuts messages in two.
 */
const BESIDE_BYTES = 393_216

/**
 * A stream that brought less than this part of all data since its last credit does not keep its sender waiting by itself. In
 * one turn of the event loop Node.js reads 2 MiB of a socket, and that is what sixteen streams may still send when half of
 * their windows are used.
 */
const SMALL_PARTS = 16

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
    const isAlone = now - pace.sharedAt >= SHARED_MILLIS
    const limit = isAlone ? this.limit : Math.min(this.limit, Math.max(this.#base, this.#starvation?.needed ?? 0, this.#beside))

    if (this.size > limit) {
      // with what was pushed back to be read again it may be more than the window
      this.#resize(Math.max(limit, Math.min(this.size, this.available + unread)), budget)
    } else if (this.size < this.#base) {
      // it was shrunk, and the limit has been raised since
      this.size = Math.min(limit, this.#base)
    }

    let owed = this.size - this.available - unread

    if (owed < this.size / 2 && (owed < ANNOUNCE_BYTES || now < this.#nextGrant)) {
      return 0
    }

    const starvation = this.#starvation ??= new Starvation(now, pace)

    starvation.epochBytes += owed

    if (starvation.epochBytes >= this.size) {
      owed += this.#endEpoch(starvation, now, isAlone, pace, budget)
    }

    starvation.granted(owed, now, this.available, this.size, pace)
    this.available += owed

    return owed
  }

  /** Credit is due for half of the window, and nobody waits for it: other streams bring enough. */
  mayWait (unread: number, { bytesReceived }: Pace): boolean {
    const owed = this.size - this.available - unread

    return this.#starvation !== undefined && owed >= this.size / 2 && bytesReceived - this.#starvation.grantedAtBytes > owed * SMALL_PARTS
  }

  /** Credit that is due waits for that of others. */
  get waits (): boolean {
    return this.#starvation?.waits ?? false
  }

  set waits (waits: boolean) {
    if (this.#starvation !== undefined) {
      this.#starvation.waits = waits
    }
  }

  /** What it may have where it is not alone, whatever the distance. */
  get #beside (): number {
    return this.#starvation?.bringsMost === true ? BESIDE_BYTES : 0
  }

  get #nextGrant (): number {
    return this.#starvation === undefined ? 0 : this.#starvation.grantedAt + ANNOUNCE_MILLIS
  }

  /** Returns by how much the window has grown. */
  #endEpoch (starvation: Starvation, now: number, isAlone: boolean, pace: Pace, budget: GrowthBudget): number {
    const { size } = this
    const isStarved = starvation.endEpoch(now, size, pace)
    const lent = starvation.quickEpochs >= QUICK_EPOCHS ? Math.min(this.limit, isAlone ? ALONE_BYTES : this.#beside) : 0
    const grown = Math.min(size * 2, isStarved ? this.limit : lent, size + budget.left)

    if (grown > size) {
      this.#resize(grown, budget)
      starvation.quickEpochs = 0
    }

    if (isStarved) {
      starvation.needed = this.size
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
