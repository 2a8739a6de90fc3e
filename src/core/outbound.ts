/** What is owed to the peer, in which order and how much at a time; what the frames look like is the language's affair. */
import { isCrowded } from './connection-state.ts'
import { Edge } from './stream-record.ts'
import { stall } from './timeouts.ts'
import type { ConnectionState } from './connection-state.ts'
import type { StreamRecord } from './stream-record.ts'

/** What a language says of its frames. */
export interface Frames<State, Stream> {
  /** The most bytes in front of a payload. */
  readonly headerLength: number

  /** Frames owed beside data: bits of `StreamRecord.owed`. */
  makeOwed(state: State, stream: Stream, owed: number, now: number): void

  /** How many bytes the peer lets the stream send. */
  credit(stream: Stream): number

  /** The header of so many bytes, which follow it. */
  makeDataHeader(state: State, stream: Stream, length: number): void

  /** Our last word on the stream, if it has ended; all data has gone before it. */
  makeEnd(state: State, stream: Stream, now: number): void
}

/** Makes a frame of each value, as long as there is room; what is left stays in order. */
export function makeEach<Value> (state: ConnectionState<any, any>, values: Value[], max: number, make: (value: Value) => void): void {
  let made = 0

  if (values.length === 0) {
    // nearly always, and `splice` is slow also where it has nothing to do
    return
  }

  while (made < values.length && state.output.byteLength < max) {
    make(values[made++])
  }

  values.splice(0, made)
}

export function makeOwedFrames<Stream extends StreamRecord, State extends ConnectionState<Stream, any>> (state: State, frames: Frames<State, Stream>, max: number, now: number): void {
  while (state.output.byteLength < max) {
    const stream = state.owed.poll() as Stream | undefined

    if (stream === undefined) {
      return
    }

    const { owed } = stream

    stream.owed = 0
    frames.makeOwed(state, stream, owed, now)
  }
}

/**
 * A frame is cut to fit its batch, but not so that fewer bytes than this are left of all that its stream has: a frame
 * costs a header, and often a write, of its own. While there is more to send batches are full and not over: under noise
 * the last few bytes of a frame would be a record by themselves, with a cipher and four writes, and over bare TCP full
 * batches carried a twentieth more on one stream.
 */
const RUNT_BYTES = 4_096

/**
 * With less room than this a batch ends: a header would be more than a twentieth of the frame. It ends before a stream
 * is asked for, as one that had its turn and could not use it might wait for the next for ever.
 */
const ROOM_BYTES = 256

/** About `max` bytes, at most `RUNT_BYTES` more. */
export function makeDataFrames<Stream extends StreamRecord, State extends ConnectionState<Stream, any>> (state: State, frames: Frames<State, Stream>, max: number, now: number): void {
  const { output } = state

  while (output.byteLength < max && (output.byteLength === 0 || max - output.byteLength >= ROOM_BYTES)) {
    const stream = state.scheduler.poll() as Stream | undefined

    if (stream === undefined) {
      return
    }

    makeData(state, frames, stream, Math.max(1, max - frames.headerLength - output.byteLength), now)
  }
}

function makeData<Stream extends StreamRecord, State extends ConnectionState<Stream, any>> (state: State, frames: Frames<State, Stream>, stream: Stream, room: number, now: number): void {
  const { sendQueue, limits } = stream
  const whole = sendQueue.nextLength(Math.min(frames.credit(stream), limits.maxMessageSize))
  const length = sendQueue.byteLength - room < RUNT_BYTES ? whole : Math.min(whole, room)

  if (length === 0) {
    // it has nothing, or no credit, any more since it was scheduled
    return
  }

  frames.makeDataHeader(state, stream, length)
  sendQueue.drainTo(state.output, length)
  state.bytesQueued -= length
  stream.activeAt = now
  stream.framesSent++
  stream.bytesSent += length
  state.framesSent++
  state.bytesSent += length

  // at the latest when its queue is empty, whatever became of the others
  if (stream.needsDrain && sendQueue.byteLength * 2 <= limits.writeHighWaterMark && !isCrowded(state, stream)) {
    stream.needsDrain = false
    state.edges.raise(stream, Edge.writable)
  }

  if (sendQueue.byteLength === 0) {
    state.edges.raise(stream, Edge.flushed)
    frames.makeEnd(state, stream, now)
  } else if (frames.credit(stream) === 0) {
    stall(state, stream, now)
  } else {
    state.scheduler.add(stream, !stream.incremental)
  }
}
