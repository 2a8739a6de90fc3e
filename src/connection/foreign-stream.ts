/**
 * A stream of any other libp2p muxer with the surface of a `MuxedStream`, as far as it can be had from outside.
 *
 * All that comes in is taken by `message` events and kept here until somebody reads it; while too much is kept the
 * stream is paused. The iterators of foreign streams have no backpressure, and their `onDrain()` may work only once:
 * neither is used.
 */
import { StreamCloseEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { ReceiveQueue } from '../core/receive-queue.ts'
import { StreamResetError, StreamStateError } from '../interface/errors.ts'
import { checkCode } from './checks.ts'
import { ForeignView, errorOf, whyOver } from './foreign-view.ts'
import { piecesOf, takeBehind } from './pieces.ts'
import { PushedBack, tooMuchPushedBack } from './pushed-back.ts'
import { cannot, writeError } from './stream-surface.ts'
import { abortedBy, isLocal, resetOf } from './stream-view.ts'
import { Waiters } from './waiters.ts'
import type { MuxError } from '../interface/errors.ts'
import type { Bytes, MuxedStream, Priority } from '../interface/muxer.ts'
import type { StreamStatistics } from '../interface/statistics.ts'
import type { AbortOptions, EventHandler, MessageStreamEvents, MessageStreamReadStatus, MessageStreamStatus, Stream } from '@libp2p/interface'

export class ForeignStream extends ForeignView implements MuxedStream {
  readonly #highWaterMark: number
  readonly #unread = new ReceiveQueue()
  readonly #waiters = new Waiters()
  readonly #pushedBack = new PushedBack(() => {
    this.#deliver()
    this.#notify()
  })

  #bytesAccepted = 0
  #bytesReceived = 0

  // our reader's own wish, as against the pauses for want of room
  #paused = false
  #pulling = 0
  #remoteEnded: boolean
  #readClosed = false
  #ended = false
  #over = false

  // the application hears of the close, and all who listen for it have heard
  #closeHeard = false
  #closeTold = false
  #error: Error | undefined
  #gaveUp = false
  #closing: Promise<void> | undefined
  #closed = false

  constructor (inner: Stream, highWaterMark: number, isCut: boolean, priority?: Partial<Priority>) {
    super(inner, priority)
    this.#highWaterMark = highWaterMark
    this.#remoteEnded = inner.remoteWriteStatus === 'closed'

    inner.addEventListener('message', event => {
      this.#onMessage(event.data)
    })
    inner.addEventListener('remoteCloseWrite', () => {
      this.#onRemoteEnd()
    })
    inner.addEventListener('drain', () => {
      this.#tell('drain')
    })
    inner.addEventListener('idle', () => {
      this.#tell('idle')
    })
    inner.addEventListener('close', event => {
      this.#onClose(event)
    })

    if (inner.status !== 'open' && inner.status !== 'closing') {
      this.#over = true
      this.#closeHeard = true
      this.#closeTold = true
      this.#error = whyOver(inner.status, isCut)
      // a stream that is broken looks as if the peer had ended it
      this.#remoteEnded &&= this.#error === undefined

      if (this.#isBroken()) {
        this.#drop()
      }

      this.#maybeEnd()
    }
  }

  get status (): MessageStreamStatus {
    if (this.#error !== undefined) {
      return isLocal(this.#error, this) ? 'aborted' : 'reset'
    }

    return this.inner.status
  }

  get readStatus (): MessageStreamReadStatus {
    // who is being handed the last bytes may still pause the stream, or push some of them back
    if (this.#readClosed || (this.#over && this.readBufferLength === 0 && (this.#ended || this.#isBroken()))) {
      return 'closed'
    }

    return this.#paused ? 'paused' : 'readable'
  }

  get readableEnded (): boolean {
    return this.#ended
  }

  get readBufferLength (): number {
    return this.#unread.byteLength + (this.#isBroken() ? 0 : this.inner.readBufferLength)
  }

  /** All that the peer had to say is here, and something of it unread. */
  get isWhole (): boolean {
    return this.#remoteEnded && !this.#isBroken() && this.readBufferLength > 0
  }

  stats (): StreamStatistics {
    const { open, close = Date.now() } = this.timeline

    return {
      openMillis: close - open,
      bytesQueued: this.writeBufferLength,
      bytesUnread: this.readBufferLength,
      bytesSent: this.#bytesAccepted - this.writeBufferLength,
      bytesReceived: this.#bytesReceived + this.inner.readBufferLength,
      ...resetOf(this.#error, this)
    }
  }

  send (data: Bytes): boolean {
    if (this.#closing !== undefined || this.#closeHeard) {
      throw writeError(this.writeStatus, this.#error)
    }

    if (this.#over) {
      return false
    }

    // counted first, as a muxer may tell of its end before it returns
    this.#bytesAccepted += data.byteLength

    return this.inner.send(data)
  }

  async onDrain (options?: AbortOptions): Promise<void> {
    const ready = (): boolean => {
      if (this.#over) {
        throw this.#error ?? new StreamStateError('The stream was closed while waiting to write')
      }

      return !this.writableNeedsDrain
    }

    if (!ready()) {
      await this.#waiters.wait(ready, options?.signal)
    }
  }

  async close (options?: AbortOptions): Promise<void> {
    if (this.#over) {
      return
    }

    // once and without the signal: foreign streams that were given up while closing cannot be closed again
    this.#closing ??= this.inner.close().then(() => {
      this.#closed = true
      this.#notify()
    }, err => {
      this.abort(err instanceof Error ? err : new StreamStateError('The stream could not be closed'))
    })

    const closed = (): boolean => {
      if (this.#error !== undefined) {
        throw this.#error
      }

      return this.#closed || this.#over
    }

    if (!closed()) {
      await this.#waiters.wait(closed, options?.signal)
    }
  }

  async closeRead (options?: AbortOptions): Promise<void> {
    options?.signal?.throwIfAborted()

    if (this.#readClosed) {
      return
    }

    this.#readClosed = true
    this.#unread.clear()
    this.#notify()
    this.#maybeEnd()
    await this.inner.closeRead(options)
  }

  abort (err: Error): void {
    if (!this.#over) {
      this.#gaveUp = true
      this.#error = abortedBy(err, this)
      this.inner.abort(err)
    } else if (this.readBufferLength > 0) {
      // what stands unread of a stream that is over goes as well, and its end with it
      this.#gaveUp = true
      this.#error ??= abortedBy(err, this)
      this.#drop()
      this.#maybeEnd()
      this.#notify()
    }
  }

  reset (code = 0): void {
    checkCode(code)
    this.abort(new StreamResetError('reset by our side', { origin: 'local' }))
  }

  pause (): void {
    if (this.#isToBeRead('pause')) {
      this.#paused = true
    }
  }

  resume (): void {
    if (this.#readClosed && !this.#paused) {
      throw cannot('resume')
    }

    this.#paused = false
    this.#deliver()
  }

  push (data: Bytes): void {
    this.#pushBack(data, false)
  }

  unshift (data: Bytes): void {
    this.#pushBack(data, true)
  }

  addEventListener<K extends keyof MessageStreamEvents>(type: K, handler: EventHandler<MessageStreamEvents[K]> | null, options?: boolean | AddEventListenerOptions): void
  addEventListener (type: string, handler: EventHandler<Event> | null, options?: boolean | AddEventListenerOptions): void
  addEventListener (type: string, handler: EventHandler<any> | null, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, handler, options)
    this.#maybeRelease()

    if (type === 'message') {
      queueMicrotask(() => {
        this.#deliver()
      })
    }
  }

  async * [Symbol.asyncIterator] (): AsyncGenerator<Uint8Array | Uint8ArrayList> {
    for (let data = await this.read(); data !== null; data = await this.read()) {
      yield data
    }
  }

  protected take (max: number): Bytes | undefined {
    if (this.#unread.byteLength === 0) {
      return undefined
    }

    const data = takeBehind(new Uint8ArrayList(), this.#unread, max)

    this.#relieve()
    this.#maybeEnd()

    return data
  }

  protected async whenReadable (signal?: AbortSignal): Promise<boolean> {
    const ready = (): boolean => this.#unread.byteLength > 0 || this.#readIsOver()

    this.#pulling++

    try {
      if (!ready()) {
        await this.#waiters.wait(ready, signal)
      }
    } finally {
      this.#pulling--
    }

    return this.#unread.byteLength > 0 || !this.#readIsOver()
  }

  protected giveBack (data: Uint8ArrayList): void {
    if (!this.#readClosed && !this.#isBroken()) {
      this.#unread.putBack(piecesOf(data), true)
      this.#pushedBack.deliver()
    }
  }

  protected readerLeft (): void {
    if (!this.isBeingRead) {
      // for those who listen is what the reader has left
      this.#deliver()
    }
  }

  protected get writeFailure (): Error | undefined {
    return this.#over && !this.#closed ? this.#error : undefined
  }

  protected get readFailure (): Error | undefined {
    return !this.#readClosed && this.#isBroken() ? this.#error : undefined
  }

  #onMessage (data: Bytes): void {
    this.#bytesReceived += data.byteLength

    if (this.#readClosed) {
      return
    }

    for (const piece of piecesOf(data)) {
      this.#unread.push(piece)
    }

    this.#pushedBack.renew()
    this.#deliver()
    // what nobody takes at once must not keep the buffer that it came in
    this.#unread.settle()
    this.#notify()

    if (this.#unread.byteLength >= this.#highWaterMark) {
      // later: a muxer that is paused while it hands over the first bytes of a stream may forget to acknowledge it
      queueMicrotask(() => {
        if (this.#unread.byteLength >= this.#highWaterMark && this.inner.readStatus === 'readable') {
          this.inner.pause()
        }
      })
    }
  }

  /** There is room again. */
  #relieve (): void {
    if (this.inner.readStatus === 'paused' && this.#unread.byteLength * 2 <= this.#highWaterMark) {
      try {
        this.inner.resume()
      } catch (err) {
        // it has handed over what it held, and cannot tell the peer, as the connection is over: that will be told
        this.log('cannot resume: %e', err)
      }
    }
  }

  #onRemoteEnd (): void {
    this.#remoteEnded = true
    this.#tell('remoteCloseWrite')
    this.#maybeEnd()
  }

  #onClose (event: StreamCloseEvent): void {
    this.#over = true
    this.#error ??= this.#whyClosed(event)
    this.#tellClosed()
  }

  /** Again, when what was left to be read is lost: nobody must take the rest for the whole. */
  #tellClosed (): void {
    if (this.#isBroken()) {
      // after a reset nothing more is read, as with our own streams
      this.#drop()
    }

    if (this.delivering) {
      // the end comes first, and that behind what a listener is being handed
      queueMicrotask(() => { this.#tellClosed() })
      return
    }

    this.#maybeEnd()
    this.#notify()
    this.#closeHeard = true
    this.dispatchEvent(new StreamCloseEvent(this.#error === undefined ? undefined : isLocal(this.#error, this), this.#error))
    this.#closeTold = true
    this.#maybeRelease()
  }

  /** Many muxers take the end of the connection for that of a stream: one that had not ended was cut off. */
  #whyClosed (event: StreamCloseEvent): Error | undefined {
    return errorOf(event, this) ?? whyOver('closed', !this.#remoteEnded || this.#closing === undefined || this.writeBufferLength > 0)
  }

  /** What the peer had sent and ended before the connection was cut is whole. */
  #isBroken (): boolean {
    return this.#error !== undefined && (this.#gaveUp || !(this.#remoteEnded && (this.#error as Partial<MuxError>).scope === 'connection'))
  }

  #drop (): void {
    this.#unread.clear()
    // what the muxer holds back is nobody's either
    this.inner.closeRead().catch(err => {
      this.log('cannot drop what is unread: %e', err)
    })
  }

  #readIsOver (): boolean {
    if (this.#readClosed) {
      return true
    }

    const { readFailure } = this

    if (readFailure !== undefined) {
      throw readFailure
    }

    return (this.#remoteEnded || this.#over) && this.readBufferLength === 0
  }

  #maybeEnd (): void {
    // who is being handed the last bytes may push some of them back
    if (!this.#ended && (this.#readClosed || ((this.#remoteEnded || this.#over) && !this.isBeingRead && !this.delivering && this.readBufferLength === 0))) {
      this.#ended = true
      this.#tell('end')
      this.#maybeRelease()
    }
  }

  #maybeRelease (): void {
    if (this.#closeTold && this.#ended) {
      this.releaseSignals()
    }
  }

  /** Hands what is unread to those who listen. */
  #deliver (): void {
    if (!this.delivering && !this.#paused && !this.isBeingRead && this.#pulling === 0 && this.#unread.byteLength > 0 && this.listenerCount('message') > 0) {
      const data = takeBehind(new Uint8ArrayList(), this.#unread, Infinity)

      this.hand(data)

      if (this.#unread.byteLength > 0) {
        // what came meanwhile went to nobody: who resumes the stream in its listener is not done with this
        this.#pushedBack.deliver()
      }

      // only now: a muxer hands over what it held back while it is resumed
      this.#relieve()
    }

    this.#maybeEnd()
  }

  #pushBack (data: Bytes, inFront: boolean): void {
    if (!this.#isToBeRead('push data onto')) {
      return
    }

    this.#unread.putBack(piecesOf(data), inFront)

    const { byteLength } = this.#unread

    if (byteLength > this.maxReadBufferLength) {
      const error = tooMuchPushedBack(byteLength, this.maxReadBufferLength)

      this.#gaveUp = true
      this.#error = error
      this.#unread.clear()
      // later: the listener that pushed it back is at work, and would be thrown at for the rest of what it does
      this.#closeHeard = false
      if (!this.#over || this.#closeTold) {
        queueMicrotask(this.#over ? () => { this.#tellClosed() } : () => { this.abort(error) })
      }

      return
    }

    this.#pushedBack.deliver()
  }

  /** `false`: it was, and the application has not heard, or is being handed the last bytes. Throws when it has. */
  #isToBeRead (what: string): boolean {
    if (this.readStatus !== 'closed' && !this.#gaveUp) {
      return true
    }

    if (!this.#readClosed && !this.#closeHeard) {
      return false
    }

    throw cannot(what)
  }

  #tell (type: 'drain' | 'idle' | 'remoteCloseWrite' | 'end'): void {
    this.safeDispatchEvent(type)
    this.#notify()
  }

  readonly #notify = (): void => {
    this.#waiters.notify()
  }
}
