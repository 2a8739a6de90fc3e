/** What an engine knows of its connection, whatever the language on the wire: each adds its own to it. */
import { BudgetExceededError } from '../interface/errors.ts'
import { Budget } from './budget.ts'
import { Deadlines } from './deadlines.ts'
import { Output } from './output.ts'
import { RoundTrip } from './round-trip.ts'
import { Scheduler } from './scheduler.ts'
import { EdgeQueue, OwedLane } from './stream-lanes.ts'
import type { EngineEvent, EngineState } from './engine.ts'
import type { Allocate } from './output.ts'
import type { StreamLimits, StreamRecord } from './stream-record.ts'
import type { Streams } from './stream-table.ts'
import type { AbuseBudgets } from '../interface/options.ts'

/** The limits of one connection; `../interface/options.ts` says what each means. */
export interface ConnectionLimits {
  maxInboundStreams: number
  maxOutboundStreams: number
  maxEarlyStreams: number
  acceptBacklog: number
  maxBatchLength: number
  budgets: Required<AbuseBudgets>
  stream: StreamLimits

  /** Memory that need not be zeroed, where the platform has it. */
  allocate?: Allocate
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
  readonly budgets: Record<keyof AbuseBudgets, Budget>
  readonly events: EngineEvent[] = []

  /** Ids of the peer's to which we owe a refusal. */
  readonly refusalsOwed: Array<Stream['id']> = []

  phase: EngineState = 'open'

  /** Streams of the peer are not wanted any more. */
  refusing = false

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
    this.budgets = {
      pings: new Budget(limits.budgets.pings),
      resets: new Budget(limits.budgets.resets),
      refusals: new Budget(limits.budgets.refusals),
      unknownStreams: new Budget(limits.budgets.unknownStreams),
      emptyFrames: new Budget(limits.budgets.emptyFrames)
    }
  }
}

/** Charges a budget. Returns what is wrong when it is exceeded. */
export function overBudget (state: ConnectionState<any, any>, name: keyof AbuseBudgets, code: number, now: number): BudgetExceededError | undefined {
  const budget = state.budgets[name]

  if (budget.take(now)) {
    return undefined
  }

  const { limit } = budget

  return new BudgetExceededError(
    `the peer went over the budget "${name}" of ${limit} at once and ${limit / 10} a second (option budgets.${name})`, name, code)
}

/** Streams that are over and still kept, because the peer does not read and cannot be told: at least as many as this. */
export function untold (state: ConnectionState<any, any>): number {
  return state.refusalsOwed.length + state.owed.length + state.scheduler.length - 2 * state.table.size
}
