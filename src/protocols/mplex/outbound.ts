/** What we owe the peer, made into messages when the transport can take them: control first, then data in turn. */
import { makeDataFrames, makeEach, makeOwedFrames } from '../../core/outbound.ts'
import { Edge } from '../../core/stream-record.ts'
import { forget } from './closing.ts'
import { writeHeader } from './encoder.ts'
import { Flag, MAX_HEADER_LENGTH, MAX_LENGTH_LENGTH } from './frame.ts'
import { Owed } from './stream.ts'
import type { MplexState } from './state.ts'
import type { MplexStream } from './stream.ts'
import type { Frames } from '../../core/outbound.ts'
import type { StreamId } from '../../core/stream-record.ts'

export function wantsTransmit (state: MplexState): boolean {
  return state.phase === 'closed'
    ? state.lastWord
    : !state.scheduler.empty || !state.owed.empty || state.resetsOwed.length > 0
}

/** About `max` bytes of messages. */
export function makeFrames (state: MplexState, max: number, now: number): Uint8Array[] | undefined {
  if (state.phase !== 'closed') {
    makeResets(state, max)
    makeOwedFrames(state, FRAMES, max, now)
    makeDataFrames(state, FRAMES, max, now)
  } else if (state.lastWord) {
    // streams that we reset shortly before are told, so that no peer takes the end of the connection for theirs
    state.lastWord = false
    makeResets(state, Infinity)
  }

  return state.output.byteLength === 0 ? undefined : state.output.take()
}

function makeResets (state: MplexState, max: number): void {
  makeEach(state, state.resetsOwed, max, ({ id, inbound }) => {
    makeFrame(state, inbound ? Flag.resetReceiver : Flag.resetInitiator, id)
  })
}

function makeFrame (state: MplexState, flag: number, id: StreamId, length = 0): void {
  state.framesSent++
  writeHeader(state.output, flag, id, length)
}

function makeOwed (state: MplexState, stream: MplexStream, owed: number, now: number): void {
  if (stream.closed) {
    // reset since: nothing goes behind that, and nothing at all for a stream that was never announced
    return
  }

  if ((owed & Owed.open) !== 0) {
    makeOpen(state, stream)
  }

  if ((owed & Owed.close) !== 0) {
    makeClose(state, stream, now)
  }
}

/** The name, which is for people who debug, is the id in decimal: as go-mplex has it. */
function makeOpen (state: MplexState, { wireId }: MplexStream): void {
  const name = `${wireId}`

  makeFrame(state, Flag.newStream, wireId, name.length)

  const slab = state.output.reserve(name.length)

  for (let i = 0; i < name.length; i++) {
    slab[state.output.offset + i] = name.charCodeAt(i)
  }
}

/** Our last word on the stream, once all data has gone before it. */
function makeClose (state: MplexState, stream: MplexStream, now: number): void {
  if (stream.sendQueue.byteLength > 0 || !stream.apply('fin-sent')) {
    return
  }

  stream.activeAt = now
  makeFrame(state, stream.inbound ? Flag.closeReceiver : Flag.closeInitiator, stream.wireId)
  state.edges.raise(stream, Edge.ended)

  if (stream.closed) {
    forget(state, stream)
  }
}

const FRAMES: Frames<MplexState, MplexStream> = {
  headerLength: MAX_HEADER_LENGTH + MAX_LENGTH_LENGTH,
  makeOwed,
  makeEnd: makeClose,
  credit: () => Infinity,

  makeDataHeader (state, stream, length) {
    writeHeader(state.output, stream.inbound ? Flag.messageReceiver : Flag.messageInitiator, stream.wireId, length)
  }
}
