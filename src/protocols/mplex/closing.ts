/** The ways in which a stream or the connection ends. */
import { cutOff, dropUnread, remove, shut } from '../../core/closing.ts'
import { endings } from '../../core/endings.ts'
import { ConnectionErrorCode } from '../../interface/codes.ts'
import { ProtocolError, StreamResetError } from '../../interface/errors.ts'
import { Owed } from './stream.ts'
import type { MplexState } from './state.ts'
import type { MplexStream } from './stream.ts'

export function forget (state: MplexState, stream: MplexStream): void {
  // its Close and its Reset may be under way
  state.lateFrames += 2
  remove(state, stream)
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

export const { resetLocally, resetProvoked, refuse, charge, checkReplies, checkPieces } = endings<MplexStream, MplexState>({
  announcement: Owed.open,
  wireId: ({ wireId }) => wireId,
  forget,
  replies: ({ resetsOwed }) => resetsOwed.length,

  expel (state, error) {
    close(state, false, error)
  }
})
