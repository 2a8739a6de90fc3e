/**
 * Streams that the peer opens, on their way to the application: told to those who listen for the event, or kept in
 * order for those who call `acceptStream()`. Streams that were reset meanwhile are not kept, unless the peer had ended them
 * before: it knows that all of them arrived, and may have left. Of those that are reset in the delivery that brought them nobody hears.
 */
import { MaxEarlyStreamsError } from '../interface/errors.ts'
import { Waiters } from './waiters.ts'
import type { Stream } from '@libp2p/interface'

export interface AcceptorHandlers<MuxedStream extends Stream> {
  /** Somebody listens for the event. */
  listening(): boolean

  /** The application has the stream: the peer may be told. */
  onAccepted(stream: MuxedStream): void
  announce(stream: MuxedStream): void

  /** So many wait that this one cannot. */
  refuse(stream: MuxedStream, waiting: number): void
  fail(err: Error): void

  /** Whether the connection is closed, and what broke it. */
  closed(): { error: Error | undefined } | undefined
  closedError(): Error

  /** All that the peer had to say on the stream is here, and something of it unread. */
  isWhole(stream: MuxedStream): boolean
}

export class Acceptor<MuxedStream extends Stream> {
  readonly #handlers: AcceptorHandlers<MuxedStream>
  readonly #maxEarlyStreams: number
  readonly #backlog: number
  readonly #waiters = new Waiters()
  #streams: MuxedStream[] = []
  #pulled: boolean
  #refuse: ((stream: MuxedStream) => void) | undefined

  constructor (handlers: AcceptorHandlers<MuxedStream>, maxEarlyStreams: number, backlog: number | undefined) {
    this.#handlers = handlers
    this.#maxEarlyStreams = maxEarlyStreams
    // libp2p's node hears of streams by the event; who pulls there has as many wait as may come too early
    this.#backlog = backlog ?? maxEarlyStreams
    this.#pulled = backlog !== undefined
  }

  add (stream: MuxedStream): void {
    if (this.#streams.length === 0 && this.#handlers.listening()) {
      this.#announce(stream)
      return
    }

    if (this.#refuse !== undefined) {
      // it came in the delivery in which we were told to accept no more
      this.#refuse(stream)
      return
    }

    const most = this.#pulled ? this.#backlog : this.#maxEarlyStreams

    if (this.#streams.length >= most) {
      this.#tidy()
    }

    const waiting = this.#streams.length + 1

    if (waiting <= most) {
      this.#streams.push(stream)
      this.#waiters.notify()
    } else if (this.#pulled) {
      this.#handlers.refuse(stream, waiting)
    } else {
      this.#handlers.fail(new MaxEarlyStreamsError(
        `${waiting} streams came in before anybody listened for them, the limit is ${most} (option maxEarlyStreams)`))
    }
  }

  /** Somebody has begun to listen. One who hears of a single stream leaves the others to the next. */
  announceAll (): void {
    while (this.#handlers.listening()) {
      const stream = this.#next()

      if (stream === undefined) {
        return
      }

      this.#announce(stream)
    }
  }

  async accept (signal?: AbortSignal): Promise<MuxedStream> {
    let stream: MuxedStream | undefined

    this.#pulled = true
    signal?.throwIfAborted()

    const take = (): boolean => {
      stream ??= this.#next()

      if (stream === undefined && this.#handlers.closed() !== undefined) {
        throw this.#handlers.closedError()
      }

      return stream !== undefined
    }

    if (!take()) {
      await this.#waiters.wait(take, signal)
    }

    this.#handlers.onAccepted(stream as unknown as MuxedStream)

    return stream as unknown as MuxedStream
  }

  /** Ends when the connection was closed, throws what broke it. */
  async * acceptAll (): AsyncGenerator<MuxedStream> {
    while (true) {
      try {
        yield await this.accept()
      } catch (err) {
        if (this.#handlers.closed()?.error === undefined) {
          return
        }

        throw err
      }
    }
  }

  /** Those that wait will not be accepted any more, nor will those that are still to be told of. */
  refuseAll (refuse: (stream: MuxedStream) => void): void {
    this.#refuse = refuse

    this.#tidy()

    const streams = this.#streams

    this.#streams = []
    streams.forEach(refuse)
  }

  /** The connection is over. `forGood`: our own application has closed it, and accepts no more; otherwise what is whole may be accepted still. */
  close (forGood: boolean): void {
    if (forGood) {
      this.#streams = []
    }

    this.#waiters.notify()
  }

  #announce (stream: MuxedStream): void {
    this.#handlers.onAccepted(stream)
    this.#handlers.announce(stream)
  }

  #next (): MuxedStream | undefined {
    this.#tidy()

    return this.#streams.shift()
  }

  #tidy (): void {
    this.#streams = this.#streams.filter(stream => stream.status === 'open' || this.#handlers.isWhole(stream))
  }
}
