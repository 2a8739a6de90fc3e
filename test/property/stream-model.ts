/**
 * What two applications did to one stream, and what follows for each of them: as little as says all that an application
 * may rely on. It knows no frames, windows or queues.
 */
import type { StreamRecord } from '../../src/core/stream-record.ts'

export type Side = 0 | 1

export function otherSide (side: Side): Side {
  return side === 0 ? 1 : 0
}

/** A law that both applications may rely on. Looked at millions of times: `expect` would take most of the time. */
export function must (holds: boolean, law: string): void {
  if (!holds) {
    throw new Error(`must hold: ${law}`)
  }
}

/** The bytes of one direction, as far as its two ends know. */
class Direction {
  written = 0
  ended = false
  read = 0

  /** The reader wants no more of it. */
  dropped = false
}

export class StreamModel {
  readonly id: number

  /** By the side that writes. */
  readonly directions: [Direction, Direction] = [new Direction(), new Direction()]

  /** The code that a side reset the stream with, before it was told that it is over. */
  readonly resets: [number | undefined, number | undefined] = [undefined, undefined]

  /** A side has been told that the stream is over. */
  readonly over: [boolean, boolean] = [false, false]

  /** Resets carry codes. */
  readonly codes: boolean

  constructor (id: number, codes = true) {
    this.id = id
    this.codes = codes
  }

  /** The next bytes for a side to write. */
  write (side: Side, byteLength: number): Uint8Array {
    const direction = this.directions[side]
    const bytes = content(this.id * 2 + side, direction.written, byteLength)

    direction.written += byteLength

    return bytes
  }

  /** Bytes arrive as they were written, at the same place, and none that were not. */
  read (side: Side, bytes: Uint8Array): void {
    const writer = otherSide(side)
    const direction = this.directions[writer]
    const expected = content(this.id * 2 + writer, direction.read, bytes.byteLength)

    must(!direction.dropped, 'nothing is read of what was closed for reading')
    must(Buffer.compare(bytes, expected) === 0, 'bytes are read as they were written')
    direction.read += bytes.byteLength
    must(direction.read <= direction.written, 'no more is read than was written')
  }

  /** An end is told once all that was written before it is here. */
  onRemoteEnded (side: Side, record: StreamRecord): void {
    const { ended, dropped, read, written } = this.directions[otherSide(side)]

    must(ended, 'an end that is told was one')
    must(dropped || this.resets[side] !== undefined || read + record.receiveQueue.byteLength === written, 'an end comes after the last byte')
  }

  /** A stream is over once, and for the reason that it is over for. */
  onClosed (side: Side, record: StreamRecord, refused: boolean): void {
    const ours = this.directions[side]
    const theirs = this.directions[otherSide(side)]
    const code = this.resets[otherSide(side)]
    const error: any = record.error

    must(!this.over[side], 'a stream is over once')
    this.over[side] = true

    if (this.resets[side] !== undefined) {
      must(error?.message === RESET, 'a stream that we reset says with what')
    } else if (error === undefined) {
      must(ours.ended && record.send === 'ended', 'a stream is not over before we have ended it')
      must(theirs.ended || theirs.dropped, 'a stream is not over before the peer has ended it, unless we want no more of it')
    } else {
      // who has ended, and reads no more, has no other way to say so
      must(code !== undefined || (ours.dropped && theirs.ended) || refused, 'no stream is reset that nobody reset')
      must(error.name === 'StreamResetError' && error.origin === 'remote' && error.code === (this.codes ? code ?? 0 : undefined), 'a reset says whose it was, and its code')
    }
  }

  /** Everything arrived and was read, and both applications have ended what they had not. */
  finish (refused: boolean, records: Array<StreamRecord | undefined>): void {
    for (const side of [0, 1] as const) {
      const { dropped, read, written } = this.directions[side]
      const reader = otherSide(side)
      const record = records[reader]

      must(this.over[reader] === (record !== undefined), 'a stream is over for whoever knew it')

      if (record === undefined || refused || dropped || this.resets[reader] !== undefined) {
        continue
      }

      if (this.resets[side] === undefined) {
        must(record.receive === 'ended', 'a stream that nobody reset ends in its end')
      }

      must(record.receive !== 'ended' || read === written, 'what has ended is whole')
    }
  }
}

/** What our own resets say. */
export const RESET = 'reset by the test'

const TABLE = 65_521
const table = new Uint8Array(TABLE)

for (let i = 0, value = 1; i < TABLE; i++) {
  value = (value * 1_103_515_245 + 12_345) % 2 ** 31
  table[i] = value >>> 16
}

/** The bytes at a place of a direction: others at any other place, and in any other direction. */
function content (seed: number, offset: number, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength)
  let from = (seed * 7_919 + offset) % TABLE

  for (let at = 0; at < byteLength; from = 0) {
    const part = table.subarray(from, from + byteLength - at)

    bytes.set(part, at)
    at += part.byteLength
  }

  return bytes
}
