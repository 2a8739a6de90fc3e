/**
 * The bytes of one stream that wait for the application, as slices of what the transport delivered. Whoever keeps them
 * for more than the moment calls `settle()`: it copies what would pin a larger buffer, so that memory is bounded by the
 * bytes that were granted, and the number of pieces by the bytes too, however small the frames were.
 */

import { FEW_PIECES, Tail } from './tail.ts'

/**
 * A slice this large, and at least seven eighths of the buffer that it is cut from, is kept as it is: what is kept may
 * cost an eighth more than it counts for, where half of a buffer would cost twice as much.
 */
const KEEP_BYTES = 4_096

/** Of the first room for what is joined. Two thousand streams may each have little: 1 KiB was a MiB of spare room. */
const TAIL_BYTES = 256

/** So many bytes, or more, make a piece that `join()` leaves as it is: 16,384 of them are 512 MiB. */
const JOINED_BYTES = 32_768

export class ReceiveQueue {
  byteLength = 0

  /** Bytes that were taken out since the application began, but for those that it has pushed back. */
  taken = 0

  /** Of those that are queued, the first, which a reader had in hand when it gave up. */
  returned = 0
  #pieces: Uint8Array[] = NONE
  #head = 0

  // pieces before this index have been settled; the last of them may be in the tail
  #settled = 0
  #tail: Tail | undefined

  /** Bytes that nobody has had in hand: what a reader gathers is bounded by what it asked for, also while it waits to try again. */
  get unread (): number {
    return this.byteLength - this.returned
  }

  /** How many pieces are kept. */
  get pieces (): number {
    return this.#pieces.length - this.#head
  }

  push (piece: Uint8Array): void {
    if (this.#pieces === NONE) {
      this.#pieces = [piece]
    } else {
      this.#pieces.push(piece)
    }

    this.byteLength += piece.byteLength
  }

  /** The next bytes, at most `max` of them. */
  shift (max = Infinity): Uint8Array | undefined {
    if (this.byteLength === 0) {
      return undefined
    }

    const piece = this.#pieces[this.#head]
    const isTail = this.#settled === this.#head + 1 && this.#tail?.open === true

    if (isTail) {
      // the application now holds what is in the tail: what follows must not be joined to it
      this.#tail?.close()
    }

    if (piece.byteLength > max) {
      const rest = piece.subarray(max)

      // no sooner than half was read, as whoever reads a large piece byte by byte would have it copied for each
      this.#pieces[this.#head] = isTail || rest.byteLength * 2 < rest.buffer.byteLength ? new Uint8Array(rest) : rest
      this.byteLength -= max
      this.#took(max)

      return piece.subarray(0, max)
    }

    // let go of the piece at once: the list lives on until all of it was read, or settled again
    this.#pieces[this.#head++] = EMPTY
    this.#settled = Math.max(this.#settled, this.#head)
    this.byteLength -= piece.byteLength
    this.#took(piece.byteLength)

    if (this.byteLength === 0) {
      this.clear()
    }

    return piece
  }

  /** Puts pieces that were taken out, or come from elsewhere, in front of the rest or behind it, and settles all. Returns what `settle()` does. */
  putBack (pieces: Uint8Array[], inFront: boolean): number {
    // an empty one would be taken for a message
    const some = pieces.filter(({ byteLength }) => byteLength > 0)
    let pinned = 0

    if (inFront && this.byteLength > 0 && some.length > 0) {
      pinned = this.#putInFront(some)
    } else {
      for (const piece of some) {
        this.push(piece)
      }
    }

    return pinned + this.settle()
  }

  /** Costs what is put back, and not what is queued: a parser may take a message of a few bytes, and put back the rest, each time. */
  #putInFront (pieces: Uint8Array[]): number {
    const few = this.pieces + pieces.length <= FEW_PIECES
    const front = new ReceiveQueue()

    pieces.forEach(piece => { front.push(piece) })

    const pinned = front.settle(!few) + (front.#tail?.end(front.#pieces) ?? 0)

    if (!few) {
      this.#joinTo(front)
    }

    if (this.#settled === this.#head) {
      // what comes next is behind what is put back, and not in the room of what was taken
      this.#tail?.close()
    }

    const { length } = front.#pieces

    if (length > this.#head) {
      // as much room again as there are pieces: made anew for each, a million would take a million times as long
      const room = this.pieces + length
      const rest = this.#pieces.slice(this.#head)

      this.#pieces = new Array<Uint8Array>(room).fill(EMPTY).concat(rest)
      this.#settled += room - this.#head
      this.#head = room
    }

    this.#head -= length
    front.#pieces.forEach((piece, i) => { this.#pieces[this.#head + i] = piece })
    this.byteLength += front.byteLength

    return pinned
  }

