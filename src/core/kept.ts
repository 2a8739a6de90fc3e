/**
 * How much of what the peer sent waits on all streams of a connection for the application. Queues do not know of each
 * other, so what goes in and out of those that are open goes through here.
 */
import type { ReceiveQueue } from './receive-queue.ts'

export class Kept {
  bytes = 0
  pieces = 0

  /** What was unread when its stream was cut, and was not read since: whoever had the stream may hold it still. */
  left = 0

  push (queue: ReceiveQueue, piece: Uint8Array): void {
    queue.push(piece)
    this.bytes += piece.byteLength
    this.pieces++
  }

  shift (queue: ReceiveQueue, max: number): Uint8Array | undefined {
    this.release(queue)

    const piece = queue.shift(max)

    this.#add(queue)

    return piece
  }

  settle (queue: ReceiveQueue): void {
    this.release(queue)
    queue.settle()
    this.#add(queue)
  }

  /** What the queue holds counts no more: it is about to be emptied, or its stream is over and belongs to its reader. */
  release (queue: ReceiveQueue): void {
    this.bytes -= queue.byteLength
    this.pieces -= queue.pieces
  }

  #add (queue: ReceiveQueue): void {
    this.bytes += queue.byteLength
    this.pieces += queue.pieces
  }
}
