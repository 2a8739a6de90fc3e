/** How our side ends streams, and what a peer may make of that, for every language that says what is different in it. */
import { StreamErrorCode } from '../interface/codes.ts'
import { abandon } from './closing.ts'
import { isExcused } from './connection-state.ts'
import { findTooManyPieces } from './overflow.ts'
import type { RateName } from './budgets.ts'
import type { ConnectionState } from './connection-state.ts'
import type { StreamId, StreamRecord } from './stream-record.ts'

/** What a language says of its ends. */
export interface Language<State, Stream> {
  /** The bit of `StreamRecord.owed` that stands until the stream was announced: the peer has not heard of it, and need not. */
  readonly announcement: number

  /** The id on the wire. */
  wireId(stream: Stream): StreamId

  /** Gives back all that a stream held that is over. */
  forget(state: State, stream: Stream): void

  /** Answers that wait for a peer that does not read. */
  replies(state: State): number

  /** The peer went too far: the connection ends, with our last word if the language has one. */
  expel(state: State, error: Error): void
}

export interface Endings<State, Stream> {
  /** Our side resets a stream: unread and unsent bytes are gone. No error: our application wanted neither half any more. */
  resetLocally(state: State, stream: Stream, code: number, error: Error | undefined): void

  /** As `resetLocally`, because the peer sent more than may wait. */
  resetProvoked(state: State, stream: Stream, error: Error, now: number): void

  /** Resets a stream that our application never had. */
  refuse(state: State, stream: Stream, code: number, error: Error): void

  /** Charges a budget; over it, the connection ends. Returns whether it is still open. */
  charge(state: State, name: RateName, now: number): boolean

  /** What was made of the peer's frames and cannot be told it, because it does not read. Returns whether it may be so much. */
  checkReplies(state: State): boolean

  /** The peer may have sent more pieces than may wait. */
  checkPieces(state: State, stream: Stream): void
}

export function endings<Stream extends StreamRecord, State extends ConnectionState<Stream, any>> (language: Language<State, Stream>): Endings<State, Stream> {
  function within (state: State, error: Error | undefined): boolean {
    if (error !== undefined) {
      language.expel(state, error)
    }

    return error === undefined
  }

  function oweReset (state: State, stream: Stream, code: number, error: Error | undefined): boolean {
    if (!abandon(state, stream, error)) {
      return false
    }

    if ((stream.owed & language.announcement) === 0) {
      state.resetsOwed.push({ id: language.wireId(stream), inbound: stream.inbound, code })
    }

    language.forget(state, stream)

    return true
  }

  const all: Endings<State, Stream> = {
    resetLocally (state, stream, code, error) {
      if (oweReset(state, stream, code, error)) {
        state.resetLocally++
      }
    },

    resetProvoked (state, stream, error, now) {
      all.resetLocally(state, stream, StreamErrorCode.resourceLimitExceeded, error)

      if (all.checkReplies(state) && stream.inbound) {
        all.charge(state, 'provokedResets', now)
      }
    },

    refuse (state, stream, code, error) {
      if (oweReset(state, stream, code, error)) {
        state.refusedInbound++

        // unless it is we who go away
        if (!isExcused(state) && all.checkReplies(state)) {
          all.charge(state, 'refusals', state.now)
        }
      }
    },

    charge: (state, name, now) => within(state, state.budgets.charge(name, now)),
    checkReplies: state => within(state, state.budgets.checkReplies(language.replies(state))),

    checkPieces (state, stream) {
      within(state, findTooManyPieces(state, stream))
    }
  }

  return all
}
