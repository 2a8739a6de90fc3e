/** The ways in which a stream or the connection ends. */
import { Edge } from '../../core/stream-record.ts'
import { BudgetExceededError, MuxerClosedError, ProtocolError } from '../../interface/errors.ts'
import { GoAwayCode } from './frame.ts'
import { endStall } from './state.ts'
import { Owed } from './stream.ts'
import type { YamuxState } from './state.ts'
import type { YamuxStream } from './stream.ts'
import type { AbuseBudgets } from '../../interface/options.ts'

/** Takes a stream that is over out of the table, and gives back all that it held. */
export function forget (state: YamuxState, stream: YamuxStream): void {
  state.table.delete(stream)

  if (!stream.inbound) {
    acknowledge(state, stream)
  }

  // in good faith the peer may have answered each frame with credit, and gone on sending into the window
  state.lateFrames += stream.framesSent + 4
  state.lateBytes += stream.receive === 'reset' ? stream.receiveWindow.available : 0

  stream.receiveWindow.release(state.growth)
  endStall(state, stream, state.now)
  state.edges.raise(stream, Edge.closed | Edge.ended)

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
  if (abandon(state, stream, code, error)) {
    state.resetLocally++
  }
}

/** Resets a stream that our application never had. */
export function refuse (state: YamuxState, stream: YamuxStream, code: number, error: Error): void {
  if (abandon(state, stream, code, error)) {
    state.refusedInbound++
  }
}

function abandon (state: YamuxState, stream: YamuxStream, code: number, error: Error | undefined): boolean {
  if (stream.closed || state.phase === 'closed') {
    return false
  }

  stream.apply('reset-sent')
  stream.error = error
  stream.resetCode = code
  stream.sendQueue.clear()
  stream.receiveQueue.clear()

  if ((stream.owed & Owed.syn) !== 0) {
    // the peer has not heard of the stream, and need not
    stream.owed = Owed.syn | Owed.rst
  } else {
    state.owed.add(stream, Owed.rst)
  }

  forget(state, stream)

  return true
}

/** The peer, or its connection, ended the stream: what was received stays readable. */
export function resetRemotely (state: YamuxState, stream: YamuxStream, error: Error): void {
  stream.apply('reset-received')
  stream.error = error
  stream.sendQueue.clear()
  forget(state, stream)
}

/** The end of the connection. Streams that have not ended end with the error; `code` is the last thing we say. */
export function close (state: YamuxState, code: number | undefined, error: Error | undefined): void {
  if (state.phase === 'closed') {
    return
  }

  state.phase = 'closed'
  state.goAwayOwed = code

  const streamError = error ?? new MuxerClosedError('the muxer was closed before the peer had ended the stream')

  for (const stream of [...state.table.values()]) {
    resetRemotely(state, stream, streamError)
  }

  state.receiving = undefined
  state.pongsOwed.length = 0
  state.pingsOwed.length = 0
  state.refusalsOwed.length = 0
  state.pingsPending.clear()
  state.deadlines.clear('keep-alive')
  state.deadlines.clear('pong')
  state.deadlines.clear('sweep')
  state.events.push({ type: 'closed', error })
}

/** The peer broke the protocol. */
export function violation (state: YamuxState, message: string): void {
  close(state, GoAwayCode.protocolError, new ProtocolError(message, GoAwayCode.protocolError))
}

/** Charges a budget; over it, the connection ends. Returns whether it is still open. */
export function charge (state: YamuxState, name: keyof AbuseBudgets, now: number): boolean {
  if (state.budgets[name].take(now)) {
    return true
  }

  const { limit } = state.budgets[name]

  close(state, GoAwayCode.protocolError, new BudgetExceededError(
    `the peer went over the budget "${name}" of ${limit} at once and ${limit / 10} a second (option budgets.${name})`,
    name, GoAwayCode.protocolError))

  return false
}
