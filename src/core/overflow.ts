/**
 * What the application leaves unread, against what may be: a peer that stays within its windows has done nothing wrong,
 * and one that has none cannot be told to wait. So it is a stream that goes over a limit, and not the connection.
 */
import { StreamBufferError } from '../interface/errors.ts'
import { giveUp } from './closing.ts'
import { isUnstarted } from './kept.ts'
import { Edge } from './stream-record.ts'
import type { ConnectionState } from './connection-state.ts'
import type { Kept } from './kept.ts'
import type { StreamRecord } from './stream-record.ts'

export interface Overflow<Stream> {
  stream: Stream
  error: StreamBufferError
}

/**
 * Beyond so many, of all streams together, pieces do not stay apart: each costs some 200 bytes beside what it holds, and a
 * thousand streams may have sixteen of a few bytes.
 */
const MANY_PIECES = 2_048

/** What may be unread, and how much of it is that of one stream. */
interface Bound {
  option: 'unreadPieces' | 'unreadBytes' | 'unstartedBytes'
  what: string
  total(kept: Kept): number
  amount(stream: StreamRecord): number
}

const PIECES: Bound = {
  option: 'unreadPieces',
  what: 'pieces wait to be read on all streams',
  total: ({ pieces, piecesOver }) => pieces + piecesOver,
  amount: ({ receiveQueue }) => receiveQueue.pieces
}

const BYTES: Bound = {
  option: 'unreadBytes',
  what: 'bytes wait to be read on all streams',
  total: ({ bytes }) => bytes,
  amount: ({ receiveQueue }) => receiveQueue.unread
}

const UNSTARTED: Bound = {
  option: 'unstartedBytes',
  what: 'bytes wait on streams that nobody has begun to read',
  total: ({ unstarted }) => unstarted,
  amount: stream => isUnstarted(stream) ? stream.receiveQueue.unread : 0
}

/** Keeps what came until somebody reads it. Returns the stream that has to be reset for it, if one has. */
export function keep<Stream extends StreamRecord> (state: ConnectionState<Stream, any>, stream: Stream, piece: Uint8Array): Overflow<Stream> | undefined {
  state.kept.push(stream, piece)
  state.edges.raise(stream, Edge.readable)

  return bound(state, stream)
}

/** Keeps what an application has pushed back, as `keep()` does: in front of the rest, or behind it. */
export function keepAgain<Stream extends StreamRecord> (state: ConnectionState<Stream, any>, stream: Stream, pieces: Uint8Array[], inFront: boolean): Overflow<Stream> | undefined {
  state.kept.pushBack(stream, pieces, inFront)

  return bound(state, stream)
}

/** Something was added to what is unread of the stream. */
function bound<Stream extends StreamRecord> (state: ConnectionState<Stream, any>, stream: Stream): Overflow<Stream> | undefined {
  const { kept, budgets: { limits } } = state

  if (kept.pieces > Math.min(MANY_PIECES, limits.unreadPieces)) {
    kept.settle(stream, true)
  }

  return relieve(state, PIECES) ?? relieve(state, BYTES) ?? relieve(state, UNSTARTED)
}

/**
 * Over the bound, streams that are over give way first, the oldest before all others: whoever had it may have let go of
 * it long ago. A reader that keeps up must not suffer for one that does not: otherwise it is the stream that holds the
 * most, and among equals the last that came.
 */
function relieve<Stream extends StreamRecord> (state: ConnectionState<Stream, any>, { option, what, total, amount }: Bound): Overflow<Stream> | undefined {
  const { kept, table, edges, budgets: { limits } } = state
  const limit = limits[option]

  if (total(kept) <= limit) {
    return undefined
  }

  const why = `${total(kept)} ${what}, the limit is ${limit} (option budgets.${option})`

  for (const stream of kept.lingering) {
    if (amount(stream) > 0) {
      giveUp(state, stream, new StreamBufferError(`${why}, and this one is over and was not read to its end`))
      // once more, as its holder knows of the end only
      edges.raise(stream, Edge.closed)

      if (total(kept) <= limit) {
        return undefined
      }
    }
  }

  const stream = [...table.values()].reduce((most, stream) => amount(stream) >= amount(most) ? stream : most)

  return { stream, error: new StreamBufferError(`${why}, and this one holds the most`) }
}
