/**
 * What the adapters share: a libp2p `MessageStream` over something that carries bytes both ways, ends each way by
 * itself, and says when it has had enough. The adapters know the thing itself; this file knows when to read from it.
 *
 * Nothing is read that nobody asked for: bytes without a reader stay where they are, so that the sender feels it.
 */
import { StreamMessageEvent, StreamResetEvent } from '@libp2p/interface'
import { AbstractMessageStream } from '@libp2p/utils'
import { raceSignal } from 'race-signal'
import { MAX_TIMEOUT } from '../core/deadlines.ts'
import { ConnectionClosedError, StreamStateError, TimeoutError } from '../interface/errors.ts'
import type { AdaptedStream, AdapterOptions } from './options.ts'
import type { AbortOptions, EventHandler, Logger, MessageStreamEvents } from '@libp2p/interface'
import type { SendResult } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Uint8ArrayList } from 'uint8arraylist'

export abstract class TransportStream extends AbstractMessageStream implements AdaptedStream {
  readonly #options: AdapterOptions
  readonly #closeTimeout: number
  readonly #onSignal = (): void => {
    this.abort(toError(this.#options.signal?.reason))
  }

  #error: Error | undefined
  #remoteEnded = false
  #allowHalfOpen = true
  #reading = false

  // readers that pull: while there are any, bytes wait for them
  #pullers = 0
  #starving = 0

  #change: PromiseWithResolvers<void> | undefined
  #ending: PromiseWithResolvers<void> | undefined
  #lastActivity = performance.now()
  #timer: any

  constructor (options: AdapterOptions, log: Logger) {
    super({
      log,
      direction: options.direction,
      maxReadBufferLength: options.maxReadBufferLength,
      maxWriteBufferLength: options.maxWriteBufferLength,
      inactivityTimeout: orNever(options.inactivityTimeout ?? 0)
    })
    this.#options = options
    this.#closeTimeout = orNever(options.closeTimeout ?? 30_000)
    this.addEventListener('close', this.#onClose)
  }

  /** The peer's address. */
  get remoteAddr (): Multiaddr | undefined {
    return this.#options.remoteAddress
  }

  /** Our address. */
  get localAddr (): Multiaddr | undefined {
    return this.#options.localAddress
  }

  /** Gives bytes to the transport, all of them. `false`: `drained()` will tell when it takes more. */
  protected abstract write (data: Uint8ArrayList): boolean

  /** Ends our half after what was written. */
  protected abstract endWriting (done: (err?: Error | null) => void): void

  protected abstract startReading (): void

  /** May be called from within `received()`. */
  protected abstract stopReading (): void

  /** Breaks the transport. */
  protected abstract destroy (err: Error): void

  /** Both halves are over. */
  protected abstract release (): void

  /** To be called last by constructors. */
  protected start (allowHalfOpen: boolean): void {
    const { signal } = this.#options

    this.#allowHalfOpen = allowHalfOpen

    if (signal?.aborted === true) {
      this.#onSignal()
      return
    }

    signal?.addEventListener('abort', this.#onSignal)
    this.#watch()
  }

  protected received (data: Uint8Array): void {
    this.#lastActivity = performance.now()
    this.onData(data)
    this.#update()
  }

  /** The peer ended its half. */
  protected receivedEnd (): void {
    if (this.#remoteEnded || this.#isOver()) {
      return
    }

    this.#remoteEnded = true
    this.onRemoteCloseWrite()
    this.#notify()

    if (!this.#allowHalfOpen) {
      // whoever sends meets the error itself
      this.close().catch(() => {})
    }
  }

  protected drained (): void {
    this.#lastActivity = performance.now()

    if (this.writableNeedsDrain && !this.#isOver()) {
      this.safeDispatchEvent('drain')
      this.#notify()
    }
  }

  /** The transport broke. What arrived before can still be read. */
  protected failed (err: Error): void {
    if (this.#isOver()) {
      return
    }

    this.log('the transport broke - %e', err)
    this.#error = err
    this.status = 'reset'
    this.writeStatus = 'closed'
    this.remoteReadStatus = 'closed'
    this.remoteWriteStatus = 'closed'
    this.timeline.close = Date.now()
    this.#dropUnsent()

    if (this.readBuffer.byteLength === 0) {
      this.readStatus = 'closed'
      this.maybeDispatchEnd()
    }

    this.dispatchEvent(new StreamResetEvent(err))
  }

  /** The transport is gone: the end of the peer, ours and everything unsent should have come before that. */
  protected gone (err: Error | null | undefined): void {
    this.failed(err ?? new ConnectionClosedError('The connection was closed before its end', { origin: 'transport' }))
  }

  /**
   * Ends our half: resolves when what was sent, and the end, were taken by the transport. The peer may go on sending;
   * `close` follows when it has ended too. Rejects with the signal's reason, the end still on its way, or with the
   * error that the stream met.
   */
  async close (options?: AbortOptions): Promise<void> {
    if (this.writeStatus === 'writable') {
      this.#ending = Promise.withResolvers()
      // the event of the stream tells of it as well
      this.#ending.promise.catch(() => {})
      this.#end(this.#ending)
      this.#notify()
    }

    await raceSignal(this.#ending?.promise ?? Promise.resolve(), options?.signal)
  }

  /** Breaks the connection at once: unsent and unread bytes are gone. */
  abort (err: Error): void {
    if (!this.#isOver()) {
      this.#error = err
      super.abort(err)
    }
  }

  push (data: Uint8Array | Uint8ArrayList): void {
    super.push(data)
    this.#notify()
  }

  unshift (data: Uint8Array | Uint8ArrayList): void {
    super.unshift(data)
    this.#notify()
  }

  /**
   * Resolves when `send()` may be called again.
   *
   * @throws {StreamStateError} when our half ends before that
   */
  async onDrain (options?: AbortOptions): Promise<void> {
    await this.#until(() => {
      if (this.writeStatus !== 'writable') {
        throw this.#error ?? new StreamStateError(`Cannot write to a stream that is ${this.writeStatus}`)
      }

      return !this.writableNeedsDrain
    }, options?.signal)
  }

  /** Ends after the peer's end; throws if the connection broke before. A pull is a wish to read, also while paused. */
  async * [Symbol.asyncIterator] (): AsyncGenerator<Uint8Array | Uint8ArrayList> {
    this.#pullers++
    this.#update()

    try {
      while (true) {
        if (this.readBuffer.byteLength > 0) {
          const data = this.readBuffer.sublist()

          this.readBuffer.consume(data.byteLength)
          // metrics count what is read by watching this method
          this.dispatchEvent(new StreamMessageEvent(data))
          this.maybeDispatchEnd()
          yield data
        } else if (this.#readIsOver()) {
          return
        } else {
          await this.#arrival()
        }
      }
    } finally {
      this.#pullers--
      this.dispatchReadBuffer()
      this.#update()
    }
  }

  addEventListener<K extends keyof MessageStreamEvents>(type: K, listener: EventHandler<MessageStreamEvents[K]> | null, options?: boolean | AddEventListenerOptions): void
  addEventListener (type: string, listener: EventHandler<Event>, options?: boolean | AddEventListenerOptions): void
  addEventListener (type: any, listener: any, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, listener, options)

    if (type === 'message') {
      this.#update()
    }
  }

  removeEventListener<K extends keyof MessageStreamEvents>(type: K, listener?: EventHandler<MessageStreamEvents[K]> | null, options?: boolean | EventListenerOptions): void
  removeEventListener (type: string, listener?: EventHandler<Event>, options?: boolean | EventListenerOptions): void
  removeEventListener (type: any, listener?: any, options?: boolean | EventListenerOptions): void {
    super.removeEventListener(type, listener, options)

    if (type === 'message') {
      this.#update()
    }
  }

  /** @internal */
  sendData (data: Uint8ArrayList): SendResult {
    this.#lastActivity = performance.now()

    return { sentBytes: data.byteLength, canSendMore: this.write(data) }
  }

  /** @internal */
  sendReset (err: Error): void {
    this.destroy(err)
  }

  /** @internal */
  sendPause (): void {
    this.#update()
  }

  /** @internal */
  sendResume (): void {
    this.#update()
  }

  protected dispatchReadBuffer (): void {
    if (this.#pullers === 0) {
      super.dispatchReadBuffer()
    } else {
      this.#notify()
    }
  }

  readonly #onClose = (): void => {
    clearTimeout(this.#timer)
    this.#options.signal?.removeEventListener('abort', this.#onSignal)

    if (this.#error !== undefined) {
      // not every transport that is destroyed answers those who wait for it to end
      this.#ending?.reject(this.#error)
    }

    this.#notify()
    this.#update()
    this.release()
  }

  #end ({ resolve, reject }: PromiseWithResolvers<void>): void {
    this.status = 'closing'
    this.writeStatus = 'closing'

    if (this.writeBuffer.byteLength > 0) {
      // these bytes are in memory here or there, and this way nothing can come between them and the end
      const unsent = this.writeBuffer.sublist()

      this.writeBuffer.consume(unsent.byteLength)
      this.write(unsent)
      this.safeDispatchEvent('idle')
    }

    // not by a promise: what the transport says next must find our half ended
    this.endWriting(err => {
      if (err != null) {
        this.failed(err)
        reject(this.#error ?? err)
        return
      }

      if (!this.#isOver()) {
        this.#ended()
      }

      resolve()
    })
  }

  #ended (): void {
    this.#lastActivity = performance.now()
    this.writeStatus = 'closed'

    if (this.#remoteEnded) {
      this.onTransportClosed()
    } else {
      this.#update()
      this.#watch()
    }
  }

