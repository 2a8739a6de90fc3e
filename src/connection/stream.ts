/**
 * `MuxedStream`: one stream of a connection as libp2p's `Stream`, over the record that an engine keeps of it. All
 * state of the protocol is in the record, and all bytes; here are events and promises.
 *
 * Reading is what returns credit: a `message` event that somebody listens to, or a pull of the iterator.
 */
import { StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { Edge } from '../core/stream-record.ts'
import { InvalidParametersError, StreamResetError, StreamStateError } from '../interface/errors.ts'
import { checkCode, isList } from './checks.ts'
import { afterOthers, isOthersTurn } from './others-turn.ts'
import { MESSAGE_BYTES, piecesOf, takeMessage } from './pieces.ts'
import { PushedBack, tooMuchPushedBack } from './pushed-back.ts'
import { cannot, writeError } from './stream-surface.ts'
import { StreamView, abortedBy, isLocal } from './stream-view.ts'
import { Waiters } from './waiters.ts'
import { within } from './within.ts'
import type { StreamHost } from './stream-view.ts'
import type { StreamRecord } from '../core/stream-record.ts'
import type { Bytes, MuxedStream as MuxedStreamSurface } from '../interface/muxer.ts'
import type { AbortOptions, EventHandler, MessageStreamEvents } from '@libp2p/interface'

export class MuxedStream extends StreamView implements MuxedStreamSurface {
  #ended = false

  // the application hears of the close, or has reset the stream itself; and all who listen for the close have heard
  #closeHeard = false
  #closeTold = false

  // of the peer's own end, which those who listen hear of before that of the bytes
  #remoteEndTold = false

  #pushedBack: PushedBack | undefined

  // readers that pull; while there are any, bytes wait for them
  #pulling = 0

  #waiters: Waiters | undefined

  constructor (host: StreamHost, record: StreamRecord) {
    super(host, record)
    record.attachment = this
  }

  get readableEnded (): boolean {
    return this.#ended
  }

  /**
   * Queues the bytes, by reference. `false`: more than the high-water mark is queued, wait for `drain`; or the stream was
   * reset by what came in behind the bytes that the application is just being handed, and there is nobody to send to.
   *
   * @throws {InvalidParametersError} for anything but bytes
   * @throws {StreamStateError} after `close()`, and when the application was told that the stream is over
   */
  send (data: Uint8Array | Uint8ArrayList): boolean {
    const record = this.record

    if (record.send === 'reset' && this.#isOverUnheard) {
      return false
    }

    if (record.send !== 'open') {
      throw writeError(this.writeStatus, record.error)
    }

    const { engine } = this.host
    const now = this.host.now()
    let more = true

    if (data instanceof Uint8Array) {
      more = engine.write(record, data, now)
    } else {
      if (!isList(data)) {
        throw new InvalidParametersError(`only Uint8Array and Uint8ArrayList can be sent, was ${typeof data}`)
      }

      for (const piece of data) {
        more = engine.write(record, piece, now)

        if (record.closed) {
          // the write buffer overflowed
          break
        }
      }
    }

    this.host.changed()

    return more && !record.needsDrain
  }

  /** Resolves when `send()` may be called again. Rejects when the stream is over, or with the signal's reason. */
  async onDrain (options?: AbortOptions): Promise<void> {
    await this.#wait(() => {
      if (this.record.closed) {
        throw this.record.error ?? new StreamStateError('The stream was closed while waiting to write')
      }

      return !this.record.needsDrain
    }, options?.signal)
  }

  /**
   * Ends our half: resolves when the last byte and the FIN were handed to the transport. The peer may go on sending.
   * Rejects with the signal's reason, the end still on its way, or with the error that the stream met.
   */
  async close (options?: AbortOptions): Promise<void> {
    if (this.record.send === 'open') {
      this.sendCloseWrite()
    }

    if (this.record.send !== 'ending') {
      return
    }

    await this.#wait(() => {
      if (this.record.send === 'reset') {
        throw this.record.error ?? new StreamStateError('The stream was reset while closing')
      }

      return this.record.send === 'ended'
    }, options?.signal)
  }

  /** Reads no more: what is unread is dropped, and a peer that goes on sending after our own end is told by an RST. */
  async closeRead (options?: AbortOptions): Promise<void> {
    options?.signal?.throwIfAborted()

    if (!this.record.readClosed && this.readStatus !== 'closed') {
      this.sendCloseRead()
    }
  }

  sendCloseWrite (): void {
    this.host.engine.end(this.record, this.host.now())
    this.host.changed()
  }

  sendCloseRead (): void {
    this.host.engine.closeRead(this.record, this.host.now())
    this.host.changed()
    this.#maybeEnd()
    this.#waiters?.notify()
  }

  /** Resets the stream at once: what is unsent or unread is gone. */
  abort (err: Error): void {
    this.#closeHeard = true
    this.#reset(0, this.record.error ?? abortedBy(err, this.record))
  }

  /** Resets the stream at once; the peer gets the code (an unsigned number of 32 bits). */
  reset (code = 0): void {
    checkCode(code)
    this.#closeHeard = true
    this.#reset(code, new StreamResetError(`reset by our side${code === 0 ? '' : ` with code ${code}`}`, { origin: 'local', code }))
  }

  /** Nothing is delivered until `resume()`; the peer may send what it was granted, which waits. */
  pause (): void {
    if (this.#isToBeRead('pause')) {
      this.paused = true
    }
  }

  /** Harmless when it is over: who paused it for some work comes back when that is done, and has done nothing wrong. */
  resume (): void {
    if (this.record.readClosed && !this.paused) {
      throw cannot('resume')
    }

    this.paused = false
    this.#deliver()
  }

  /** Puts bytes behind what is unread. */
  push (data: Uint8Array | Uint8ArrayList): void {
    this.#pushBack(data, false)
  }

  /** Puts bytes in front of what is unread. */
  unshift (data: Uint8Array | Uint8ArrayList): void {
    this.#pushBack(data, true)
  }

  addEventListener<K extends keyof MessageStreamEvents>(type: K, handler: EventHandler<MessageStreamEvents[K]> | null, options?: boolean | AddEventListenerOptions): void
  addEventListener (type: string, handler: EventHandler<Event> | null, options?: boolean | AddEventListenerOptions): void
  addEventListener (type: string, handler: EventHandler<any> | null, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, handler, options)
    this.#maybeRelease()

    if (type === 'message' && this.readBufferLength > 0) {
      // later, as listeners are added in constructors that have not finished
      queueMicrotask(() => {
        this.#deliver()
      })
    }
  }

  /** Ends after the peer's FIN; throws if the stream was reset before. A pull is a wish to read, also while paused. */
  async * [Symbol.asyncIterator] (): AsyncGenerator<Uint8Array | Uint8ArrayList> {
    this.#pulling++

    try {
      while (true) {
        if (isOthersTurn()) {
          await afterOthers()
        }

        const data = this.take(MESSAGE_BYTES)

        if (data !== undefined) {
          yield data
        } else if (this.#readIsOver()) {
          return
        } else {
          await within(this.readTimeout, 'readTimeout', undefined, async signal => this.whenReadable(signal))
        }
      }
    } finally {
      this.#pulling--
      this.#deliver()
    }
  }

  protected take (max: number): Uint8Array | Uint8ArrayList | undefined {
    const data = this.#take(max)

    if (data !== undefined) {
      // metrics count what is read by watching this method
      this.dispatchEvent(new StreamMessageEvent(data))
      this.#maybeEnd()
    }

    return data
  }

  protected async whenReadable (signal?: AbortSignal): Promise<boolean> {
    this.#pulling++

    try {
      await this.#wait(() => this.readBufferLength > 0 || this.#readIsOver(), signal)
    } finally {
      this.#pulling--
    }

    return this.readBufferLength > 0 || !this.#readIsOver()
  }

  protected readerLeft (): void {
    if (!this.isBeingRead && this.listenerCount('message') > 0) {
      // for them is what the reader has left
      this.#deliver()
    } else {
      this.#maybeEnd()
    }
  }

  protected get writeFailure (): Error | undefined {
    return this.record.send === 'reset' ? this.record.error : undefined
  }

  protected get readFailure (): Error | undefined {
    const { error, readClosed, receive } = this.record

    return receive === 'reset' && !readClosed ? error : undefined
  }

  protected giveBack (data: Uint8ArrayList): void {
    const { readClosed, receive } = this.record

    // no bytes come after a reset
    if (!readClosed && receive !== 'reset') {
      this.host.engine.giveBack(this.record, [...data])
      this.#again.deliver()
    }
  }

  /**
   * The engine has news: bits of `Edge`.
   *
   * @internal
   */
  onEdges (edges: number): void {
    if ((edges & Edge.readable) !== 0) {
      this.#pushedBack?.renew()
      this.#deliver()
    }

    if ((edges & Edge.remoteEnded) !== 0) {
      this.#remoteEndTold = true
      this.safeDispatchEvent('remoteCloseWrite')
      this.#maybeEnd()
    }

    if ((edges & Edge.flushed) !== 0) {
      this.safeDispatchEvent('idle')
    }

    if ((edges & Edge.writable) !== 0 && !this.record.needsDrain) {
      this.safeDispatchEvent('drain')
    }

    if ((edges & Edge.closed) !== 0) {
      this.#onClosed()
    }

    this.#waiters?.notify()
  }

  #onClosed (): void {
    const { error } = this.record

    // told again when what was left unread had to give way
    this.timeline.close ??= Date.now()

    this.#maybeEnd()
    // not before: who answers at the end of what came has not heard that nobody waits for it
    this.#closeHeard = true
    this.dispatchEvent(new StreamCloseEvent(error === undefined ? undefined : isLocal(error, this.record), error))
    this.#closeTold = true
    this.#maybeRelease()

    if (this.record.receiveQueue.byteLength === 0) {
      // a peer that does not read is not told of the end for long: what our application made of it need not wait for that
      this.record.attachment = undefined
    }
  }

  #reset (code: number, err: Error): void {
    if (this.record.closed && this.record.receiveQueue.byteLength === 0) {
      return
    }

    const hadUnsent = this.record.sendQueue.byteLength > 0

    this.host.engine.reset(this.record, code, err, this.host.now())

    if (hadUnsent) {
      this.safeDispatchEvent('idle')
    }

    this.host.changed()
    this.#maybeEnd()
  }

  /**
   * It is over, and the application cannot know yet: it is being told of what came in before that, and must not be thrown at
   * for what it would have done in good time had both not come in one delivery.
   */
  get #isOverUnheard (): boolean {
    return this.record.closed && !this.#closeHeard
  }

  /** `false`: it was, and the application has not heard, or is being handed the last bytes. Throws when it has. */
  #isToBeRead (what: string): boolean {
    if (this.readStatus !== 'closed') {
      return true
    }

    if (!this.record.readClosed && (this.#isOverUnheard || !this.#ended)) {
      return false
    }

    throw cannot(what)
  }

  #pushBack (data: Bytes, inFront: boolean): void {
    if (!this.#isToBeRead('push data onto') || data.byteLength === 0) {
      return
    }

    const pushedBack = this.#again

    pushedBack.bytes += data.byteLength
    this.host.engine.pushBack(this.record, piecesOf(data), inFront, this.host.now())
    this.host.changed()

    if (pushedBack.bytes > this.maxReadBufferLength) {
      if (this.#closeHeard && this.record.receiveQueue.byteLength > 0) {
        // the close that was told before was of a stream whose bytes are all there, and its reason, if it had one, is not this one's
        this.record.error = undefined
        queueMicrotask(() => { this.#onClosed() })
      }

      // who pushed it back, mostly a listener at work, has not heard of it
      this.#closeHeard = false

      this.#reset(0, tooMuchPushedBack(pushedBack.bytes, this.maxReadBufferLength))
      return
    }

    pushedBack.deliver()
  }

  get #again (): PushedBack {
    this.#pushedBack ??= new PushedBack(() => {
      this.#deliver()
      this.#waiters?.notify()
    })

    return this.#pushedBack
  }

  /** Hands what is unread to those who listen. */
  #deliver (): void {
    if (this.delivering) {
      // who resumes the stream while it is handed a message: what follows comes when it is done
      return
    }

    while (!this.paused && this.#pulling === 0 && this.readBufferLength > 0 && this.listenerCount('message') > 0) {
      // who pushes back what it can make nothing of yet wants it with what came behind it
      const whole = this.#hasPushedBack
      const data = this.#take(whole ? Infinity : MESSAGE_BYTES, whole)

      if (data !== undefined) {
        this.hand(data)
      }

      if (this.#hasPushedBack) {
        // by a listener: for the next to listen, who may not be there yet
        break
      }
    }

    this.host.engine.retain(this.record)
    this.#maybeEnd()
  }

  /** Something of it is unread. */
  get #hasPushedBack (): boolean {
    return this.#pushedBack !== undefined && this.#pushedBack.bytes > 0
  }

  #take (max: number, whole = false): Bytes | undefined {
    const now = this.host.now()
    const data = takeMessage(this.record.receiveQueue, most => this.host.engine.read(this.record, most, now), max, whole)

    this.host.changed()

    if (data !== undefined) {
      this.#pushedBack?.read(data.byteLength)
    }

    return data
  }

  /** Nothing more will come. Throws when that is not because the peer, or our own reader, ended it. */
  #readIsOver (): boolean {
    const { readFailure } = this

    if (readFailure !== undefined) {
      throw readFailure
    }

    return this.record.receive !== 'open' || this.record.readClosed
  }

  #maybeEnd (): void {
    const { receive, readClosed } = this.record

    if (!this.#ended && !this.isBeingRead && this.readBufferLength === 0 && (this.#remoteEndTold || receive === 'reset' || readClosed)) {
      this.#ended = true
      this.safeDispatchEvent('end')
      this.#maybeRelease()
    }
  }

  #maybeRelease (): void {
    if (this.#closeTold && this.#ended) {
      this.releaseSignals()
    }
  }

  async #wait (ready: () => boolean, signal?: AbortSignal): Promise<void> {
    if (!ready()) {
      this.#waiters ??= new Waiters()
      await this.#waiters.wait(ready, signal)
    }
  }
}
