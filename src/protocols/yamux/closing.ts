/** The ways in which a stream or the connection ends. */
import { cutOff, remove, shut } from '../../core/closing.ts'
import { endings } from '../../core/endings.ts'
import { ProtocolError } from '../../interface/errors.ts'
import { GoAwayCode } from './frame.ts'
import { Owed } from './stream.ts'
import type { YamuxState } from './state.ts'
import type { YamuxStream } from './stream.ts'

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

export const { resetLocally, resetProvoked, refuse, charge, checkReplies, checkPieces } = endings<YamuxStream, YamuxState>({
  announcement: Owed.syn,
  wireId: ({ id }) => id,
  forget,
  replies: ({ pongsOwed, resetsOwed }) => pongsOwed.length + resetsOwed.length,

  expel (state, error) {
    close(state, GoAwayCode.protocolError, error)
  }
})
