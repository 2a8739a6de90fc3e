/**
 * How much of what the peer sent waits on all streams of a connection for the application. Queues do not know of each
 * other, so what goes in and out of them goes through here.
 */
import type { StreamRecord } from './stream-record.ts'

/** Agreeing on a protocol takes less: libp2p's node reads as much of every stream before an application has it. */
const STARTED_BYTES = 1_024

export class Kept {
  bytes = 0
  pieces = 0

  /** Of the pieces, those of streams that are over. */
  piecesOver = 0

  /** Of the bytes, those on streams of the peer that the application has not begun to read. */
  unstarted = 0

  /** Streams that are over and not read to their end, the oldest first: they count until they are. */
  readonly #lingering = new Set<StreamRecord>()

  get lingering (): ReadonlySet<StreamRecord> {
    return this.#lingering
  }

  push (stream: StreamRecord, piece: Uint8Array): void {
    stream.receiveQueue.push(piece)
    this.bytes += piece.byteLength
    this.pieces++

    if (isUnstarted(stream)) {
      this.unstarted += piece.byteLength
    }
  }

  shift (stream: StreamRecord, max: number): Uint8Array | undefined {
    const { closed, receiveQueue } = stream

    if (closed && !this.#lingering.has(stream)) {
      return receiveQueue.shift(max)
    }

    this.#add(stream, -1)

    const piece = receiveQueue.shift(max)

    this.#add(stream, 1)

    if (closed && receiveQueue.byteLength === 0) {
      this.#lingering.delete(stream)
    }

    return piece
  }

  /** The stream is not over, or lingers, or its connection is over. */
  putBack (stream: StreamRecord, piece: Uint8Array, inFront: boolean): void {
    if (!this.#counts(stream)) {
      stream.receiveQueue.putBack(piece, inFront)
      return
    }

    this.#add(stream, -1)
    stream.receiveQueue.putBack(piece, inFront)
    this.#add(stream, 1)
  }

  settle (stream: StreamRecord, join = false): void {
    if (!this.#counts(stream)) {
      stream.receiveQueue.settle(join)
      return
    }

    this.#add(stream, -1)
    stream.receiveQueue.settle(join)
    this.#add(stream, 1)
  }

  /** What the stream holds counts no more: it is about to be emptied. */
  release (stream: StreamRecord): void {
    if (this.#counts(stream)) {
      this.#add(stream, -1)
      this.#lingering.delete(stream)
    }
  }

  /** The stream is over. What it holds was counted before it was, or is nothing yet. */
  linger (stream: StreamRecord): void {
    if (!this.#lingering.has(stream)) {
      this.#lingering.add(stream)
      this.piecesOver += stream.receiveQueue.pieces
    }
  }

  /** The connection is over: nothing more comes, and what is unread belongs to who still holds its stream. */
  clear (): void {
    this.bytes = 0
    this.pieces = 0
    this.piecesOver = 0
    this.unstarted = 0
    this.#lingering.clear()
  }

  #counts (stream: StreamRecord): boolean {
    return !stream.closed || this.#lingering.has(stream)
  }

  #add (stream: StreamRecord, sign: 1 | -1): void {
    const { byteLength, pieces } = stream.receiveQueue

    this.bytes += sign * byteLength
    this.pieces += sign * pieces
    this.piecesOver += stream.closed ? sign * pieces : 0

    if (isUnstarted(stream)) {
      this.unstarted += sign * byteLength
    }
  }
}

/** A stream of the peer of which the application has read next to nothing. */
export function isUnstarted ({ inbound, receiveQueue }: StreamRecord): boolean {
  return inbound && receiveQueue.taken < STARTED_BYTES
}
