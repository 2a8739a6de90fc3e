/** What an engine knows of its connection, whatever the language on the wire: each adds its own to it. */
import { Budgets } from './budgets.ts'
import { Deadlines } from './deadlines.ts'
import { Kept } from './kept.ts'
import { Output } from './output.ts'
import { RoundTrip } from './round-trip.ts'
import { Scheduler } from './scheduler.ts'
import { EdgeQueue, OwedLane } from './stream-lanes.ts'
import type { BudgetLimits } from './budgets.ts'
import type { EngineEvent, EngineState } from './engine.ts'
import type { Allocate } from './output.ts'
import type { StreamId, StreamLimits, StreamRecord } from './stream-record.ts'
import type { Streams } from './stream-table.ts'

/** The limits of one connection; `../interface/options.ts` says what each means. */
export interface ConnectionLimits {
  maxInboundStreams: number
  maxOutboundStreams: number
  maxEarlyStreams: number
  acceptBacklog: number
  maxBatchLength: number
  connectionWriteHighWaterMark: number
  budgets: BudgetLimits
  stream: StreamLimits

  /** Memory that need not be zeroed, where the platform has it. */
  allocate?: Allocate
}

/** A stream that is over, or never was, of which the peer has yet to hear: nothing else is kept of it. */
export interface OwedReset {
  /** As it is on the wire. */
  id: StreamId
  inbound: boolean
  code: number
}

export class ConnectionState<Stream extends StreamRecord, DeadlineName extends string = never> {
  readonly table: Streams<Stream>
  readonly output: Output
  readonly edges = new EdgeQueue()
  readonly owed = new OwedLane()
  readonly scheduler = new Scheduler()

  /** Nothing is ever known of it where the language has no ping. */
  readonly roundTrip = new RoundTrip()
  readonly deadlines = new Deadlines<DeadlineName | 'sweep'>()
  readonly budgets: Budgets

  /** Bytes that wait to be sent on all streams, and how many may before writers are told to wait. */
  bytesQueued = 0
  readonly writeHighWaterMark: number

  /** What waits for the application on all streams. */
  readonly kept = new Kept()
  readonly events: EngineEvent[] = []

  /** Resets and refusals that wait to be sent, in order. */
  readonly resetsOwed: OwedReset[] = []

  phase: EngineState = 'open'

  /** Streams of the peer are not wanted any more, and how many came all the same. */
  refusing = false
  streamsExcused = 0

  /** The time, as it was last told. */
  now = 0

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

  constructor (table: Streams<Stream>, limits: ConnectionLimits) {
    this.table = table
    this.output = new Output(limits.allocate)
    this.budgets = new Budgets(limits.budgets)
    this.writeHighWaterMark = limits.connectionWriteHighWaterMark
  }
}

/** A peer may not know that we go away, or not yet: so many of its streams are refused at nobody's cost. */
const EXCUSED_STREAMS = 100_000

/** A stream of the peer is refused for no fault of its own. */
export function isExcused (state: ConnectionState<any, any>): boolean {
  return state.refusing && ++state.streamsExcused <= EXCUSED_STREAMS
}

/** Other streams have so much to send that this one is to add nothing while it has any. */
export function isCrowded ({ bytesQueued, writeHighWaterMark }: ConnectionState<any, any>, { sendQueue }: StreamRecord): boolean {
  return sendQueue.byteLength > 0 && bytesQueued - sendQueue.byteLength >= writeHighWaterMark
}