  #isOver (): boolean {
    return this.status !== 'open' && this.status !== 'closing'
  }

  #dropUnsent (): void {
    if (this.writeBuffer.byteLength > 0) {
      this.writeBuffer.consume(this.writeBuffer.byteLength)
      this.safeDispatchEvent('idle')
    }
  }

  /** Reads from the transport if somebody wants to, and only then. */
  #update (): void {
    const reading = this.#isWanted()

    if (reading !== this.#reading) {
      this.#reading = reading

      if (reading) {
        this.startReading()
      } else {
        this.stopReading()
      }
    }
  }

  #isWanted (): boolean {
    if (this.#remoteEnded || this.#isOver()) {
      return false
    }

    if (this.#pullers > 0) {
      return this.#starving > 0 && this.readBuffer.byteLength === 0
    }

    if (this.listenerCount('message') > 0) {
      return this.readStatus === 'readable'
    }

    // the end of the peer is all that is missing, and it stands behind what is unread
    return this.writeStatus === 'closed'
  }

  async #arrival (): Promise<void> {
    this.#starving++
    this.#update()

    try {
      await this.#until(() => this.readBuffer.byteLength > 0 || this.#readIsOver())
    } finally {
      this.#starving--
      this.#update()
    }
  }

  /** Nothing more will come. Throws when that is not because the peer ended it. */
  #readIsOver (): boolean {
    if (!this.#remoteEnded && this.#error !== undefined) {
      throw this.#error
    }

    return this.#remoteEnded || this.#isOver()
  }

  async #until (ready: () => boolean, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()

    while (!ready()) {
      this.#change ??= Promise.withResolvers()
      await raceSignal(this.#change.promise, signal)
    }
  }

  #notify (): void {
    this.#change?.resolve()
    this.#change = undefined
  }

  /** Looks whether it has been quiet for too long, and again when it may be so. */
  #watch (): void {
    clearTimeout(this.#timer)

    const forgotten = this.writeStatus === 'closed' && this.#pullers === 0 && this.listenerCount('message') === 0
    const closing = forgotten && this.#closeTimeout < this.inactivityTimeout
    const limit = closing ? this.#closeTimeout : this.inactivityTimeout
    const left = limit - (performance.now() - this.#lastActivity)

    if (this.#isOver()) {
      return
    }

    if (left <= 0) {
      this.abort(new TimeoutError(closing
        ? `The peer did not end its half within ${limit} ms of ours (option closeTimeout)`
        : `Nothing was sent or received for ${limit} ms (option inactivityTimeout)`, { scope: 'connection', origin: 'local' }))
    } else if (left !== Infinity || this.writeStatus === 'closed') {
      // whoever listens now may leave again: looked at as often as if they had
      this.#timer = setTimeout(() => {
        this.#watch()
      }, Math.min(MAX_TIMEOUT, Math.ceil(Math.min(left, this.#closeTimeout))))
      // a process that has nothing else to wait for need not wait for this
      this.#timer.unref?.()
    }
  }
}

function orNever (millis: number): number {
  return millis === 0 ? Infinity : millis
}

/** Anything can be the reason of a signal, or be thrown by a stream that is not ours. */
export function toError (reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason), { cause: reason })
}
