/** Everything that one yamux connection knows: shared by the rooms that act on it, with what all of them need to do. */
import { Budget } from '../../core/budget.ts'
import { Deadlines } from '../../core/deadlines.ts'
import { Output } from '../../core/output.ts'
import { RoundTrip } from '../../core/round-trip.ts'
import { Scheduler } from '../../core/scheduler.ts'
import { EdgeQueue, OwedLane } from '../../core/stream-lanes.ts'
import { StreamTable } from '../../core/stream-table.ts'
import { Decoder } from './decoder.ts'
import { MAX_STREAM_ID } from './frame.ts'
import type { YamuxConfig } from './config.ts'
import type { YamuxStream } from './stream.ts'
import type { EngineEvent, EngineState } from '../../core/engine.ts'
import type { Role } from '../../core/stream-table.ts'
import type { GrowthBudget, Pace } from '../../core/windows.ts'
import type { AbuseBudgets } from '../../interface/options.ts'

export type DeadlineName = 'keep-alive' | 'pong' | 'sweep'

export class YamuxState {
  readonly config: YamuxConfig
  readonly role: Role
  readonly table: StreamTable<YamuxStream>
  readonly decoder = new Decoder()
  readonly output: Output
  readonly edges = new EdgeQueue()
  readonly owed = new OwedLane()
  readonly scheduler = new Scheduler()
  readonly roundTrip = new RoundTrip()

  /** Between what was last made and what came next there was nothing to do. */
  readonly pace: Pace = { roundTrip: this.roundTrip, idleMillis: 0 }
  polledAt = 0

  /** The time, as it was last told. */
  now = 0
  readonly deadlines = new Deadlines<DeadlineName>()
  readonly growth: GrowthBudget
  readonly budgets: Record<keyof AbuseBudgets, Budget>
  readonly events: EngineEvent[] = []

  phase: EngineState = 'open'

  /** Streams of the peer are not wanted any more. */
  refusing = false

  /** Data for this stream is being received; `undefined` while a body is skipped. */
  receiving: YamuxStream | undefined

  /** The frame that is being received ends its stream once its body is here. */
  finAfterBody = false

  /** Streams of ours that the peer has not acknowledged. */
  unacknowledged = 0
  openIsWaiting = false

  /** What a peer may still send, in good faith, for streams that are over. */
  lateFrames = 0
  lateBytes = 0

  readonly pongsOwed: number[] = []
  readonly pingsOwed: number[] = []
  readonly refusalsOwed: number[] = []
  readonly pingsPending = new Map<number, number>()
  nextPingId = 0

  /** Of our last keep-alive ping, and when the peer last gave a sign of life. */
  keepAlivePing: number | undefined
  aliveAt = 0

  goAwayOwed: number | undefined
  remoteGoAway: number | undefined

  bytesSent = 0
  bytesReceived = 0
  framesSent = 0
  framesReceived = 0
  windowUpdatesSent = 0
  windowUpdatesReceived = 0
  pingsSent = 0
  pingsReceived = 0
  refusedInbound = 0
  refusedOutbound = 0
  stalls = 0
  stalledMillis = 0
  resetLocally = 0
  resetRemotely = 0

  constructor (role: Role, config: YamuxConfig) {
    this.role = role
    this.config = config
    this.table = new StreamTable(role, MAX_STREAM_ID)
    this.output = new Output(config.allocate)
    this.growth = { left: config.connectionWindowBudget }
    this.budgets = {
      pings: new Budget(config.budgets.pings),
      resets: new Budget(config.budgets.resets),
      refusals: new Budget(config.budgets.refusals),
      unknownStreams: new Budget(config.budgets.unknownStreams),
      emptyFrames: new Budget(config.budgets.emptyFrames)
    }
  }
}

/** Data of the stream may go out now, as far as the stream is concerned. */
export function schedule (state: YamuxState, stream: YamuxStream): void {
  if (stream.sendQueue.byteLength > 0 && stream.sendWindow.available > 0) {
    state.scheduler.add(stream)
  }
}

/** The stream has bytes to send and no credit. */
export function stall (state: YamuxState, stream: YamuxStream, now: number): void {
  if (stream.stalledAt === undefined) {
    stream.stalledAt = now
    stream.stalls++
    state.stalls++
    watch(state, stream)
  }
}

/** For how many whole milliseconds the stream has been without credit, of those not counted yet. */
export function stalledSince (stream: YamuxStream, now: number): number {
  return stream.stalledAt === undefined ? 0 : Math.max(0, Math.round(now - stream.stalledAt))
}

/** Credit came, or the stream is over. */
export function endStall (state: YamuxState, stream: YamuxStream, now: number): void {
  const millis = stalledSince(stream, now)

  stream.stalledAt = undefined
  stream.stalledMillis += millis
  state.stalledMillis += millis
}

/** A stream's own time limits, as the time at which they have to be looked at again. */
export function watch (state: YamuxState, stream: YamuxStream): void {
  const at = nextLimit(stream)

  if (at !== Infinity) {
    state.deadlines.advance('sweep', at)
  }
}

/** When the stream will have been idle, or stalled, for too long if nothing happens. */
export function nextLimit (stream: YamuxStream): number {
  const stalled = stream.stalledAt === undefined ? Infinity : stream.stalledAt + stream.limits.writeStallTimeout

  return Math.min(stalled, stream.activeAt + stream.limits.inactivityTimeout)
}

/** Pings that were given up are forgotten beyond this many: go-yamux drops what it has no room for. */
const MAX_PENDING_PINGS = 1_024

/** Owes the peer a ping. Returns its id. */
export function requestPing (state: YamuxState): number {
  const id = state.nextPingId

  state.nextPingId = (id + 1) % 2 ** 32
  state.pingsOwed.push(id)

  if (state.pingsPending.size >= MAX_PENDING_PINGS) {
    state.pingsPending.delete(state.pingsPending.keys().next().value as number)
  }

  return id
}
