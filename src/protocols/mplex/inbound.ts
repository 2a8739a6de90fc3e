/** What a message of the peer does: one function for each kind, called when its header is complete. */
import { isExcused } from '../../core/connection-state.ts'
import { keep } from '../../core/overflow.ts'
import { Edge } from '../../core/stream-record.ts'
import { FEW_PIECES } from '../../core/tail.ts'
import { watch } from '../../core/timeouts.ts'
import { StreamErrorCode } from '../../interface/codes.ts'
import { StreamBufferError } from '../../interface/errors.ts'
import { charge, checkPieces, checkReplies, forget, resetLocally, resetProvoked, resetRemotely, violation } from './closing.ts'
import { Flag } from './frame.ts'
import { MplexStream, keyOf } from './stream.ts'
import type { MplexState } from './state.ts'

/** Judges the header that the decoder has just read. */
export function receiveHeader (state: MplexState, now: number): void {
  const { flag, id } = state.decoder

  state.framesReceived++
  state.receiving = undefined

  if (flag === Flag.newStream) {
    receiveOpen(state, now)
    return
  }

  if (flag > Flag.resetInitiator) {
    violation(state, `message with the flag ${flag}, which means nothing`)
    return
  }

  // even flags are said by who opened the stream
  const stream = state.table.get(keyOf(id, flag % 2 === 0))

  if (stream === undefined) {
    receiveUnknown(state, now)
  } else if (flag <= Flag.messageInitiator) {
    receiveData(state, stream, now)
  } else if (flag <= Flag.closeInitiator) {
    receiveClose(state, stream, now)
  } else {
    receiveReset(state, stream, now)
  }
}

/** A new stream. The body is its name, for people who debug, and skipped. */
function receiveOpen (state: MplexState, now: number): void {
  const { config, table, decoder: { id } } = state

  if (table.get(keyOf(id, true)) !== undefined) {
    violation(state, `stream ${id} is opened, and is open already`)
    return
  }

  if (!checkReplies(state)) {
    return
  }

  if (state.refusing || table.inbound >= config.maxInboundStreams) {
    // a peer that has not heard yet that we go away opens in good faith
    if (isExcused(state) || charge(state, 'refusals', now)) {
      state.refusedInbound++
      state.lateFrames += 2
      state.resetsOwed.push({ id, inbound: true, code: StreamErrorCode.none })
    }

    return
  }

  const stream = new MplexStream(id, true, config.stream, now)

  table.add(stream)
  watch(state, stream)
  state.edges.raise(stream, Edge.opened)
}

/**
 * Messages for streams that are over, or never were, are ignored. Nothing tells how much was under way when we reset a
 * stream, so a body is not held against anybody: it costs the peer as much to send as us to skip. A tiny one costs it
 * less, and is charged as on a stream that is open.
 */
function receiveUnknown (state: MplexState, now: number): void {
  const { length } = state.decoder

  if (length > 0) {
    if (length < TINY_BYTES) {
      charge(state, 'tinyFrames', now)
    }
  } else if (state.lateFrames > 0) {
    state.lateFrames--
  } else {
    charge(state, 'unknownStreams', now)
  }
}

/** Most headers have as many bytes. */
const TINY_BYTES = 4

function receiveData (state: MplexState, stream: MplexStream, now: number): void {
  const { length } = state.decoder

  if (length === 0 ? !charge(state, 'emptyFrames', now) : isCharged(length, stream) && !charge(state, 'tinyFrames', now)) {
    return
  }

  if (length > 0 && stream.receive === 'open') {
    stream.framesReceived++

    if (stream.readClosed && stream.send === 'ended') {
      // mplex cannot say "stop sending", and nobody reads what comes. The peer could not know
      resetLocally(state, stream, StreamErrorCode.none, undefined)
    } else {
      state.receiving = stream
    }
  }
}

/** Messages of a few bytes are honest; so is what a reader is behind with, but not without end. */
function isCharged (length: number, { receiveQueue }: MplexStream): boolean {
  return length < TINY_BYTES && receiveQueue.pieces > FEW_PIECES
}

/** A part of the body of a message. */
export function receivePayload (state: MplexState, payload: Uint8Array, now: number): void {
  const stream = state.receiving

  if (stream?.receive !== 'open') {
    return
  }

  const { receiveQueue, limits } = stream
  const { byteLength } = payload

  stream.activeAt = now
  stream.bytesReceived += byteLength
  state.bytesReceived += byteLength

  if (stream.readClosed) {
    // our application still writes, and a reset would cost it that: read and dropped until it has ended
    return
  }

  if (receiveQueue.unread + byteLength > limits.maxReadBufferLength) {
    resetProvoked(state, stream, new StreamBufferError(
      `${receiveQueue.unread + byteLength} bytes wait to be read, the limit is ${limits.maxReadBufferLength} (option maxStreamBufferSize): mplex cannot tell a peer to wait`), now)
    return
  }

  const overflow = keep(state, stream, payload)

  if (overflow !== undefined) {
    resetProvoked(state, overflow.stream, overflow.error, now)
  }

  checkPieces(state, stream)
}

function receiveClose (state: MplexState, stream: MplexStream, now: number): void {
  if (!stream.apply('fin-received')) {
    // a second Close says nothing new
    charge(state, 'emptyFrames', now)
    return
  }

  state.edges.raise(stream, Edge.remoteEnded)

  if (stream.closed) {
    forget(state, stream)
  }
}

function receiveReset (state: MplexState, stream: MplexStream, now: number): void {
  resetRemotely(state, stream)

  if (stream.inbound) {
    charge(state, 'resets', now)
  }
}
