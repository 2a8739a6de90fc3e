/** The time limits of streams: idle for too long, or without credit for too long. */
import type { ConnectionState } from './connection-state.ts'
import type { StreamRecord } from './stream-record.ts'

/** Streams are looked at for idleness no more often than a timeout has such parts. */
const SWEEP_PARTS = 32

/** The stream has bytes to send and no credit. */
export function stall (state: ConnectionState<any, any>, stream: StreamRecord, now: number): void {
  if (stream.stalledAt === undefined) {
    stream.stalledAt = now
    stream.stalls++
    state.stalls++
    watch(state, stream)
  }
}

/** For how many whole milliseconds the stream has been without credit, of those not counted yet. */
export function stalledSince (stream: StreamRecord, now: number): number {
  return stream.stalledAt === undefined ? 0 : Math.max(0, Math.round(now - stream.stalledAt))
}

/** Credit came, or the stream is over. */
export function endStall (state: ConnectionState<any, any>, stream: StreamRecord, now: number): void {
  const millis = stalledSince(stream, now)

  stream.stalledAt = undefined
  stream.stalledMillis += millis
  state.stalledMillis += millis
}

/** A stream's own time limits, as the time at which they have to be looked at again. */
export function watch (state: ConnectionState<any, any>, stream: StreamRecord): void {
  const at = nextLimit(stream)

  if (at !== Infinity) {
    state.deadlines.advance('sweep', at)
  }
}

/** When the stream will have been idle, or stalled, for too long if nothing happens. */
function nextLimit (stream: StreamRecord): number {
  const stalled = stream.stalledAt === undefined ? Infinity : stream.stalledAt + stream.limits.writeStallTimeout

  return Math.min(stalled, stream.activeAt + stream.limits.inactivityTimeout)
}

/** Ends streams that were idle, or without credit, for too long. */
export function sweep<Stream extends StreamRecord> (state: ConnectionState<Stream, any>, now: number, expire: (stream: Stream, message: string) => void): void {
  let next = Infinity
  let shortest = Infinity

  for (const stream of [...state.table.values()]) {
    const { inactivityTimeout, writeStallTimeout } = stream.limits

    if (stream.receiveQueue.unread > 0 && stream.sendQueue.byteLength === 0 && stream.send !== 'ending') {
      // it is our reader that takes its time, and not the peer, or its connection, that takes nothing of ours
      stream.activeAt = now
    }

    if (stream.stalledAt !== undefined && now >= stream.stalledAt + writeStallTimeout) {
      expire(stream, `the peer gave no credit for ${writeStallTimeout} ms while bytes wait to be sent (option writeStallTimeout)`)
    } else if (now >= stream.activeAt + inactivityTimeout) {
      expire(stream, `nothing was sent, received or read for ${inactivityTimeout} ms (option inactivityTimeout)`)
    } else {
      next = Math.min(next, nextLimit(stream))
      shortest = Math.min(shortest, inactivityTimeout, writeStallTimeout)
    }
  }

  if (next !== Infinity) {
    state.deadlines.advance('sweep', Math.max(next, now + shortest / SWEEP_PARTS))
  }
}
