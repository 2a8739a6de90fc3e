/**
 * How much of what the peer sent waits on all streams of a connection for the application. Queues do not know of each
 * other, so what goes in and out of those that are open goes through here.
 */
import type { StreamRecord } from './stream-record.ts'

/** Agreeing on a protocol takes less: libp2p's node reads as much of every stream before an application has it. */
const STARTED_BYTES = 1_024

export class Kept {
  bytes = 0
  pieces = 0

  /** Of the bytes, those on streams of the peer that the application has not begun to read. */
  unstarted = 0

  /** What was unread when the peer cut its stream, and was not read since: whoever had the stream may hold it still. */
  left = 0

  push (stream: StreamRecord, piece: Uint8Array): void {
    stream.receiveQueue.push(piece)
    this.bytes += piece.byteLength
    this.pieces++

    if (isUnstarted(stream)) {
      this.unstarted += piece.byteLength
    }
  }

  shift (stream: StreamRecord, max: number): Uint8Array | undefined {
    this.release(stream)

    const piece = stream.receiveQueue.shift(max)

    this.#add(stream, 1)

    return piece
  }

  settle (stream: StreamRecord, join = false): void {
    this.release(stream)
    stream.receiveQueue.settle(join)
    this.#add(stream, 1)
  }

  /** What the stream holds counts no more: it is about to be emptied, or the stream is over and belongs to its reader. */
  release (stream: StreamRecord): void {
    this.#add(stream, -1)
  }

  #add (stream: StreamRecord, sign: 1 | -1): void {
    const { byteLength, pieces } = stream.receiveQueue

    this.bytes += sign * byteLength
    this.pieces += sign * pieces

    if (isUnstarted(stream)) {
      this.unstarted += sign * byteLength
    }
  }
}

/** A stream of the peer of which the application has read next to nothing. */
export function isUnstarted ({ inbound, receiveQueue }: StreamRecord): boolean {
  return inbound && receiveQueue.taken < STARTED_BYTES
}
