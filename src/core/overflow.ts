/**
 * What the application leaves unread, against what may be. Over its bytes it is a stream that gives way, and not the
 * connection: a peer that stays within its windows has done nothing wrong, and one that has none cannot be told to wait.
 * Pieces are the peer's doing, as it is who makes them so small and so many that they cannot be joined.
 */
import { StreamBufferError } from '../interface/errors.ts'
import { giveUp } from './closing.ts'
import { isUnstarted } from './kept.ts'
import { Edge } from './stream-record.ts'
import type { ConnectionState } from './connection-state.ts'
import type { Kept } from './kept.ts'
import type { StreamRecord } from './stream-record.ts'
import type { BudgetExceededError } from '../interface/errors.ts'

export interface Overflow<Stream> {
  stream: Stream
  error: StreamBufferError
}

/**
 * Beyond so many, of all streams together, pieces do not stay apart: each costs some 200 bytes beside what it holds, and a
 * thousand streams may have sixteen of a few bytes.
 */
const MANY_PIECES = 2_048

/** To look at all that is kept is long, so it is done once this part of what may be kept has come since the last time. */
const PARTS = 8

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

  return relieve(state, BYTES) ?? relieve(state, UNSTARTED)
}

/** What came may have been one piece too many, of its stream or of all. Returns the error that the connection ends with then. */
export function findTooManyPieces<Stream extends StreamRecord> (state: ConnectionState<Stream, any>, stream: Stream): BudgetExceededError | undefined {
  const { kept, budgets } = state

  joinIfMany(state, stream)

  return budgets.checkPieces('streamPieces', stream.receiveQueue.pieces) ??
    (isWithin(state, PIECES) || giveWay(state, PIECES) ? undefined : budgets.checkPieces('unreadPieces', PIECES.total(kept)))
}

/** Keeps what an application has pushed back, in front of the rest or behind it. Returns the stream that has to be reset for it, if one has. */
export function keepAgain<Stream extends StreamRecord> (state: ConnectionState<Stream, any>, stream: Stream, pieces: Uint8Array[], inFront: boolean): Overflow<Stream> | undefined {
  const { kept, budgets: { limits: { streamPieces } } } = state

  kept.pushBack(stream, pieces, inFront)
  joinIfMany(state, stream)
  unpinIfMuch(state)

  const { receiveQueue: { pieces: count } } = stream

  if (count > streamPieces && !stream.closed) {
    return { stream, error: new StreamBufferError(`${count} pieces wait to be read, the limit is ${streamPieces} (option budgets.streamPieces)`) }
  }

  return relieve(state, PIECES) ?? relieve(state, BYTES) ?? relieve(state, UNSTARTED)
}

/** What was read of the stream was to agree on what it is for, and nobody has begun to read it. Returns whether too much waits so now. */
export function beginAgain<Stream extends StreamRecord> (state: ConnectionState<Stream, any>, stream: Stream): boolean {
  state.kept.begin(stream)

  return !isWithin(state, UNSTARTED)
}

/** Returns the stream that has to be reset for what nobody has begun to read, if one has. */
export function relieveUnstarted<Stream extends StreamRecord> (state: ConnectionState<Stream, any>): Overflow<Stream> | undefined {
  return relieve(state, UNSTARTED)
}

/** What is copied pins nothing, so that nobody ends for it. Looked at again only when an eighth more may be pinned, as it takes a look at all that is kept. */
export function unpinIfMuch ({ kept, table, budgets: { limits: { pinnedBytes } } }: ConnectionState<any, any>): void {
  if (kept.pinned <= pinnedBytes) {
    return
  }

  const streams: StreamRecord[] = [...table.values(), ...kept.lingering]

  kept.pinned = streams.reduce((sum, { receiveQueue }) => sum + receiveQueue.pinned, 0)

  if (kept.pinned > pinnedBytes * (1 - 1 / PARTS)) {
    streams.forEach(({ receiveQueue }) => { receiveQueue.unpin() })
    kept.pinned = 0
  }
}

/** Nobody goes over a limit by what can be joined: what was given back by a reader is in pieces as it had them in hand, whoever made them. */
function joinIfMany<Stream extends StreamRecord> ({ kept, table, budgets: { limits } }: ConnectionState<Stream, any>, stream: Stream): void {
  if (kept.pieces > MANY_PIECES) {
    kept.settle(stream, true)
  }

  if (stream.receiveQueue.pieces > limits.streamPieces) {
    kept.join(stream)
  }

  kept.joined = Math.min(kept.joined, kept.pieces)

  // what was left then is a piece or two on each stream, and to look at all of them for each piece that comes would be long
  if (kept.pieces + kept.piecesOver > limits.unreadPieces && kept.pieces - kept.joined > limits.unreadPieces / PARTS) {
    for (const each of [...table.values(), ...kept.lingering]) {
      kept.join(each)
    }

    kept.joined = kept.pieces
  }
}

/**
 * A reader that keeps up must not suffer for one that does not: over the bound it is the stream that holds the most, and
 * among equals the last that came.
 */
function relieve<Stream extends StreamRecord> (state: ConnectionState<Stream, any>, bound: Bound): Overflow<Stream> | undefined {
  if (isWithin(state, bound)) {
    return undefined
  }

  const why = explain(state, bound)

  if (giveWay(state, bound)) {
    return undefined
  }

  const stream = [...state.table.values()].reduce((most, stream) => bound.amount(stream) >= bound.amount(most) ? stream : most)

  return { stream, error: new StreamBufferError(`${why}, and this one holds the most`) }
}

/** Streams that are over give way first, the oldest before all others: whoever had it may have let go of it long ago. Returns whether that is enough. */
function giveWay (state: ConnectionState<any, any>, bound: Bound): boolean {
  const why = explain(state, bound)

  for (const stream of state.kept.lingering) {
    if (bound.amount(stream) > 0) {
      giveUp(state, stream, new StreamBufferError(`${why}, and this one is over and was not read to its end`))
      // once more, as its holder knows of the end only
      state.edges.raise(stream, Edge.closed)

      if (isWithin(state, bound)) {
        return true
      }
    }
  }

  return false
}

function isWithin ({ kept, budgets: { limits } }: ConnectionState<any, any>, { option, total }: Bound): boolean {
  return total(kept) <= limits[option]
}

function explain ({ kept, budgets: { limits } }: ConnectionState<any, any>, { option, what, total }: Bound): string {
  return `${total(kept)} ${what}, the limit is ${limits[option]} (option budgets.${option})`
}
