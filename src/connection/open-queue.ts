/** Those who want to open a stream while the peer has too many to acknowledge: first come, first served. */
import { checkTimeout } from './checks.ts'
import { toOpenOptions } from './open-options.ts'
import { Waiters } from './waiters.ts'
import type { MuxedStream } from './stream.ts'
import type { OpenOptions } from '../core/engine.ts'
import type { NewStreamOptions } from '../interface/muxer.ts'

export class OpenQueue {
  readonly #open: (options: OpenOptions) => MuxedStream | undefined
  readonly #waiters = new Waiters()
  readonly #queue: Array<() => boolean> = []

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

  /** It may be possible now. */
  notify (): void {
    this.#waiters.notify()
  }

  async #openInTurn (newStream: NewStreamOptions): Promise<MuxedStream> {
    const { signal } = newStream

    signal?.throwIfAborted()

    const options = toOpenOptions(newStream)
    let stream = this.#queue.length === 0 ? this.#open(options) : undefined

    if (stream !== undefined) {
      return stream
    }

    const turn = (): boolean => {
      stream = this.#open(options)

      return stream !== undefined
    }

    this.#queue.push(turn)

    try {
      await this.#waiters.wait(() => this.#queue[0] === turn && turn(), signal)
    } finally {
      this.#queue.splice(this.#queue.indexOf(turn), 1)
      // the next in line may go as well
      this.notify()
    }

    return stream as unknown as MuxedStream
  }
}
