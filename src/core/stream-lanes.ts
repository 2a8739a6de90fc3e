/**
 * Queues of streams, threaded through the records themselves: O(1), no allocation, and a stream stands in each at most
 * once, so that none is longer than the number of streams.
 */
import type { StreamRecord } from './stream-record.ts'

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
  const edges = stream.edges

  stream.edges = 0

  return edges
}

/** Streams that owe frames beside data: opening, credit, ends and resets. Served before any data. */
export class OwedLane {
  #first: StreamRecord | undefined
  #last: StreamRecord | undefined

  /** Streams that ended stay until their last frame was made: a peer that does not read makes it long. */
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
}
