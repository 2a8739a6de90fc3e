/**
 * How much of what the peer sent waits on all streams of a connection for the application. Queues do not know of each
 * other, so what goes in and out of them goes through here.
 */
import type { StreamRecord } from './stream-record.ts'

/** Agreeing on a protocol mostly takes less: libp2p's node reads as much of every stream before an application has it, and says when. */
const STARTED_BYTES = 1_024

/**
 * A stream that is over and not read to its end counts for so many pieces at least: by default a thousand may be kept, as a
 * thousand requests of ours may all be answered before the first answer is read. Each costs 2.5 kB besides what it holds: 7,000 of
 * them, of 100 bytes each, were 19 MiB.
 */
const LINGERING_PIECES = 64

export class Kept {
  bytes = 0
  pieces = 0

  /** Of the pieces, those that were left when all were last joined. */
  joined = 0

  /** Bytes of buffers that more is kept of than its bytes: no less than they are, as what is read is not taken off. */
  pinned = 0

  /** What streams that are over count for beyond the pieces that they have. */
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

    if (piece?.byteLength === max) {
      // it may be the first part of a piece, the buffer of which stays with the rest
      this.pinned += max
    }

    if (closed && receiveQueue.byteLength === 0) {
      this.#lingering.delete(stream)
    } else {
      this.#add(stream, 1)
    }

    return piece
  }

  /** Whatever was read so far, nobody has begun to read. */
  begin (stream: StreamRecord): void {
    this.#change(stream, () => {
      stream.receiveQueue.taken = 0
    })
  }

  /** An application pushes bytes back, which are unread again. */
  pushBack (stream: StreamRecord, pieces: Uint8Array[], inFront: boolean): void {
    this.#change(stream, () => {
      this.pinned += stream.receiveQueue.putBack(pieces, inFront)
      stream.receiveQueue.taken -= lengthOf(pieces)
    })
  }

  /** A reader gives up, and with it what it had in hand, which is not counted again: unless it may have let go of the stream. */
  giveBack (stream: StreamRecord, pieces: Uint8Array[]): void {
    this.#change(stream, () => {
      this.pinned += stream.receiveQueue.putBack(pieces, true)
      stream.receiveQueue.returned += stream.closed ? 0 : lengthOf(pieces)
    })
  }

  settle (stream: StreamRecord, join = false): void {
    if (!this.#counts(stream)) {
      stream.receiveQueue.settle(join)
      return
    }

    this.#add(stream, -1)
    this.pinned += stream.receiveQueue.settle(join)
    this.#add(stream, 1)
  }

  join (stream: StreamRecord): void {
    this.#change(stream, () => { stream.receiveQueue.join() })
  }

  /** What the stream holds counts no more: it is about to be emptied. */
  release (stream: StreamRecord): void {
    if (this.#counts(stream)) {
      this.#add(stream, -1)
      this.#lingering.delete(stream)
    }
  }

  /** The stream was counted, and is over: if anything of it is unread all that it holds counts from now on, and nothing otherwise. */
  linger (stream: StreamRecord): void {
    const { receiveQueue } = stream

    if (receiveQueue.unread === 0) {
      this.pieces -= receiveQueue.pieces
      return
    }

    this.bytes += receiveQueue.returned
    this.unstarted += isUnstarted(stream) ? receiveQueue.returned : 0
    this.piecesOver += beyond(receiveQueue.pieces)
    receiveQueue.returned = 0
    this.#lingering.add(stream)
  }

  /** The connection is over: nothing more comes, and what is unread belongs to who still holds its stream. */
  clear (): void {
    this.bytes = 0
    this.pieces = 0
    this.pinned = 0
    this.piecesOver = 0
    this.unstarted = 0
    this.#lingering.clear()
  }

  #counts (stream: StreamRecord): boolean {
    return !stream.closed || this.#lingering.has(stream)
  }

  #change (stream: StreamRecord, act: () => void): void {
    const counts = this.#counts(stream)

    if (counts) {
      this.#add(stream, -1)
    }

    act()

    if (counts) {
      this.#add(stream, 1)
    }
  }

  #add (stream: StreamRecord, sign: 1 | -1): void {
    const { unread, pieces } = stream.receiveQueue

    this.bytes += sign * unread
    this.pieces += sign * pieces
    this.piecesOver += stream.closed ? sign * beyond(pieces) : 0

    if (isUnstarted(stream)) {
      this.unstarted += sign * unread
    }
  }
}

function beyond (pieces: number): number {
  return Math.max(0, LINGERING_PIECES - pieces)
}

function lengthOf (pieces: Uint8Array[]): number {
  return pieces.reduce((sum, { byteLength }) => sum + byteLength, 0)
}

/** A stream of the peer of which the application has read next to nothing. */
export function isUnstarted ({ inbound, receiveQueue }: StreamRecord): boolean {
  return inbound && receiveQueue.taken < STARTED_BYTES
}
