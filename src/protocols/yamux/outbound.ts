/** What we owe the peer, made into frames when the transport can take them: control first, then data in turn. */
import { makeDataFrames, makeEach, makeOwedFrames } from '../../core/outbound.ts'
import { Edge } from '../../core/stream-record.ts'
import { forget } from './closing.ts'
import { oweWaitingCredit } from './credit.ts'
import { writeHeader } from './encoder.ts'
import { Flag, FrameType, HEADER_LENGTH, SESSION_ID } from './frame.ts'
import { schedule } from './state.ts'
import { Owed } from './stream.ts'
import type { YamuxState } from './state.ts'
import type { YamuxStream } from './stream.ts'
import type { Frames } from '../../core/outbound.ts'

export function wantsTransmit (state: YamuxState): boolean {
  return state.goAwayOwed !== undefined || (state.phase !== 'closed' && (
    !state.scheduler.empty || !state.owed.empty || state.pongsOwed.length > 0 || state.pingsOwed.length > 0 || state.resetsOwed.length > 0))
}

/** About `max` bytes of frames. */
export function makeFrames (state: YamuxState, max: number, now: number): Uint8Array[] | undefined {
  if (state.phase === 'closed') {
    makeLastFrames(state)
  } else {
    if (state.creditWaiting.length > 0 && wantsTransmit(state)) {
      // beside other frames it costs next to nothing
      oweWaitingCredit(state, now)
    }

    makeSessionFrames(state, max, now)
    makeOwedFrames(state, FRAMES, max, now)
    makeDataFrames(state, FRAMES, max, now)
  }

  return state.output.byteLength === 0 ? undefined : state.output.take()
}

function makeFrame (state: YamuxState, type: number, flags: number, streamId: number, length: number): void {
  state.framesSent++
  writeHeader(state.output, type, flags, streamId, length)
}

/** Streams that we reset shortly before are told, so that no peer takes the end of the connection for theirs. */
function makeLastFrames (state: YamuxState): void {
  if (state.goAwayOwed !== undefined) {
    makeResets(state, Infinity)
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

  makeResets(state, max)
}

function makeResets (state: YamuxState, max: number): void {
  makeEach(state, state.resetsOwed, max, ({ id, code }) => {
    makeFrame(state, FrameType.windowUpdate, Flag.rst, id as number, code)
  })
}

function makeOwed (state: YamuxState, stream: YamuxStream, owed: number, now: number): void {
  if (stream.closed) {
    // reset since: nothing goes behind that, and nothing at all for a stream that was never announced
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

/** Our last word on the stream, once all data has gone before it. */
function makeFin (state: YamuxState, stream: YamuxStream, now: number): void {
  if (stream.sendQueue.byteLength > 0 || !stream.apply('fin-sent')) {
    return
  }

  stream.activeAt = now
  // an ACK, and credit for what the peer has not read yet
  state.lateFrames += stream.framesSent + 1
  state.lateCredit += stream.bytesSent
  makeFrame(state, FrameType.windowUpdate, Flag.fin, stream.id, 0)
  state.edges.raise(stream, Edge.ended)

  if (stream.closed) {
    forget(state, stream)
  }
}

const FRAMES: Frames<YamuxState, YamuxStream> = {
  headerLength: HEADER_LENGTH,
  makeOwed,
  makeEnd: makeFin,
  credit: stream => stream.sendWindow.available,

  makeDataHeader (state, stream, length) {
    stream.sendWindow.available -= length
    writeHeader(state.output, FrameType.data, 0, stream.id, length)
  }
}
