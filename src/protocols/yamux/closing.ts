/** The ways in which a stream or the connection ends. */
import { abandon, cutOff, remove, shut } from '../../core/closing.ts'
import { isExcused } from '../../core/connection-state.ts'
import { findTooManyPieces } from '../../core/overflow.ts'
import { StreamErrorCode } from '../../interface/codes.ts'
import { ProtocolError } from '../../interface/errors.ts'
import { GoAwayCode } from './frame.ts'
import { Owed } from './stream.ts'
import type { YamuxState } from './state.ts'
import type { YamuxStream } from './stream.ts'
import type { RateName } from '../../core/budgets.ts'

/** Gives back all that a stream held that is over. */
export function forget (state: YamuxState, stream: YamuxStream): void {
  remove(state, stream)

  if (!stream.inbound) {
    acknowledge(state, stream)
  }

  // in good faith the peer may have answered each frame with credit, and gone on sending into the window
  state.lateFrames += stream.send === 'ended' ? 4 : stream.framesSent + 4
  state.lateBytes += stream.receive === 'reset' ? stream.receiveWindow.available : 0

  stream.receiveWindow.release(state.growth)

  if (state.remoteGoAway !== undefined && state.table.size === 0) {
    close(state, GoAwayCode.normalTermination, undefined)
  }
}

/** The peer knows the stream of ours, or never will: it no longer counts as unacknowledged. */
export function acknowledge (state: YamuxState, stream: YamuxStream): void {
  if (stream.acknowledged) {
    return
  }

  stream.acknowledged = true
  state.unacknowledged--

  if (state.openIsWaiting) {
    state.openIsWaiting = false
    state.events.push({ type: 'available' })
  }
}

/** Our side resets a stream: unread and unsent bytes are gone. No error: our application wanted neither half any more. */
export function resetLocally (state: YamuxState, stream: YamuxStream, code: number, error: Error | undefined): void {
  if (oweReset(state, stream, code, error)) {
    state.resetLocally++
  }
}

/** As `resetLocally`, because the peer sent more than may wait. */
export function resetProvoked (state: YamuxState, stream: YamuxStream, error: Error, now: number): void {
  resetLocally(state, stream, StreamErrorCode.resourceLimitExceeded, error)

  if (checkReplies(state) && stream.inbound) {
    charge(state, 'provokedResets', now)
  }
}

/** Resets a stream that our application never had. */
export function refuse (state: YamuxState, stream: YamuxStream, code: number, error: Error): void {
  if (oweReset(state, stream, code, error)) {
    state.refusedInbound++

    // unless it is we who go away
    if (!isExcused(state) && checkReplies(state)) {
      charge(state, 'refusals', state.now)
    }
  }
}

function oweReset (state: YamuxState, stream: YamuxStream, code: number, error: Error | undefined): boolean {
  if (!abandon(state, stream, error)) {
    return false
  }

  // one that was not announced the peer has not heard of, and need not
  if ((stream.owed & Owed.syn) === 0) {
    state.resetsOwed.push({ id: stream.id, inbound: stream.inbound, code })
  }

  forget(state, stream)

  return true
}

/** The peer, or its connection, ended the stream: what was received stays readable. */
export function resetRemotely (state: YamuxState, stream: YamuxStream, error: Error): void {
  cutOff(state, stream, error)
  forget(state, stream)
}

/** The end of the connection. Streams that have not ended end with the error; `code` is the last thing we say. */
export function close (state: YamuxState, code: number | undefined, error: Error | undefined): void {
  if (state.phase === 'closed') {
    return
  }

  shut(state, error, (stream, error) => {
    resetRemotely(state, stream, error)
  })
  state.goAwayOwed = code
  state.receiving = undefined
  state.pongsOwed.length = 0
  state.pingsOwed.length = 0
  state.pingsPending.clear()
  state.pingsGivenUp.clear()
  state.creditWaiting.length = 0
  state.deadlines.clear('keep-alive')
  state.deadlines.clear('pong')
  state.deadlines.clear('held')
  state.deadlines.clear('credit')
}

/** The peer broke the protocol. */
export function violation (state: YamuxState, message: string): void {
  close(state, GoAwayCode.protocolError, new ProtocolError(message, GoAwayCode.protocolError))
}

/** Charges a budget; over it, the connection ends. Returns whether it is still open. */
export function charge (state: YamuxState, name: RateName, now: number): boolean {
  return within(state, state.budgets.charge(name, now))
}

/** What was made of the peer's frames and cannot be told it, because it does not read. Returns whether it may be so much. */
export function checkReplies (state: YamuxState): boolean {
  return within(state, state.budgets.checkReplies(state.pongsOwed.length + state.resetsOwed.length))
}

/** The peer may have sent more pieces than may wait. */
export function checkPieces (state: YamuxState, stream: YamuxStream): void {
  within(state, findTooManyPieces(state, stream))
}

function within (state: YamuxState, error: Error | undefined): boolean {
  if (error === undefined) {
    return true
  }

  close(state, GoAwayCode.protocolError, error)

  return false
}
