/**
 * Whose data goes next: the most urgent streams first, round robin among equals, one frame a turn. A stream stands in
 * its ring at most once, threaded through the record; whoever polls it puts it back while it has more to send.
 */
import { isUntidy } from './stream-lanes.ts'
import type { StreamRecord } from './stream-record.ts'

const LEVELS = 8

/** Every so many turns a stream is served that a more urgent one would keep waiting, so that none starves. */
const RESCUE_TURNS = 32

export class Scheduler {
  readonly #first: Array<StreamRecord | undefined> = new Array(LEVELS).fill(undefined)
  readonly #last: Array<StreamRecord | undefined> = new Array(LEVELS).fill(undefined)

  // bit n: level n is not empty
  #levels = 0
  #turns = 0
  #rescued = LEVELS

  /** Streams that are over stay until their turn, or until `tidy()`. */
  length = 0

  get empty (): boolean {
    return this.#levels === 0
  }

  /** `first`: before all others of its urgency. */
  add (stream: StreamRecord, first = false): void {
    if (stream.scheduled) {
      return
    }

    const level = stream.urgency
    const last = this.#last[level]

    stream.scheduled = true
    this.length++

    if (last === undefined) {
      this.#first[level] = stream
      this.#last[level] = stream
      this.#levels |= 1 << level
    } else if (first) {
      stream.nextScheduled = this.#first[level]
      this.#first[level] = stream
    } else {
      last.nextScheduled = stream
      this.#last[level] = stream
    }
  }

  /** Streams that are over have no turn: one that is rescued would otherwise wait behind them as behind the living. */
  poll (): StreamRecord | undefined {
    let level = this.#levels !== 0 && ++this.#turns % RESCUE_TURNS === 0 ? this.#rescue() : this.#mostUrgent

    while (this.#levels !== 0) {
      const stream = this.#take(level)

      if (!stream.closed) {
        return stream
      }

      if (this.#first[level] === undefined) {
        level = this.#mostUrgent
      }
    }
  }

  /** Lets go of streams that are over, once they are the most: while nothing can be sent they have no turn. */
  tidy (open: number): void {
    if (!isUntidy(this.length, open)) {
      return
    }

    for (let level = 0; level < LEVELS; level++) {
      let stream = this.#first[level]

      this.#first[level] = undefined
      this.#last[level] = undefined
      this.#levels &= ~(1 << level)

      while (stream !== undefined) {
        const next: StreamRecord | undefined = stream.nextScheduled

        stream.nextScheduled = undefined
        stream.scheduled = false
        this.length--

        if (!stream.closed) {
          this.add(stream)
        }

        stream = next
      }
    }
  }

  get #mostUrgent (): number {
    return 31 - Math.clz32(this.#levels & -this.#levels)
  }

  #take (level: number): StreamRecord {
    const stream = this.#first[level] as StreamRecord

    this.#first[level] = stream.nextScheduled

    if (stream.nextScheduled === undefined) {
      this.#last[level] = undefined
      this.#levels &= ~(1 << level)
    }

    stream.nextScheduled = undefined
    stream.scheduled = false
    this.length--

    return stream
  }

  /** The levels below the most urgent in turn, from the least urgent up: one that was always passed over would starve. */
  #rescue (): number {
    const waiting = this.#levels & (this.#levels - 1)
    const next = waiting & ((1 << this.#rescued) - 1)

    this.#rescued = 31 - Math.clz32(next || waiting || this.#levels)

    return this.#rescued
  }
}
