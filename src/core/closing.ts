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
  state.kept.release(stream)
  leave(state, stream, 1)
  endStall(state, stream, state.now)
  state.edges.raise(stream, Edge.closed | Edge.ended)
}

/**
 * What a stream of the peer has left unread that is over counts, or counts no more. What both sides ended in order counts
 * for nobody, nor do streams of ours: they are as many as our application opens.
 */
export function leave ({ kept }: ConnectionState<any, any>, { error, inbound, receiveQueue }: StreamRecord, sign: 1 | -1): void {
  kept.left += error === undefined || !inbound ? 0 : sign * receiveQueue.byteLength
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
    state.kept.release(stream)
  }

  stream.receiveQueue.clear()
}

/** The peer, or its connection, ended the stream: what was received stays readable. */
export function cutOff (stream: StreamRecord, error: Error): void {
  stream.apply('reset-received')
  stream.error = error
  stream.sendQueue.clear()
}

/** A reader that keeps up leaves no more than one delivery behind, some 64 KiB: room for thirty at the same moment. */
const LEFT_BYTES = 2_097_152

/**
 * The peer resets a stream that has unread bytes: whether they may stay. A peer that opens, fills and resets streams
 * would otherwise fill memory, as what is over counts for no other limit.
 */
export function mayLeave ({ kept, budgets }: ConnectionState<any, any>, { inbound, receiveQueue }: StreamRecord): boolean {
  return !inbound || kept.left + receiveQueue.byteLength <= Math.min(budgets.limits.unreadBytes, LEFT_BYTES)
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
