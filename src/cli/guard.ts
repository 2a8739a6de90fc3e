/**
 * @packageDocumentation
 *
 * Ends a stream when the user interrupts or when the other side moves nothing
 * for too long. Aborting the stream is what wakes whoever waits on it, so no
 * other wait of a transfer needs a timeout of its own.
 */

import { InterruptedError, StalledError } from './errors.ts'
import type { Stream } from '@libp2p/interface'

/**
 * How long nothing may move in the middle of a transfer. A phone that changes
 * networks or a disk that flushes is back within half a minute; past a minute
 * nobody believes in the transfer any more, and the slot is better freed
 */
export const IDLE_MILLIS = 60_000

/**
 * How long an opened stream may be silent before its header. The sender writes it
 * at once, so this is a few round trips on the worst of links
 */
export const HEADER_MILLIS = 15_000

/**
 * How long the receiver may take from the last byte to its receipt: within it the
 * system flushes the file, some gigabytes of which may still be in memory, to a
 * disk that may be slow
 */
export const RECEIPT_MILLIS = 300_000

export class StreamGuard {
  /**
   * Why the guard ended the stream, if it did: the errors that its abort then
   * causes elsewhere say only that the stream was aborted
   */
  reason?: Error

  readonly #stream: Stream
  readonly #signal?: AbortSignal
  readonly #waits = new Set<(reason: Error) => void>()

  constructor (stream: Stream, signal?: AbortSignal) {
    this.#stream = stream
    this.#signal = signal
    signal?.addEventListener('abort', this.#onInterrupt)

    if (signal?.aborted === true) {
      this.#onInterrupt()
    }
  }

  /**
   * Wait for something that the peer has to do. Time that we spend ourselves, on a
   * slow disk for example, is not counted against it. `waitingFor` is what the peer
   * failed to do when the time is up, as in "it took no data"
   */
  async waitFor <T> (wait: Promise<T>, waitingFor: string, millis: number): Promise<T> {
    // even an abort that goes unnoticed below must not leave anyone waiting
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    wait.then(resolve, reject)

    if (this.reason != null) {
      reject(this.reason)
    }

    const timer = setTimeout(() => { this.fail(new StalledError(millis, waitingFor)) }, millis)
    this.#waits.add(reject)

    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#waits.delete(reject)
    }
  }

  /**
   * End the stream and every wait on it
   */
  fail (reason: Error): void {
    if (this.reason != null) {
      return
    }

    this.reason = reason
    this.stop()
    this.#stream.abort(reason)

    for (const reject of this.#waits) {
      reject(reason)
    }
  }

  throwIfFailed (): void {
    if (this.reason != null) {
      throw this.reason
    }
  }

  /**
   * The signal lives longer than a transfer, it must not keep each of them
   */
  stop (): void {
    this.#signal?.removeEventListener('abort', this.#onInterrupt)
  }

  readonly #onInterrupt = (): void => {
    const reason: unknown = this.#signal?.reason

    this.fail(reason instanceof Error ? reason : new InterruptedError())
  }
}
