/**
 * What one peer may cost us, for all languages on the wire: which budgets there are, what each defaults to, and the
 * error that names budget, limit and option when a peer goes over one.
 */
import { ConnectionErrorCode } from '../interface/codes.ts'
import { BudgetExceededError, InvalidParametersError } from '../interface/errors.ts'
import { Budget } from './budget.ts'
import type { AbuseBudgets } from '../interface/options.ts'

export type BudgetLimits = Required<AbuseBudgets>

/** Used up by what a peer does, and refilled by time: a tenth of the limit a second. */
export type RateName = 'pings' | 'resets' | 'provokedResets' | 'refusals' | 'unknownStreams' | 'emptyFrames' | 'tinyFrames'

const DEFAULTS: BudgetLimits = {
  pings: 10_000,
  replies: 10_000,
  resets: 10_000,
  provokedResets: 10_000,
  refusals: 10_000,
  unknownStreams: 10_000,
  emptyFrames: 10_000,
  tinyFrames: 10_000_000,
  unreadBytes: 134_217_728,
  unreadPieces: 65_536,
  streamPieces: 16_384,
  pinnedBytes: 4_194_304,
  unstartedBytes: 3_145_728
}

/**
 * Fills in the defaults. `least`: what may be granted to a peer must not be over budget when it comes.
 *
 * @throws {InvalidParametersError}
 */
export function resolveBudgets (options: AbuseBudgets = {}, defaults: Partial<BudgetLimits> = {}, least: Partial<BudgetLimits> = {}): BudgetLimits {
  const limits = { ...DEFAULTS, ...defaults }

  for (const name of Object.keys(limits) as Array<keyof AbuseBudgets>) {
    const limit = options[name] ?? limits[name]

    limits[name] = limit

    if (!Number.isInteger(limit) && limit !== Infinity) {
      throw new InvalidParametersError(`budgets.${name} must be a whole number, was ${limit}`)
    }

    if (limit < 1) {
      throw new InvalidParametersError(`budgets.${name} must be at least 1, was ${limit}: with nothing allowed no peer could use the connection`)
    }

    if (limit < (least[name] ?? 0)) {
      throw new InvalidParametersError(`budgets.${name} must be at least ${least[name]}, was ${limit}: the peer is granted that much`)
    }
  }

  return limits
}

export class Budgets {
  readonly limits: BudgetLimits
  readonly #rates: Record<RateName, Budget>

  constructor (limits: BudgetLimits) {
    this.limits = limits
    this.#rates = {
      pings: new Budget(limits.pings),
      resets: new Budget(limits.resets),
      provokedResets: new Budget(limits.provokedResets),
      refusals: new Budget(limits.refusals),
      unknownStreams: new Budget(limits.unknownStreams),
      emptyFrames: new Budget(limits.emptyFrames),
      tinyFrames: new Budget(limits.tinyFrames)
    }
  }

  /** Takes one. Returns the error when there is none left. */
  charge (name: RateName, now: number): BudgetExceededError | undefined {
    return this.#rates[name].take(now) ? undefined : this.#exceeded(name, `${this.limits[name]} at once and ${this.limits[name] / 10} a second`)
  }

  /** Returns the error when so many answers may not wait. */
  checkReplies (waiting: number): BudgetExceededError | undefined {
    const { replies } = this.limits

    return waiting <= replies ? undefined : this.#exceeded('replies', `${replies} answers that wait because the peer does not read`)
  }

  /** Returns the error when so many pieces may not wait to be read. */
  checkPieces (name: 'streamPieces' | 'unreadPieces', waiting: number): BudgetExceededError | undefined {
    const limit = this.limits[name]

    return waiting <= limit ? undefined : this.#exceeded(name, `${limit} pieces that wait to be read on ${name === 'streamPieces' ? 'one stream' : 'all streams'}`)
  }

  #exceeded (name: keyof AbuseBudgets, allowed: string): BudgetExceededError {
    return new BudgetExceededError(`the peer went over the budget "${name}" of ${allowed} (option budgets.${name})`, name, ConnectionErrorCode.protocolError)
  }
}
