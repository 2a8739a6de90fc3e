/**
 * Whether a window is too small, as its receiver can tell: the peer ran out of credit, and until more of it could
 * arrive there and data come back, neither the connection nor our reader had anything to do. A larger window would have
 * filled that time. In any other case it would fill a queue, which every small message behind it has to wait for: on
 * loopback 16 MiB cost them 6 ms, 256 KiB cost 0.15 ms at the same rate.
 *
 * How long half of a window lasted, measured by the least round trip, is what others go by (rust-yamux). In Node it is
 * a poor guide: the round trips of a young process are ten times too long, and data comes in bursts that carry half of
 * a window within any time. What was seen here: over bare loopback, where 256 KiB are enough, one window in seven
 * starves for want of luck, in runs of a millisecond or two; under an encrypter, which needs more, nearly all do.
 */
import type { RoundTrip } from './round-trip.ts'

/** What the connection knows of time. */
export interface Pace {
  readonly roundTrip: RoundTrip

  /** How long, all in all, nothing came in while all that had come was done. */
  readonly idleMillis: number

  /** Of data, for all streams. */
  readonly bytesReceived: number

  /** When data last came for another stream than the one before. */
  readonly sharedAt: number
}

/** A window starves that spends this part of its time so, or more: it carries a seventh less than it might. */
const STARVED_PARTS = 8

/** So many windows have to starve in a row, over so long: event loops that are late now and then are no distance. */
const STARVED_WINDOWS = 3
const STARVED_MILLIS = 25

/**
 * A window that lasts for four round trips, or four times as long as a busy event loop may be late, is not what keeps
 * the peer waiting: its application is, or ours, which may be busy elsewhere.
 */
const ENOUGH_ROUND_TRIPS = 4
const ENOUGH_MILLIS = 4

/**
 * A window that is used faster than this, in bytes a millisecond, was used at once, for whatever reason: 1 Gbit/s carry
 * 125,000, and nothing is gained there by more. Noise carries 190,000, and a GiB over it cost a twelfth less processor time
 * with 2 MiB than with the 512 KiB that windows had that were quick by time alone.
 */
const QUICK_BYTES = 131_072

/** A stream brings most of what comes if no more than this part of it is for others. */
const OTHERS_PARTS = 4

/** With this part of its window left, or less, a peer has run out: some do not send a few bytes by themselves. */
const SILLY_PARTS = 64

export class Starvation {
  /** What was read in this epoch, the time in which a whole window is used. */
  epochBytes = 0

  /** Epochs in a row that were over at once, since the window last grew. */
  quickEpochs = 0

  /** When the peer last got credit, and how many bytes the connection had received by then. */
  grantedAt = 0
  grantedAtBytes = 0

  /** Credit that is due waits for that of other streams. */
  waits = false

  /** What starving has made of the window so far. */
  needed = 0

  /** In the last epoch next to nothing came for other streams. */
  bringsMost = false

  #epochStart: number
  #epochStartBytes: number
  #starvedMillis = 0

  // epochs in a row that starved, and since when they have
  #epochs = 0
  #since = 0

  // credit that the peer may not have had yet when it sent what came last: all that, and its sum
  readonly #grants: number[] = []
  #granted = 0

  // how long the connection had been idle when the peer ran out, while it has no more
  #idleBefore: number | undefined

  constructor (now: number, { bytesReceived }: Pace) {
    this.#epochStart = now
    this.#epochStartBytes = bytesReceived
  }

  /** The peer gets more than the `available` that it has. */
  granted (bytes: number, now: number, available: number, size: number, pace: Pace): void {
    this.grantedAt = now
    this.grantedAtBytes = pace.bytesReceived

    if (available <= size / SILLY_PARTS) {
      // it waits, and until now it was for our reader
      this.#idleBefore = pace.idleMillis
    }

    this.#grants.push(bytes)
    this.#granted += bytes
  }

  /** A frame is whole. The peer has run out if it had used all but the credit that is on its way. */
  pause (available: number, size: number, pace: Pace): void {
    if (this.#granted > 0 && available - this.#granted <= size / SILLY_PARTS) {
      this.#idleBefore = pace.idleMillis
    }
  }

  /** The next frame is here, and leaves so much. */
  more (available: number, unread: number, pace: Pace): void {
    if (this.#idleBefore !== undefined) {
      if (unread === 0) {
        this.#starvedMillis += pace.idleMillis - this.#idleBefore
      }

      this.#idleBefore = undefined
    }

    // the frame itself shows that some of it has arrived
    while (this.#granted > available) {
      this.#granted -= this.#grants.shift() as number
    }
  }

  /** An epoch is over, in which `size` bytes were used. Returns whether the window should be larger. */
  endEpoch (now: number, size: number, { roundTrip, bytesReceived }: Pace): boolean {
    const start = this.#epochStart
    const elapsed = now - start
    const received = bytesReceived - this.#epochStartBytes
    const starved = this.#starvedMillis > 0 && this.#starvedMillis * STARVED_PARTS >= elapsed

    this.bringsMost = received - this.epochBytes <= received / OTHERS_PARTS
    this.epochBytes = 0
    this.#epochStartBytes = bytesReceived
    this.quickEpochs = elapsed * QUICK_BYTES < size ? this.quickEpochs + 1 : 0
    this.#epochStart = now
    this.#starvedMillis = 0

    if (!starved) {
      this.#epochs = 0
      return false
    }

    if (this.#epochs++ === 0) {
      this.#since = start
    }

    return this.#epochs >= STARVED_WINDOWS && now - this.#since >= STARVED_MILLIS &&
      elapsed < Math.max(ENOUGH_ROUND_TRIPS * (roundTrip.min ?? 0), ENOUGH_MILLIS)
  }
}
