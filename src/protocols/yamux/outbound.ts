/** What we owe the peer, made into frames when the transport can take them: control first, then data in turn. */
import { Edge } from '../../core/stream-record.ts'
import { forget } from './closing.ts'
import { writeHeader } from './encoder.ts'
import { Flag, FrameType, HEADER_LENGTH, SESSION_ID } from './frame.ts'
import { schedule, stall } from './state.ts'
import { Owed } from './stream.ts'
import type { YamuxState } from './state.ts'
import type { YamuxStream } from './stream.ts'

export function wantsTransmit (state: YamuxState): boolean {
  return state.goAwayOwed !== undefined || (state.phase !== 'closed' && (
    !state.scheduler.empty || !state.owed.empty || state.pongsOwed.length > 0 || state.pingsOwed.length > 0 || state.refusalsOwed.length > 0))
}

/** About `max` bytes of frames, at most `RUNT_BYTES` more. */
export function makeFrames (state: YamuxState, max: number, now: number): Uint8Array[] | undefined {
  if (state.phase === 'closed') {
    makeLastFrames(state, now)
  } else {
    makeSessionFrames(state, max, now)
    makeOwedFrames(state, max, now)
    makeDataFrames(state, max, now)
  }

  return state.output.byteLength === 0 ? undefined : state.output.take()
}

function makeFrame (state: YamuxState, type: number, flags: number, streamId: number, length: number): void {
  state.framesSent++
  writeHeader(state.output, type, flags, streamId, length)
}

/** Streams that we reset shortly before are told, so that no peer takes the end of the connection for theirs. */
function makeLastFrames (state: YamuxState, now: number): void {
  if (state.goAwayOwed !== undefined) {
    makeOwedFrames(state, Infinity, now)
    makeFrame(state, FrameType.goAway, 0, SESSION_ID, state.goAwayOwed)
    state.goAwayOwed = undefined
  }
}

function makeSessionFrames (state: YamuxState, max: number, now: number): void {
  while (state.pingsOwed.length > 0) {
    const id = state.pingsOwed.shift() as number

    // the clock runs from here: what waited in front of the ping in our own queue is not distance
    state.pingsPending.set(id, now)
    state.pingsSent++
    makeFrame(state, FrameType.ping, Flag.syn, SESSION_ID, id)
  }

  makeEach(state, state.pongsOwed, max, value => {
    makeFrame(state, FrameType.ping, Flag.ack, SESSION_ID, value)
  })

  makeEach(state, state.refusalsOwed, max, id => {
    makeFrame(state, FrameType.windowUpdate, Flag.rst, id, 0)
  })
}

/** Makes a frame of each value, as long as there is room; what is left stays in order. */
function makeEach (state: YamuxState, values: number[], max: number, make: (value: number) => void): void {
  let made = 0

  while (made < values.length && state.output.byteLength < max) {
    make(values[made++])
  }

  values.splice(0, made)
}

function makeOwedFrames (state: YamuxState, max: number, now: number): void {
  while (state.output.byteLength < max) {
    const stream = state.owed.poll() as YamuxStream | undefined

    if (stream === undefined) {
      return
    }

    const { owed } = stream

    stream.owed = 0
    makeOwed(state, stream, owed, now)
  }
}

function makeOwed (state: YamuxState, stream: YamuxStream, owed: number, now: number): void {
  if ((owed & Owed.rst) !== 0) {
    // nothing goes before an RST, and nothing at all for a stream that was never announced
    if ((owed & Owed.syn) === 0) {
      makeFrame(state, FrameType.windowUpdate, Flag.rst, stream.id, stream.resetCode)
    }

    return
  }

  if (stream.closed) {
    // the peer ended it since
    return
  }

  if ((owed & (Owed.syn | Owed.ack)) !== 0) {
    makeFrame(state, FrameType.windowUpdate, (owed & Owed.syn) !== 0 ? Flag.syn : Flag.ack, stream.id, stream.initialDelta)
    schedule(state, stream)
  }

  // the peer may have ended its half since: credit would be of no use to it, and an offence to nim-libp2p
  if ((owed & Owed.credit) !== 0 && stream.receive === 'open') {
    state.windowUpdatesSent++
    makeFrame(state, FrameType.windowUpdate, 0, stream.id, stream.credit)
    stream.credit = 0
  }

  if ((owed & Owed.fin) !== 0) {
    makeFin(state, stream, now)
  }
}

/**
 * A frame is cut to fit its batch, but not so that fewer bytes than this are left for, or of, another: a frame costs a
 * header, and often a write, of its own.
 */
const RUNT_BYTES = 4_096

function makeDataFrames (state: YamuxState, max: number, now: number): void {
  while (state.output.byteLength < max) {
    const stream = state.scheduler.poll() as YamuxStream | undefined

    if (stream === undefined || !makeData(state, stream, Math.max(1, max - HEADER_LENGTH - state.output.byteLength), now)) {
      return
    }
  }
}

/** Returns whether there may be room for more. */
function makeData (state: YamuxState, stream: YamuxStream, room: number, now: number): boolean {
  const { sendQueue, sendWindow, limits } = stream
  const whole = sendQueue.nextLength(Math.min(sendWindow.available, limits.maxMessageSize))
  const length = whole - room < RUNT_BYTES ? whole : room

  if (length === 0) {
    // reset since it was scheduled
    return true
  }

  if (length < whole && length < RUNT_BYTES && state.output.byteLength > 0) {
    state.scheduler.add(stream, true)
    return false
  }

  makeFrame(state, FrameType.data, 0, stream.id, length)
  sendQueue.drainTo(state.output, length)
  sendWindow.available -= length
  stream.activeAt = now
  stream.framesSent++
  stream.bytesSent += length
  state.bytesSent += length

  if (stream.needsDrain && sendQueue.byteLength * 2 <= limits.writeHighWaterMark) {
    stream.needsDrain = false
    state.edges.raise(stream, Edge.writable)
  }

  if (sendQueue.byteLength === 0) {
    state.edges.raise(stream, Edge.flushed)
    makeFin(state, stream, now)
  } else if (sendWindow.available === 0) {
    stall(state, stream, now)
  } else {
    state.scheduler.add(stream, !stream.incremental)
  }

  return true
}

/** Our last word on the stream, once all data has gone before it. */
function makeFin (state: YamuxState, stream: YamuxStream, now: number): void {
  if (stream.sendQueue.byteLength > 0 || !stream.apply('fin-sent')) {
    return
  }

  stream.activeAt = now
  makeFrame(state, FrameType.windowUpdate, Flag.fin, stream.id, 0)
  state.edges.raise(stream, Edge.ended)

  if (stream.closed) {
    forget(state, stream)
  }
}
