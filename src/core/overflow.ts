/**
 * What the application leaves unread, against what may be: a peer that stays within its windows has done nothing wrong,
 * and one that has none cannot be told to wait. So it is a stream that goes over a limit, and not the connection.
 */
import { StreamBufferError } from '../interface/errors.ts'
import { isUnstarted } from './kept.ts'
import { Edge } from './stream-record.ts'
import type { ConnectionState } from './connection-state.ts'
import type { StreamRecord } from './stream-record.ts'

export interface Overflow<Stream> {
  stream: Stream
  error: StreamBufferError
}

/**
 * Beyond so many, of all streams together, pieces do not stay apart: each costs some 200 bytes beside what it holds, and a
 * thousand streams may have sixteen of a few bytes.
 */
const MANY_PIECES = 4_096

/** Keeps what came until somebody reads it. Returns the stream that has to be reset for it, if one has. */
export function keep<Stream extends StreamRecord> (state: ConnectionState<Stream, any>, stream: Stream, piece: Uint8Array): Overflow<Stream> | undefined {
  const { kept, budgets: { limits } } = state

  kept.push(stream, piece)
  state.edges.raise(stream, Edge.readable)

  if (kept.pieces > Math.min(MANY_PIECES, limits.unreadPieces)) {
    kept.settle(stream, true)
  }

  if (kept.pieces > limits.unreadPieces) {
    return overflow(state, `${kept.pieces} pieces wait to be read on all streams`, 'unreadPieces', ({ receiveQueue }) => receiveQueue.pieces)
  }

  if (kept.bytes > limits.unreadBytes) {
    return overflow(state, `${kept.bytes} bytes wait to be read on all streams`, 'unreadBytes', ({ receiveQueue }) => receiveQueue.byteLength)
  }

  if (kept.unstarted > limits.unstartedBytes) {
    return overflow(state, `${kept.unstarted} bytes wait on streams that nobody has begun to read`, 'unstartedBytes', stream => isUnstarted(stream) ? stream.receiveQueue.byteLength : 0)
  }
}

/** A reader that keeps up must not suffer for one that does not. Among equals, who came first goes on. */
function overflow<Stream extends StreamRecord> (state: ConnectionState<Stream, any>, what: string, option: 'unreadPieces' | 'unreadBytes' | 'unstartedBytes', amount: (stream: Stream) => number): Overflow<Stream> {
  const stream = [...state.table.values()].reduce((most, stream) => amount(stream) >= amount(most) ? stream : most)

  return {
    stream,
    error: new StreamBufferError(`${what}, the limit is ${state.budgets.limits[option]} (option budgets.${option}), and this one holds the most`)
  }
}
