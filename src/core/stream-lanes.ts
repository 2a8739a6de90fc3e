/**
 * Queues of streams, threaded through the records themselves: O(1), no allocation, and a stream stands in each at most
 * once, so that none is longer than the number of streams.
 */
import type { StreamRecord } from './stream-record.ts'

/** Beside the bits of `Edge`: the stream stands in the queue, also when what it was queued for has been taken back. */
const QUEUED = 128

/** Streams to which something happened, for the shell to look at. */
export class EdgeQueue {
  #first: StreamRecord | undefined
  #last: StreamRecord | undefined

  raise (stream: StreamRecord, edge: number): void {
    if (stream.edges === 0) {
      if (this.#last === undefined) {
        this.#first = stream
      } else {
        this.#last.nextEdge = stream
      }

      this.#last = stream
      stream.edges = QUEUED
    }

    stream.edges |= edge
  }

  /** The next stream; the caller takes `stream.edges` by `takeEdges`. */
  poll (): StreamRecord | undefined {
    const stream = this.#first

    if (stream !== undefined) {
      this.#first = stream.nextEdge
      stream.nextEdge = undefined

      if (this.#first === undefined) {
        this.#last = undefined
      }
    }

    return stream
  }
}

/** What happened since the last call. */
export function takeEdges (stream: StreamRecord): number {
  const edges = stream.edges & ~QUEUED

  stream.edges = 0

  return edges
}

/** So many streams that are over may stand in a lane beside twice as many as are open: to look for them costs the more the more there are. */
const SPARE_STREAMS = 64

/** Whether so many streams that stand in a lane are mostly such as are over, if so many are open. */
export function isUntidy (length: number, open: number): boolean {
  return length > 2 * open + SPARE_STREAMS
}

/** Streams that owe frames beside data: opening, credit and ends. Served before any data. */
export class OwedLane {
  #first: StreamRecord | undefined
  #last: StreamRecord | undefined

  /** Streams that are over, and owe nothing any more, stay until their turn, or until `tidy()`. */
  length = 0

  get empty (): boolean {
    return this.#first === undefined
  }

  add (stream: StreamRecord, frame: number): void {
    if (stream.owed === 0) {
      if (this.#last === undefined) {
        this.#first = stream
      } else {
        this.#last.nextOwed = stream
      }

      this.#last = stream
      this.length++
    }

    stream.owed |= frame
  }

  poll (): StreamRecord | undefined {
    const stream = this.#first

    if (stream !== undefined) {
      this.#first = stream.nextOwed
      stream.nextOwed = undefined
      this.length--

      if (this.#first === undefined) {
        this.#last = undefined
      }
    }

    return stream
  }

  /** Lets go of streams that are over, once they are the most: while the peer does not read nobody else would. */
  tidy (open: number): void {
    if (!isUntidy(this.length, open)) {
      return
    }

    for (let left = this.length; left > 0; left--) {
      const stream = this.poll() as StreamRecord
      const { owed } = stream

      stream.owed = 0

      if (!stream.closed) {
        this.add(stream, owed)
      }
    }
  }
}
