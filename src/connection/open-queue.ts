/** Those who want to open a stream while the peer has too many to acknowledge: first come, first served. */
import { checkTimeout } from './checks.ts'
import { toOpenOptions } from './open-options.ts'
import type { MuxedStream } from './stream.ts'
import type { OpenOptions } from '../core/engine.ts'
import type { NewStreamOptions } from '../interface/muxer.ts'

interface Waiting {
  options: OpenOptions
  resolve(stream: MuxedStream): void
  reject(reason: unknown): void
}

export class OpenQueue {
  readonly #open: (options: OpenOptions) => MuxedStream | undefined
  readonly #queue = new Set<Waiting>()

  /** `open` returns nothing while it is not possible, and throws when it never will be. */
  constructor (open: (options: OpenOptions) => MuxedStream | undefined) {
    this.#open = open
  }

  async open (newStream: NewStreamOptions): Promise<MuxedStream> {
    const { readTimeout, writeTimeout } = newStream

    // before there is a stream that nobody would have
    checkTimeout('readTimeout', readTimeout)
    checkTimeout('writeTimeout', writeTimeout)

    const stream = await this.#openInTurn(newStream)

    if (readTimeout !== undefined) {
      stream.readTimeout = readTimeout
    }

    if (writeTimeout !== undefined) {
      stream.writeTimeout = writeTimeout
    }

    return stream
  }

  /** It may be possible now: asked once for each that opens, as thousands may wait. */
  notify (): void {
    for (const waiting of this.#queue) {
      try {
        const stream = this.#open(waiting.options)

        if (stream === undefined) {
          return
        }

        waiting.resolve(stream)
      } catch (err) {
        waiting.reject(err)
      }

      this.#queue.delete(waiting)
    }
  }

  async #openInTurn (newStream: NewStreamOptions): Promise<MuxedStream> {
    const { signal } = newStream

    signal?.throwIfAborted()

    const options = toOpenOptions(newStream)

    return (this.#queue.size === 0 ? this.#open(options) : undefined) ?? await this.#wait(options, signal)
  }

  async #wait (options: OpenOptions, signal?: AbortSignal): Promise<MuxedStream> {
    const { promise, resolve, reject } = Promise.withResolvers<MuxedStream>()
    const waiting = { options, resolve, reject }

    const onAbort = (): void => {
      this.#queue.delete(waiting)
      reject(signal?.reason)
    }

    this.#queue.add(waiting)
    signal?.addEventListener('abort', onAbort)

    try {
      return await promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }
}
