/**
 * What holds of every engine whenever it is not at work, whoever talks to it: the books that it keeps of what streams
 * hold, each against the streams themselves. A book that is wrong by a little shows nothing for long, and then ends a
 * connection that did nothing, or bounds nothing any more.
 */
import { isUnstarted } from '../../src/core/kept.ts'
import type { ConnectionLimits, ConnectionState } from '../../src/core/connection-state.ts'
import type { Engine } from '../../src/core/engine.ts'
import type { YamuxState } from '../../src/protocols/yamux/state.ts'
import type { YamuxStream } from '../../src/protocols/yamux/stream.ts'

/**
 * What is wrong, in words. `pushesBack`: readers give back what they had taken, which is unread beside what was granted for it,
 * and in as many pieces as they had in hand until more comes.
 */
export function brokenInvariant (engine: Engine, pushesBack = false): string | undefined {
  const state = (engine as unknown as { connection: ConnectionState<any, any> & { config: ConnectionLimits } }).connection
  const { kept, table, config, budgets: { limits } } = state

  if (state.phase === 'closed') {
    return table.size > 0 ? `${table.size} streams outlive their connection` : undefined
  }

  const { bytes, pieces, piecesOver, unstarted, pinned, inbound, queued } = totalsOf(state)

  return brokenStream(state) ??
    differs('bytes kept', kept.bytes, bytes) ??
    differs('pieces kept', kept.pieces, pieces) ??
    differs('pieces that streams count for which are over', kept.piecesOver, piecesOver) ??
    differs('bytes of streams not begun', kept.unstarted, unstarted) ??
    differs('bytes queued', state.bytesQueued, queued) ??
    differs('streams of the peer', table.inbound, inbound) ??
    differs('streams of ours', table.outbound, table.size - inbound) ??
    above('bytes kept', bytes, limits.unreadBytes) ??
    (pushesBack ? undefined : above('pieces kept', pieces, limits.unreadPieces)) ??
    (pushesBack ? undefined : above('pieces of one stream', Math.max(0, ...[...table.values()].map(({ receiveQueue }) => receiveQueue.pieces as number)), limits.streamPieces)) ??
    above('bytes of streams not begun', unstarted, limits.unstartedBytes) ??
    // the book has what may be pinned at most, and is only looked at again when that is much
    above('bytes pinned', pinned, Math.min(kept.pinned, limits.pinnedBytes)) ??
    above('streams that owe frames', state.owed.length, 2 * table.size + 64) ??
    above('streams that wait for their turn', state.scheduler.length, 2 * table.size + 64) ??
    // beyond what a peer may make us owe, our application may reset all that is open in one go
    above('resets owed', state.resetsOwed.length, limits.replies + config.maxInboundStreams + config.maxOutboundStreams) ??
    ('growth' in state ? brokenYamux(state as YamuxState, pushesBack) : undefined)
}

/** What the books should say, by the streams. */
function totalsOf ({ kept, table }: ConnectionState<any, any>): Record<'bytes' | 'pieces' | 'piecesOver' | 'unstarted' | 'pinned' | 'inbound' | 'queued', number> {
  let bytes = 0
  let pieces = 0
  let piecesOver = 0
  let unstarted = 0
  let pinned = 0
  let inbound = 0
  let queued = 0

  for (const stream of [...table.values(), ...kept.lingering]) {
    bytes += stream.receiveQueue.unread
    pieces += stream.receiveQueue.pieces
    unstarted += isUnstarted(stream) ? stream.receiveQueue.unread : 0
    pinned += stream.receiveQueue.pinned
  }

  for (const stream of kept.lingering) {
    piecesOver += Math.max(0, 64 - stream.receiveQueue.pieces)
  }

  for (const stream of table.values()) {
    inbound += stream.inbound === true ? 1 : 0
    queued += stream.sendQueue.byteLength
  }

  return { bytes, pieces, piecesOver, unstarted, pinned, inbound, queued }
}

function brokenStream ({ kept, table }: ConnectionState<any, any>): string | undefined {
  for (const stream of kept.lingering) {
    if (!stream.closed || stream.receiveQueue.byteLength === 0) {
      return `stream ${stream.name} is kept for nothing`
    }
  }

  for (const stream of table.values()) {
    if (stream.closed === true) {
      return `stream ${stream.name} is over and still there`
    }

    if (stream.needsDrain === true && stream.sendQueue.byteLength === 0) {
      return `stream ${stream.name} waits for a drain that never comes`
    }
  }
}

function brokenYamux ({ table, growth, unacknowledged, config, pongsOwed }: YamuxState, pushesBack: boolean): string | undefined {
  let grown = 0
  let unheard = 0

  for (const stream of table.values() as Iterable<YamuxStream>) {
    const { receiveWindow: { available, size }, receiveQueue, config } = stream

    grown += Math.max(0, size - config.initialStreamWindowSize)
    unheard += !stream.inbound && !stream.acknowledged ? 1 : 0

    if (available < 0 || stream.sendWindow.available < 0) {
      return `stream ${stream.name} has a window of ${available} to receive and of ${stream.sendWindow.available} to send`
    }

    if (!pushesBack && stream.receive === 'open' && available + receiveQueue.byteLength > size) {
      return `stream ${stream.name} has granted ${available} bytes beside ${receiveQueue.byteLength} unread ones, of ${size}`
    }
  }

  return differs('growth left', growth.left, config.connectionWindowBudget - grown) ??
    differs('streams unacknowledged', unacknowledged, unheard) ??
    above('pongs owed', pongsOwed.length, config.budgets.replies)
}

function differs (what: string, told: number, actual: number): string | undefined {
  return told === actual ? undefined : `${what}: ${told} by the book, ${actual} in fact`
}

function above (what: string, amount: number, limit: number): string | undefined {
  return amount <= limit ? undefined : `${what}: ${amount}, of at most ${limit}`
}
