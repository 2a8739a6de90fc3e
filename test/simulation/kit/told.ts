/**
 * What an application was told of one stream, and whether it is what happened: of a wake-up that never comes nobody
 * knows but who waits for it.
 */
import { Edge } from '../../../src/core/stream-record.ts'
import type { ConnectionLimits } from '../../../src/core/connection-state.ts'
import type { StreamRecord } from '../../../src/core/stream-record.ts'
import type { ReceiveHalf, SendHalf } from '../../../src/core/stream-state.ts'

/** How a stream stands, as the model has it. */
interface Standing {
  readonly send: SendHalf
  readonly receive: ReceiveHalf
  readonly closed: boolean

  /** Bytes that wait to be sent. */
  readonly queued: number
}

export class Told {
  /** To wait, and not yet that it may write again. */
  waits = false

  /** Bytes that it wants to write, and whether it wants to end then. */
  left = 0
  ends = false

  readonly #record: StreamRecord
  readonly #limits: ConnectionLimits
  readonly #isPolite: boolean

  /** All of it, since it was there. */
  #edges = 0

  /** Bytes were written, and nothing was told since of a queue that is empty; and a turn to write that is due. */
  #unflushed = false
  #due = false

  /** `isPolite`: writes no more once it was told to wait, until it is told that it may. */
  constructor (record: StreamRecord, limits: ConnectionLimits, isPolite: boolean) {
    this.#record = record
    this.#limits = limits
    this.#isPolite = isPolite
  }

  get mayWrite (): boolean {
    return !this.#isPolite || !this.waits
  }

  /** A write returned `more`. With it `queued` bytes wait on this stream, and `others` on all others. */
  wrote (length: number, more: boolean, queued: number, others: number): void {
    const { writeHighWaterMark, maxWriteBufferLength } = this.#limits.stream

    this.waits ||= queued >= Math.max(1, Math.min(writeHighWaterMark, maxWriteBufferLength)) || this.#isCrowded(queued, others)
    this.#unflushed ||= length > 0
    this.#must(more === !this.waits, `is told ${more ? 'to go on' : 'to wait'} after a write, with ${queued} bytes queued and ${others} on other streams`)
  }

  /** A frame of its bytes has gone, which leaves so much. */
  sent (queued: number, others: number): void {
    this.#due ||= this.waits && queued * 2 <= this.#limits.stream.writeHighWaterMark && !this.#isCrowded(queued, others)
  }

  onEdges (edges: number, { queued }: Standing): void {
    this.#edges |= edges

    if ((edges & Edge.writable) !== 0) {
      this.#must(this.#due, 'is told that it may write, though it may not, or was told before')
      this.#due = false
      this.waits = false
    }

    if ((edges & Edge.flushed) !== 0) {
      this.#must(this.#unflushed && queued === 0, `is told that all has gone, with ${queued} bytes queued, or once more`)
      this.#unflushed = false
    }
  }

  /** Of all that happened it was told, and of nothing that did not. `isLast`: there is nothing to be told any more. */
  check ({ send, receive, closed, queued }: Standing, isLast = false): void {
    if (this.#record.edges !== 0 && !isLast) {
      return
    }

    this.#must(this.#was(Edge.closed) || !closed, 'was not told that it is over')
    this.#must(!this.#was(Edge.closed) || closed, 'was told that it is over, and it is not')
    this.#must(this.#was(Edge.ended) || (!closed && send !== 'ended'), 'was not told that our end has gone')
    this.#must(!this.#was(Edge.ended) || closed || send === 'ended', 'was told of an end of ours that has not gone')
    this.#must(receive !== 'ended' || this.#was(Edge.remoteEnded), 'was not told of the end of the peer')
    this.#must(receive !== 'open' || !this.#was(Edge.remoteEnded), 'was told of an end that is none')

    if (send !== 'reset') {
      this.#must(!this.#due, 'was not told that it may write')
      this.#must(!this.#unflushed || queued > 0, 'was not told that all has gone')
    }
  }

  #was (edge: number): boolean {
    return (this.#edges & edge) !== 0
  }

  /** Others have so much to send that this one is to add nothing while it has any. */
  #isCrowded (queued: number, others: number): boolean {
    return queued > 0 && others >= this.#limits.connectionWriteHighWaterMark
  }

  #must (condition: boolean, what: string): void {
    if (!condition) {
      throw new Error(`the writer or reader of stream ${this.#record.name} ${what}`)
    }
  }
}

/** What waits to be sent on all streams but one. */
export function queuedOnOthers (streams: Iterable<{ readonly queued: number }>, one: { readonly queued: number }): number {
  let sum = -one.queued

  for (const { queued } of streams) {
    sum += queued
  }

  return sum
}
