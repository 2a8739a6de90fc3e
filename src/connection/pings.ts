/**
 * Pings, each with whoever waits for its answer. No more than some are under way at once, or go out in a second: all who ask
 * meanwhile wait for the next, which is sent as soon as there is room, and share it, as it begins after the call of each.
 */
import { UnsupportedOperationError } from '@libp2p/interface'
import { raceSignal } from 'race-signal'
import { Budget } from '../core/budget.ts'
import type { Clock } from './clock.ts'
import type { StreamHost } from './stream-view.ts'

/** go-yamux has room for 32 that wait for its answer, and drops what comes beyond: half of it, as a keep-alive has its own. */
const MAX_PINGS = 16

/**
 * So many go out at once, and a tenth of it a second from then on: who asks again and again as soon as it has its answer went over
 * the budget that our own muxers have for a peer's pings, ten times as much, in half a second.
 */
const PINGS_AT_ONCE = 1_000
const PING_MILLIS = 10

export class Pings {
  readonly #host: PingHost
  readonly #clock: Clock
  readonly #budget = new Budget(PINGS_AT_ONCE)
  readonly #waiting = new Map<number, PromiseWithResolvers<number>>()
  #next: PromiseWithResolvers<void> | undefined
  #shared: Promise<number> | undefined
  #closedBy: Error | undefined

  constructor (host: PingHost, clock: Clock) {
    this.#host = host
    this.#clock = clock
  }

  /** Resolves with the round trip in milliseconds, rejects as `send()` does. */
  async ask (signal?: AbortSignal): Promise<number> {
    if (this.#shared === undefined && this.#waiting.size < MAX_PINGS && this.#budget.take(this.#host.now())) {
      return this.send(signal)
    }

    this.#shared ??= this.#sendNext()

    return raceSignal(this.#shared, signal)
  }

  /** At once, however many there are. Rejects with the signal's reason, or with what closed the connection. */
  async send (signal?: AbortSignal): Promise<number> {
    if (this.#closedBy !== undefined) {
      throw this.#closedBy
    }

    const id = this.#host.engine.ping(this.#host.now())

    if (id === undefined) {
      throw new UnsupportedOperationError(`${this.#host.protocol} has no ping`)
    }

    const answer = Promise.withResolvers<number>()

    this.#waiting.set(id, answer)
    this.#host.changed()

    try {
      return await raceSignal(answer.promise, signal)
    } catch (err) {
      this.#host.engine.giveUpPing(id)
      throw err
    } finally {
      this.#waiting.delete(id)
      this.#next?.resolve()
    }
  }

  answered (id: number, rtt: number): void {
    this.#waiting.get(id)?.resolve(rtt)
  }

  close (error: Error): void {
    this.#closedBy = error

    for (const answer of this.#waiting.values()) {
      answer.reject(error)
    }

    this.#next?.resolve()
  }

  async #sendNext (): Promise<number> {
    while (this.#closedBy === undefined && (this.#waiting.size >= MAX_PINGS || !this.#budget.take(this.#host.now()))) {
      await this.#room()
    }

    this.#shared = undefined

    return this.send()
  }

  /** Until one of those under way is over, or the next may go if it was the number in a second that was too large. */
  async #room (): Promise<void> {
    const next = this.#next = Promise.withResolvers()
    const cancel = this.#waiting.size < MAX_PINGS ? this.#clock.schedule(next.resolve, PING_MILLIS) : undefined

    await next.promise
    cancel?.()
    this.#next = undefined
  }
}

interface PingHost extends StreamHost {
  readonly protocol: string
}
