/** The ways in which a stream or the connection ends, as far as they are the same in every language. */
import { MuxerClosedError } from '../interface/errors.ts'
import { Edge } from './stream-record.ts'
import { endStall } from './timeouts.ts'
import type { ConnectionState } from './connection-state.ts'
import type { StreamRecord } from './stream-record.ts'

/** Takes a stream that is over out of the table, and tells its holder. */
export function remove<Stream extends StreamRecord> (state: ConnectionState<Stream, any>, stream: Stream): void {
  state.table.delete(stream)

  if (stream.receiveQueue.byteLength > 0) {
    state.kept.linger(stream)

    if ((stream.edges & Edge.opened) !== 0 && state.phase !== 'closed') {
      // nobody has heard of it, nor will
      giveUp(state, stream)
    }
  }

  endStall(state, stream, state.now)
  state.owed.tidy(state.table.size)
  state.scheduler.tidy(state.table.size)
  state.edges.raise(stream, Edge.closed | Edge.ended)
}

/** Our side ends a stream: unread and unsent bytes are gone. `false`: it was over already, but for its unread bytes. */
export function abandon (state: ConnectionState<any, any>, stream: StreamRecord, error: Error | undefined): boolean {
  const { closed } = stream

  // also of one that the peer has ended: its end stands behind bytes that nobody will have
  if (stream.receiveQueue.byteLength > 0) {
    giveUp(state, stream, error)
  }

  if (closed) {
    return false
  }

  stream.apply('reset-sent')
  stream.error = error
  dropUnsent(state, stream)

  return true
}

/** Nobody will read it. */
export function dropUnread (state: ConnectionState<any, any>, stream: StreamRecord): void {
  state.kept.release(stream)
  stream.receiveQueue.clear()
}

/** What is unread of a stream is dropped before its reader has said so: it must not take the rest for the whole. */
export function giveUp (state: ConnectionState<any, any>, stream: StreamRecord, error?: Error): void {
  dropUnread(state, stream)
  stream.receive = 'reset'
  stream.error ??= error
  // an end that was not told yet is none any more
  stream.edges &= ~Edge.remoteEnded
}

/** The peer, or its connection, ended the stream: what was received stays readable. */
export function cutOff (state: ConnectionState<any, any>, stream: StreamRecord, error: Error): void {
  stream.apply('reset-received')
  stream.error = error
  dropUnsent(state, stream)
}

function dropUnsent (state: ConnectionState<any, any>, { sendQueue }: StreamRecord): void {
  state.bytesQueued -= sendQueue.byteLength
  sendQueue.clear()
}

/** The connection is over: `cut` ends each stream that has not ended. */
export function shut<Stream extends StreamRecord> (state: ConnectionState<Stream, any>, error: Error | undefined, cut: (stream: Stream, error: Error) => void): void {
  const streamError = error ?? new MuxerClosedError('the muxer was closed before the peer had ended the stream')

  state.phase = 'closed'

  for (const stream of [...state.table.values()]) {
    cut(stream, streamError)
  }

  state.kept.clear()
  state.deadlines.clear('sweep')
  state.events.push({ type: 'closed', error })
}
