/** The ways in which a stream or the connection ends, as far as they are the same in every language. */
import { MuxerClosedError } from '../interface/errors.ts'
import { Edge } from './stream-record.ts'
import { endStall } from './timeouts.ts'
import type { ConnectionState } from './connection-state.ts'
import type { StreamRecord } from './stream-record.ts'

/** Takes a stream that is over out of the table, and tells its holder. */
export function remove<Stream extends StreamRecord> (state: ConnectionState<Stream, any>, stream: Stream): void {
  state.table.delete(stream)
  // what is unread now belongs to whoever still holds the stream
  state.kept.release(stream.receiveQueue)
  leave(state, stream, 1)
  endStall(state, stream, state.now)
  state.edges.raise(stream, Edge.closed | Edge.ended)
}

/** What a stream has left unread that is over counts, or counts no more. What both sides ended in order counts for nobody. */
export function leave ({ kept }: ConnectionState<any, any>, { error, receiveQueue }: StreamRecord, sign: 1 | -1): void {
  kept.left += error === undefined ? 0 : sign * receiveQueue.byteLength
}

/** Our side ends a stream: unread and unsent bytes are gone. `false`: it was over already. */
export function abandon (state: ConnectionState<any, any>, stream: StreamRecord, error: Error | undefined): boolean {
  if (stream.closed || state.phase === 'closed') {
    return false
  }

  dropUnread(state, stream)
  stream.apply('reset-sent')
  stream.error = error
  stream.sendQueue.clear()

  return true
}

/** Nobody will read it. */
export function dropUnread (state: ConnectionState<any, any>, stream: StreamRecord): void {
  if (stream.closed) {
    leave(state, stream, -1)
  } else {
    state.kept.release(stream.receiveQueue)
  }

  stream.receiveQueue.clear()
}

/** The peer, or its connection, ended the stream: what was received stays readable. */
export function cutOff (stream: StreamRecord, error: Error): void {
  stream.apply('reset-received')
  stream.error = error
  stream.sendQueue.clear()
}

/**
 * The peer resets a stream that has unread bytes: whether they may stay. A peer that opens, fills and resets streams
 * would otherwise fill memory, as what is over counts for no other limit.
 */
export function mayLeave ({ kept, budgets }: ConnectionState<any, any>): boolean {
  return kept.bytes + kept.left <= budgets.limits.unreadBytes
}

/** The connection is over: `cut` ends each stream that has not ended. */
export function shut<Stream extends StreamRecord> (state: ConnectionState<Stream, any>, error: Error | undefined, cut: (stream: Stream, error: Error) => void): void {
  const streamError = error ?? new MuxerClosedError('the muxer was closed before the peer had ended the stream')

  state.phase = 'closed'

  for (const stream of [...state.table.values()]) {
    cut(stream, streamError)
  }

  state.refusalsOwed.length = 0
  state.deadlines.clear('sweep')
  state.events.push({ type: 'closed', error })
}