  /** What is little goes over to the last of those in front: only to what is no less, so that no byte is copied more than a few times. */
  #joinTo (front: ReceiveQueue): void {
    const index = front.#pieces.length - 1
    let last = front.#pieces[index]
    let next = this.#pieces[this.#head]

    while (last.byteLength < KEEP_BYTES && next?.byteLength <= last.byteLength) {
      front.#pieces[index] = last = concat([last, next], last.byteLength + next.byteLength)
      front.byteLength += next.byteLength
      this.byteLength -= next.byteLength
      this.#pieces[this.#head++] = EMPTY
      this.#settled = Math.max(this.#settled, this.#head)
      next = this.#pieces[this.#head]
    }
  }

  clear (): void {
    this.byteLength = 0
    this.returned = 0
    this.#pieces = NONE
    this.#head = 0
    this.#settled = 0
    this.#tail = undefined
  }

  /** `join`: what is small does not stay apart, however few pieces there are. Returns how many bytes more are pinned at most. */
  settle (join = false): number {
    const pieces = this.#pieces
    const few = this.pieces <= FEW_PIECES

    if (join && few && this.#tail?.open !== true) {
      // once more, as they stayed apart
      this.#settled = this.#head
    }

    if (this.#settled === pieces.length) {
      return 0
    }

    let write = this.#settled
    let pinned = 0
    const isApart = few && !join

    for (let read = this.#settled; read < pieces.length; read++) {
      const piece = pieces[read]
      const isKept = isWorthKeeping(piece)

      if (isApart || isKept) {
        pinned += (this.#tail?.end(pieces, write) ?? 0) + (isKept ? pinnedBy(piece) : 0)
        // not by `slice()`, which copies nothing of the `Buffer` that a socket of Node.js delivers
        pieces[write++] = isKept ? piece : new Uint8Array(piece)
      } else {
        this.#tail ??= new Tail(TAIL_BYTES, KEEP_BYTES)
        write = this.#tail.append(pieces, write, piece, this.byteLength)
      }
    }

    this.#tail?.finish(pieces, write)

    if (this.#head * 2 > write) {
      this.#pieces = pieces.slice(this.#head, write)
      write -= this.#head
      this.#head = 0
    } else {
      pieces.length = write
    }

    this.#settled = write

    return pinned
  }

  /**
   * Bytes that the buffers of what was settled have beyond what is kept of them. Without the spare room for what is small, which
   * is an eighth of what waits.
   */
  get pinned (): number {
    return this.#settledPieces.reduce((sum, piece) => sum + pinnedBy(piece), 0)
  }

  /** Nothing is pinned any more. */
  unpin (): void {
    this.#settledPieces.forEach((piece, i) => {
      if (pinnedBy(piece) > 0) {
        this.#pieces[this.#head + i] = new Uint8Array(piece)
      }
    })
  }

  get #settledPieces (): Uint8Array[] {
    return this.#pieces.slice(this.#head, this.#tail?.open === true ? this.#settled - 1 : this.#settled)
  }

  /** In as few pieces as they need: for when it is their number that counts. What was joined so is not copied once more. */
  join (): void {
    this.settle(true)

    const joined: Uint8Array[] = []
    let group: Uint8Array[] = []
    let length = 0

    for (let i = this.#head; i < this.#pieces.length; i++) {
      const piece = this.#pieces[i]

      group.push(piece)
      length += piece.byteLength

      if (length >= JOINED_BYTES || i === this.#pieces.length - 1) {
        joined.push(concat(group, length))
        group = []
        length = 0
      }
    }

    this.#pieces = joined.length > 0 ? joined : NONE
    this.#head = 0
    this.#settled = joined.length
    this.#tail = undefined
    this.unpin()
  }

  #took (bytes: number): void {
    this.taken += bytes

    if (this.returned > 0) {
      this.returned = Math.max(0, this.returned - bytes)
    }
  }
}

function isWorthKeeping (piece: Uint8Array): boolean {
  return piece.byteLength >= KEEP_BYTES && piece.byteLength * 8 >= piece.buffer.byteLength * 7
}

/** Not asked of small ones, whose own buffers V8 makes only then: one that was half read may pin as much again as it has. */
function pinnedBy ({ byteLength, buffer }: Uint8Array): number {
  return byteLength < KEEP_BYTES ? 0 : buffer.byteLength - byteLength
}

/** Not by a library, which takes small buffers from a pool in Node.js: what is kept would pin it. */
function concat (pieces: Uint8Array[], byteLength: number): Uint8Array {
  if (pieces.length === 1) {
    return pieces[0]
  }

  const all = new Uint8Array(byteLength)
  let offset = 0

  for (const piece of pieces) {
    all.set(piece, offset)
    offset += piece.byteLength
  }

  return all
}

const EMPTY = new Uint8Array(0)

// shared by all empty queues, never pushed to
const NONE: Uint8Array[] = []
