/**
 * Pings, each with whoever waits for its answer. No more than some are under way at once: all who ask meanwhile wait for the
 * next, which is sent as soon as one of them is over, and share it, as it begins after the call of each.
 */
import { UnsupportedOperationError } from '@libp2p/interface'
import { raceSignal } from 'race-signal'
import type { StreamHost } from './stream-view.ts'

/** go-yamux has room for 32 that wait for its answer, and drops what comes beyond: half of it, as a keep-alive has its own. */
const MAX_PINGS = 16

export class Pings {
  readonly #host: PingHost
  readonly #waiting = new Map<number, PromiseWithResolvers<number>>()
  #next: PromiseWithResolvers<void> | undefined
  #shared: Promise<number> | undefined
  #closedBy: Error | undefined

  constructor (host: PingHost) {
    this.#host = host
  }

  /** Resolves with the round trip in milliseconds, rejects as `send()` does. */
  async ask (signal?: AbortSignal): Promise<number> {
    if (this.#waiting.size < MAX_PINGS) {
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
  }

  async #sendNext (): Promise<number> {
    this.#next = Promise.withResolvers()
    await this.#next.promise
    this.#next = undefined
    this.#shared = undefined

    return this.send()
  }
}

interface PingHost extends StreamHost {
  readonly protocol: string
}
