/** What a frame of the peer does: one function for each kind, called when its header is complete. */
import { isExcused } from '../../core/connection-state.ts'
import { keep } from '../../core/overflow.ts'
import { Edge } from '../../core/stream-record.ts'
import { FEW_PIECES } from '../../core/tail.ts'
import { endStall, watch } from '../../core/timeouts.ts'
import { StreamErrorCode } from '../../interface/codes.ts'
import { GoAwayError, StreamResetError } from '../../interface/errors.ts'
import { acknowledge, charge, checkPieces, checkReplies, close, forget, resetLocally, resetProvoked, resetRemotely, violation } from './closing.ts'
import { returnCredit } from './credit.ts'
import { Flag, FrameType, GoAwayCode, HEADER_LENGTH, INITIAL_WINDOW, SESSION_ID, VERSION } from './frame.ts'
import { measureRoundTrip, schedule } from './state.ts'
import { YamuxStream } from './stream.ts'
import type { YamuxState } from './state.ts'

/** Judges the header that the decoder has just read. */
export function receiveHeader (state: YamuxState, now: number): void {
  const { version, type } = state.decoder

  state.framesReceived++

  if (version !== VERSION) {
    violation(state, `frame of version ${version}, only ${VERSION} is known`)
  } else if (type === FrameType.data || type === FrameType.windowUpdate) {
    receiveStreamFrame(state, now)
  } else if (type === FrameType.ping) {
    receivePing(state, now)
  } else if (type === FrameType.goAway) {
    receiveGoAway(state, now)
  } else {
    violation(state, `frame of unknown type ${type}`)
  }
}

function receiveStreamFrame (state: YamuxState, now: number): void {
  const { type, flags, streamId } = state.decoder

  state.receiving = undefined
  state.finAfterBody = false

  const stream = (flags & Flag.syn) !== 0 ? receiveSyn(state, now) : state.table.get(streamId)

  if (state.phase === 'closed') {
    return
  }

  if (stream === undefined) {
    receiveUnknown(state, now)
    return
  }

  if ((flags & Flag.rst) !== 0) {
    receiveReset(state, stream, now)
    return
  }

  const offence = offenceOf(state, stream)

  if (offence !== undefined && !charge(state, offence, now)) {
    return
  }

  // whatever it says, a peer that sends on the stream has accepted it: hashicorp/yamux may never send an ACK
  if (!stream.inbound) {
    acknowledge(state, stream)
  }

  if (type === FrameType.data) {
    receiveData(state, stream, now)
  } else {
    receiveCredit(state, stream, now)
  }
}

/**
 * What a frame is charged to that says nothing new, or next to nothing. Messages of a few bytes are honest; so is what a reader
 * is behind with, but not without end.
 */
function offenceOf ({ decoder: { type, flags, length } }: YamuxState, stream: YamuxStream): 'emptyFrames' | 'tinyFrames' | undefined {
  const ends = (flags & Flag.fin) !== 0

  if ((flags & Flag.syn) !== 0 || (ends && stream.receive === 'open')) {
    return undefined
  }

  if (length === 0 || ends) {
    return (flags & Flag.ack) !== 0 && !stream.inbound && !stream.acknowledged ? undefined : 'emptyFrames'
  }

  return length < HEADER_LENGTH && (type === FrameType.windowUpdate || stream.receiveQueue.pieces > FEW_PIECES) ? 'tinyFrames' : undefined
}

