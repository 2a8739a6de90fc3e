/** The ways in which a stream or the connection ends. */
import { abandon, cutOff, dropUnread, remove, shut } from '../../core/closing.ts'
import { isExcused } from '../../core/connection-state.ts'
import { findTooManyPieces } from '../../core/overflow.ts'
import { ConnectionErrorCode, StreamErrorCode } from '../../interface/codes.ts'
import { ProtocolError, StreamResetError } from '../../interface/errors.ts'
import { Owed } from './stream.ts'
import type { MplexState } from './state.ts'
import type { MplexStream } from './stream.ts'
import type { RateName } from '../../core/budgets.ts'

export function forget (state: MplexState, stream: MplexStream): void {
  // its Close and its Reset may be under way
  state.lateFrames += 2
  remove(state, stream)
}

/** Our side resets a stream: unread and unsent bytes are gone. No error: our application wanted neither half any more. */
export function resetLocally (state: MplexState, stream: MplexStream, error: Error | undefined): void {
  if (oweReset(state, stream, error)) {
    state.resetLocally++
  }
}

/** As `resetLocally`, because the peer sent more than may wait. */
export function resetProvoked (state: MplexState, stream: MplexStream, error: Error, now: number): void {
  resetLocally(state, stream, error)

  if (checkReplies(state) && stream.inbound) {
    charge(state, 'provokedResets', now)
  }
}

/** Resets a stream that our application never had. */
export function refuse (state: MplexState, stream: MplexStream, error: Error): void {
  if (oweReset(state, stream, error)) {
    state.refusedInbound++

    // unless it is we who go away
    if (!isExcused(state) && checkReplies(state)) {
      charge(state, 'refusals', state.now)
    }
  }
}

function oweReset (state: MplexState, stream: MplexStream, error: Error | undefined): boolean {
  if (!abandon(state, stream, error)) {
    return false
  }

  // one that was not announced the peer has not heard of, and need not
  if ((stream.owed & Owed.open) === 0) {
    state.resetsOwed.push({ id: stream.wireId, inbound: stream.inbound, code: StreamErrorCode.none })
  }

  forget(state, stream)

  return true
}

/**
 * The peer reset the stream. What is unread is dropped, as the specification has it ("all future reads"): a peer that
 * opens, fills and resets streams would otherwise fill memory. What it had ended before is whole, and stays, unless
 * nobody has heard of the stream: the answer of a peer that does not want the rest of the question.
 */
export function resetRemotely (state: MplexState, stream: MplexStream): void {
  if (stream.receive === 'open') {
    dropUnread(state, stream)
  }

  cutOff(state, stream, new StreamResetError('the peer reset the stream', { origin: 'remote' }))
  state.resetRemotely++
  forget(state, stream)
}

/** The connection ended before the stream did: what was received stays readable. */
export function cut (state: MplexState, stream: MplexStream, error: Error): void {
  cutOff(state, stream, error)
  forget(state, stream)
}

/** The end of the connection. Streams that have not ended end with the error. `quiet`: nobody would hear what we say. */
export function close (state: MplexState, quiet: boolean, error: Error | undefined): void {
  if (state.phase === 'closed') {
    return
  }

  shut(state, error, (stream, error) => {
    cut(state, stream, error)
  })
  state.receiving = undefined
  state.lastWord = !quiet && state.resetsOwed.length > 0
}

/** The peer broke the protocol. Mplex has no word for it. */
export function violation (state: MplexState, message: string): void {
  close(state, false, new ProtocolError(message, ConnectionErrorCode.protocolError))
}

/** Charges a budget; over it, the connection ends. Returns whether it is still open. */
export function charge (state: MplexState, name: RateName, now: number): boolean {
  return within(state, state.budgets.charge(name, now))
}

/** What was made of the peer's messages and cannot be told it, because it does not read. Returns whether it may be so much. */
export function checkReplies (state: MplexState): boolean {
  return within(state, state.budgets.checkReplies(state.resetsOwed.length))
}

/** The peer may have sent more pieces than may wait. */
export function checkPieces (state: MplexState, stream: MplexStream): void {
  within(state, findTooManyPieces(state, stream))
}

function within (state: MplexState, error: Error | undefined): boolean {
  if (error !== undefined) {
    close(state, false, error)
  }

  return error === undefined
}