/** A new stream, or `undefined` when it is refused or was a violation. */
function receiveSyn (state: YamuxState, now: number): YamuxStream | undefined {
  const { type, flags, streamId, length } = state.decoder
  const { config, table } = state

  if (streamId === SESSION_ID || table.isLocal(streamId)) {
    violation(state, `SYN for stream ${streamId}, an id that is not the peer's to open: are both ends ${state.role}s?`)
    return
  }

  if (table.get(streamId) !== undefined) {
    violation(state, `SYN for stream ${streamId}, which is open`)
    return
  }

  if (type === FrameType.data ? length > config.stream.initialStreamWindowSize : INITIAL_WINDOW + length > 2 ** 32 - 1) {
    violation(state, `SYN for stream ${streamId} with ${type === FrameType.data ? 'data beyond the initial window' : 'a window over 32 bits'}: ${length}`)
    return
  }

  if (!checkReplies(state)) {
    return
  }

  if (state.refusing || table.inbound >= config.maxInboundStreams) {
    // a peer that has not heard yet that we go away opens in good faith
    if (isExcused(state) || charge(state, 'refusals', now)) {
      state.refusedInbound++
      // what it sends until it knows: into the window, and an end and a reset
      state.lateFrames += 4
      state.lateBytes += INITIAL_WINDOW

      if ((flags & Flag.rst) === 0) {
        state.resetsOwed.push({ id: streamId, inbound: true, code: StreamErrorCode.none })
      }
    }

    return
  }

  const stream = new YamuxStream(streamId, true, config.stream, now)

  table.add(stream)
  watch(state, stream)
  state.edges.raise(stream, Edge.opened)

  return stream
}

/** Frames for streams that are over, or never were, are ignored: rust-yamux ends streams that it never opened. */
function receiveUnknown (state: YamuxState, now: number): void {
  const { bodyLeft } = state.decoder

  if (bodyLeft > 0 && state.lateBytes >= bodyLeft) {
    state.lateBytes -= bodyLeft

    if (bodyLeft < HEADER_LENGTH) {
      // a window that may have been on its way does not excuse frames by the million
      charge(state, 'tinyFrames', now)
    }
  } else if (bodyLeft === 0 && state.lateFrames > 0) {
    state.lateFrames--
  } else {
    charge(state, 'unknownStreams', now)
  }
}

function receiveReset (state: YamuxState, stream: YamuxStream, now: number): void {
  const { type, length } = state.decoder

  // specs PR 622: the length of a window update with RST is an error code, never credit
  const code = type === FrameType.windowUpdate ? length : 0

  state.resetRemotely++

  resetRemotely(state, stream, new StreamResetError(
    `the peer reset the stream${code === 0 ? '' : ` with code ${code}`}`, { origin: 'remote', code }))

  if (stream.inbound) {
    charge(state, 'resets', now)
  }
}

function receiveData (state: YamuxState, stream: YamuxStream, now: number): void {
  const { flags, length, streamId } = state.decoder

  if (!stream.receiveWindow.receive(length, stream.receiveQueue.unread, state.pace)) {
    violation(state, `data frame of ${length} bytes on stream ${stream.id}, which has a window of ${stream.receiveWindow.available}`)
    return
  }

  stream.framesReceived++

  if (length === 0) {
    if ((flags & Flag.fin) !== 0) {
      receiveFin(state, stream)
    }

    return
  }

  if (stream.receive !== 'open') {
    // data after FIN: nobody waits for it, and its window is never given back
    charge(state, 'unknownStreams', now)
    return
  }

  if (stream.readClosed && stream.send === 'ended') {
    // yamux cannot say "stop sending": without an RST the peer's writer would wait for credit for ever. It could not know
    resetLocally(state, stream, StreamErrorCode.none, undefined)
    return
  }

  if (streamId !== state.lastDataId) {
    state.pace.sharedAt = state.lastDataId === SESSION_ID ? -Infinity : now
    state.lastDataId = streamId
  }

  state.receiving = stream
  state.finAfterBody = (flags & Flag.fin) !== 0
}

/** A part of the body of a data frame. */
export function receivePayload (state: YamuxState, payload: Uint8Array, now: number): void {
  const stream = state.receiving

  if (stream === undefined) {
    return
  }

  if (stream.receive === 'open') {
    stream.activeAt = now
    stream.bytesReceived += payload.byteLength
    state.bytesReceived += payload.byteLength
    state.pace.bytesReceived += payload.byteLength

    if (stream.readClosed) {
      // our application still writes, and an RST would cost it that: read and dropped until it has ended
      returnCredit(state, stream, now)
    } else {
      const overflow = keep(state, stream, payload)

      if (overflow !== undefined) {
        resetProvoked(state, overflow.stream, overflow.error, now)
      }

      checkPieces(state, stream)
    }
  }

  if (state.decoder.bodyLeft === 0) {
    state.receiving = undefined
    stream.receiveWindow.received(state.pace)

    if (state.finAfterBody) {
      receiveFin(state, stream)
    }
  }
}

function receiveFin (state: YamuxState, stream: YamuxStream): void {
  if (!stream.apply('fin-received')) {
    // a second FIN says nothing new
    return
  }

  state.edges.raise(stream, Edge.remoteEnded)

  if (stream.closed) {
    forget(state, stream)
  }
}

function receiveCredit (state: YamuxState, stream: YamuxStream, now: number): void {
  const { flags, length } = state.decoder

  state.windowUpdatesReceived++

  if (length > 0 && stream.send === 'ended' && !isLateCredit(state, length) && !charge(state, 'emptyFrames', now)) {
    return
  }

  if (!stream.sendWindow.grant(length)) {
    violation(state, `window update of ${length} on stream ${stream.id}, which had ${stream.sendWindow.available}: over 32 bits`)
    return
  }

  if (length > 0) {
    endStall(state, stream, now)
    schedule(state, stream)
  }

  if ((flags & Flag.fin) !== 0) {
    receiveFin(state, stream)
  }
}

/**
 * Credit for a half that we have ended is of no use to anybody. A peer that has not read all of it yet sends it in good
 * faith: one window update for each frame that it reads, as @libp2p/yamux, by which its window may grow as well; or for
 * as many bytes as it reads, however small its reads are.
 */
function isLateCredit (state: YamuxState, length: number): boolean {
  if (state.lateFrames > 0) {
    state.lateFrames--

    return true
  }

  if (state.lateCredit >= length) {
    state.lateCredit -= length

    return true
  }

  return false
}

function receivePing (state: YamuxState, now: number): void {
  const { flags, length } = state.decoder

  if ((flags & Flag.syn) !== 0) {
    state.pingsReceived++

    if (charge(state, 'pings', now)) {
      state.pongsOwed.push(length)
      checkReplies(state)
    }

    return
  }

  const sentAt = state.pingsPending.get(length)

  if ((flags & Flag.ack) !== 0 && sentAt === undefined && state.latePongs > 0) {
    state.latePongs--
    return
  }

  if ((flags & Flag.ack) === 0 || sentAt === undefined) {
    // repeated or never asked for: of no use, and no reason to end the connection
    charge(state, 'emptyFrames', now)
    return
  }

  state.pingsPending.delete(length)
  state.pingsGivenUp.delete(length)
  state.roundTrip.sample(now - sentAt)
  state.events.push({ type: 'pong', id: length, rtt: now - sentAt })

  if (length === state.keepAlivePing) {
    state.keepAlivePing = undefined
    state.deadlines.clear('pong')
  }

  if (state.windowUpdatesSent > 0) {
    measureRoundTrip(state)
  }
}

function receiveGoAway (state: YamuxState, now: number): void {
  const code = state.decoder.length

  if (code !== GoAwayCode.normalTermination) {
    close(state, undefined, new GoAwayError(`the peer closed the connection with GoAway code ${code}`, code))
    return
  }

  if (state.remoteGoAway !== undefined) {
    // it says nothing new
    charge(state, 'emptyFrames', now)
    return
  }

  state.remoteGoAway = code
  state.events.push({ type: 'go-away', code })

  if (state.table.size === 0) {
    close(state, GoAwayCode.normalTermination, undefined)
  }
}
