/**
 * `MuxedConnection`: where an engine meets the transport, promises, events and timers. It is libp2p's `StreamMuxer`
 * for every language on the wire; nothing here knows which one it is.
 *
 * Frames are made only when the transport can take them: one microtask after something became due, and whenever the
 * transport drains. An engine is never re-entered: whatever a listener asks for is done after the engine returned.
 */
import { MuxerClosedError } from '@libp2p/interface'
import { raceSignal } from 'race-signal'
import { takeEdges } from '../core/stream-lanes.ts'
import { Edge } from '../core/stream-record.ts'
import { ConnectionClosedError, MaxEarlyStreamsError } from '../interface/errors.ts'
import { Alarm, systemClock } from './clock.ts'
import { Link } from './link.ts'
import { Listeners } from './listeners.ts'
import { toOpenOptions } from './open-options.ts'
import { MuxedStream } from './stream.ts'
import { Waiters } from './waiters.ts'
import type { Clock } from './clock.ts'
import type { StreamHost } from './stream-view.ts'
import type { Engine, EngineEvent, OpenOptions } from '../core/engine.ts'
import type { StreamRecord } from '../core/stream-record.ts'
import type { Role } from '../core/stream-table.ts'
import type { ConnectionStatistics } from '../interface/statistics.ts'
import type { AbortOptions, CreateStreamOptions, EventHandler, Logger, MessageStream, StreamMuxer, StreamMuxerEvents, StreamMuxerStatus } from '@libp2p/interface'

export interface ConnectionInit {
  protocol: string

  /** Of the logger's scope. */
  name: string
  role: Role
  maxEarlyStreams: number
  maxBatchLength: number
  createEngine(now: number): Engine
  clock?: Clock
}

export interface CloseOptions extends AbortOptions {
  /** What our GoAway says. @default 0: normal termination */
  reason?: number
}

/**
 * A pong tells that the peer has read all that went before the ping. It is waited for, before a connection is closed
 * gracefully, so that a reset by the kernel over bytes that we do not read any more cannot overtake what we sent.
 * Half of what libp2p allows for closing: a peer that answers no pings only costs that much.
 */
const CLOSE_CONFIRM_MILLIS = 500

export class MuxedConnection extends Listeners<StreamMuxerEvents<MuxedStream> & Record<string, any>> implements StreamMuxer<MuxedStream>, StreamHost {
  readonly protocol: string
  readonly log: Logger

  /** @internal */
  readonly engine: Engine

  readonly #link: Link
  readonly #alarm: Alarm
  readonly #clock: Clock
  readonly #init: ConnectionInit
  readonly #streams = new Set<MuxedStream>()
  #streamList: MuxedStream[] | undefined
  #early: MuxedStream[] = []
  #status: StreamMuxerStatus = 'open'
  #error: Error | undefined
  #settling = false
  #flushScheduled = false
  #closing: Promise<void> | undefined
  readonly #waiters = new Waiters()
  readonly #openQueue: Array<(() => boolean) | undefined> = []
  readonly #pongs = new Map<number, number>()

  constructor (maConn: MessageStream, init: ConnectionInit) {
    super()
    this.protocol = init.protocol
    this.log = maConn.log.newScope(init.name)
    this.#init = init
    this.#clock = init.clock ?? systemClock
    this.engine = init.createEngine(this.#clock.now())

    this.#alarm = new Alarm(this.#clock, this.#onAlarm)
    this.#link = new Link(maConn, {
      onBytes: this.#onBytes,
      onDrain: this.#flush,
      onEnd: this.#onEnd
    })

    if (!this.#link.open) {
      this.engine.receiveEnd(undefined, this.now())
    }

    this.changed()
  }

  get status (): StreamMuxerStatus {
    return this.#status
  }

  get streams (): MuxedStream[] {
    this.#streamList ??= [...this.#streams]

    return this.#streamList
  }

  stats (): ConnectionStatistics {
    return this.engine.statistics()
  }

  /** The last round trip in milliseconds, 0 until one was measured. */
  getRTT (): number {
    return this.engine.roundTrip.last ?? 0
  }

  /**
   * Opens a stream. Waits while too many of ours are unacknowledged by the peer, until the signal aborts.
   *
   * @throws {MuxerClosedError} when the muxer is closing or closed, or the peer has said GoAway
   * @throws {TooManyOutboundProtocolStreamsError} at `maxOutboundStreams`
   * @throws {InvalidParametersError} for options that make no sense
   */
  async createStream (options: CreateStreamOptions = {}): Promise<MuxedStream> {
    options.signal?.throwIfAborted()

    const openOptions = toOpenOptions(options)
    let stream = this.#openQueue.length === 0 ? this.#open(openOptions) : undefined

    if (stream === undefined) {
      const turn = (): boolean => {
        stream = this.#open(openOptions)

        return stream !== undefined
      }

      this.#openQueue.push(turn)

      try {
        await this.#waiters.wait(() => this.#openQueue[0] === turn && turn(), options.signal)
      } finally {
        this.#openQueue.splice(this.#openQueue.indexOf(turn), 1)
        // the next in line may go as well
        this.#waiters.notify()
      }
    }

    return stream as unknown as MuxedStream
  }

  /** Measures the round trip, in milliseconds. */
  async ping (options: AbortOptions = {}): Promise<number> {
    options.signal?.throwIfAborted()
    this.#assertOpen()

    const id = this.engine.ping(this.now())
    let rtt: number | undefined

    this.changed()

    await this.#waiters.wait(() => {
      if (this.#status === 'closed') {
        throw this.#closedError()
      }

      // here, as the answer is kept no longer than it takes to tell all who wait
      rtt = this.#pongs.get(id)

      return rtt !== undefined
    }, options.signal)

    return rtt as unknown as number
  }

  /**
   * Ends gracefully: no new streams, our half of every stream ends after what was written, then GoAway, then the
   * connection under it is closed. Rejects with the signal's reason, the end still on its way, and `abort()` still there;
   * or with the error that the connection met before all was delivered.
   */
  async close (options: CloseOptions = {}): Promise<void> {
    if (this.#status === 'closed') {
      await raceSignal(this.#link.closed, options.signal)
      return
    }

    if (this.#closing === undefined) {
      this.#closing = this.#closeGracefully(options.reason)
      // it goes on without those who gave it up, and may fail unheard
      this.#closing.catch(() => {})
    }

    await raceSignal(this.#closing, options.signal)
  }

  /** Ends at once: streams are reset with the error, and so is the connection under them. */
  abort (err: Error): void {
    if (this.#status !== 'closed') {
      const now = this.now()

      for (const stream of this.engine.streams) {
        this.engine.reset(stream, 0, err, now)
      }

      this.engine.close(GO_AWAY_INTERNAL_ERROR, err, now)
      this.#settle()
    }

    this.#link.abort(err)
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.close()
  }

  addEventListener<K extends keyof StreamMuxerEvents<MuxedStream>>(type: K, handler: EventHandler<StreamMuxerEvents<MuxedStream>[K]> | null, options?: boolean | AddEventListenerOptions): void
  addEventListener (type: string, handler: EventHandler<Event> | null, options?: boolean | AddEventListenerOptions): void
  addEventListener (type: string, handler: EventHandler<any> | null, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, handler, options)

    if (type === 'stream' && this.#early.length > 0) {
      // later, as listeners are added in constructors that have not finished
      queueMicrotask(() => {
        // one who hears of a single stream leaves the others to the next
        while (this.#early.length > 0 && this.listenerCount('stream') > 0) {
          this.#announce(this.#early.shift() as MuxedStream)
        }

        this.#settle()
      })
    }
  }

  /** @internal */
  now (): number {
    return this.#clock.now()
  }

  /**
   * The engine was given something to do: it is done before anything else happens, but not now.
   *
   * @internal
   */
  changed (): void {
    if (!this.#flushScheduled) {
      this.#flushScheduled = true
      queueMicrotask(this.#flush)
    }
  }

  readonly #onBytes = (data: Iterable<Uint8Array>): void => {
    const now = this.now()

    for (const bytes of data) {
      this.engine.receive(bytes, now)
    }

    this.#settle()
    this.changed()
  }

  readonly #onEnd = (cause: Error | undefined): void => {
    this.engine.receiveEnd(cause, this.now())
    this.#settle()
  }

  readonly #onAlarm = (): void => {
    this.engine.handleTimeout(this.now())
    this.#settle()
    this.changed()
  }

  readonly #poll = (): Uint8Array[] | undefined => {
    return this.engine.pollTransmit(this.#init.maxBatchLength, this.now())
  }

  /** Gives the transport what is owed, as long as it takes it. */
  readonly #flush = (): void => {
    this.#flushScheduled = false

    if (this.#status !== 'closed') {
      this.#link.transmit(this.#poll)
    }

    this.#settle()

    if (!this.#isClosed()) {
      this.#alarm.set(this.engine.pollTimeout())
    }
  }

  /** Looks at all that the engine has to tell. */
  #settle (): void {
    if (this.#settling) {
      // called by a listener: the loop below goes on with it
      return
    }

    this.#settling = true

    try {
      this.#drainEngine()
    } finally {
      // a metrics plugin that throws must not stop us for good
      this.#settling = false
    }
  }

  #drainEngine (): void {
    for (let record = this.engine.pollStream(); record !== undefined; record = this.engine.pollStream()) {
      this.#onEdges(record, takeEdges(record))
    }

    for (let event = this.engine.pollEvent(); event !== undefined; event = this.engine.pollEvent()) {
      this.#onEvent(event)
    }
  }

  #onEdges (record: StreamRecord, edges: number): void {
    if ((edges & Edge.opened) !== 0) {
      if (record.closed) {
        // opened and reset in one breath: no handler need hear of it
        return
      }

      this.#onInbound(this.#add(record))
    }

    const stream = record.attachment as MuxedStream

    if ((edges & Edge.closed) !== 0) {
      this.#streams.delete(stream)
      this.#streamList = undefined

      if (record.error !== undefined) {
        this.log('stream %s ended: %s', record.id, record.error.message)
      }
    }

    stream.onEdges(edges)
  }

  #onEvent (event: EngineEvent): void {
    if (event.type === 'pong') {
      // an answer that nobody waits for any more has no entry to wait in
      this.#pongs.set(event.id, event.rtt)
      this.#waiters.notify()
      this.#pongs.delete(event.id)
    } else if (event.type === 'available') {
      this.#waiters.notify()
    } else if (event.type === 'go-away') {
      this.log('the peer said GoAway with code %d', event.code)
      this.#waiters.notify()
    } else {
      this.#onClosed(event.error)
    }
  }

  #onInbound (stream: MuxedStream): void {
    if (this.#early.length === 0 && this.listenerCount('stream') > 0) {
      this.#announce(stream)
      return
    }

    this.#early.push(stream)

    if (this.#early.length > this.#init.maxEarlyStreams) {
      this.#fail(new MaxEarlyStreamsError(
        `${this.#early.length} streams came in before anybody listened for them, the limit is ${this.#init.maxEarlyStreams} (option maxEarlyStreams)`))
    }
  }

  #announce (stream: MuxedStream): void {
    if (stream.status !== 'open') {
      return
    }

    this.engine.accept(stream.record)
    this.safeDispatchEvent('stream', { detail: stream })
    this.changed()
  }

  #open (options: OpenOptions): MuxedStream | undefined {
    const record = this.engine.open(this.now(), options)

    if (record === undefined) {
      return undefined
    }

    this.changed()

    return this.#add(record)
  }

  #add (record: StreamRecord): MuxedStream {
    const stream = new MuxedStream(this, record)

    this.#streams.add(stream)
    this.#streamList = undefined

    return stream
  }

  async #closeGracefully (reason = GO_AWAY_NORMAL): Promise<void> {
    this.#status = 'closing'
    this.engine.drain()
    this.#waiters.notify()

    await Promise.all(this.streams.map(async stream => {
      // a stream that meets an error now has ended as well, and says so itself
      await stream.close().catch(() => {})
    }))

    if (this.#error !== undefined) {
      // the connection ended before our streams did
      throw this.#error
    }

    await this.#confirm()
    this.engine.close(reason, undefined, this.now())
    this.#settle()
    await this.#link.closed
  }

  /** Waits until the peer has read what was sent, or has gone. */
  async #confirm (): Promise<void> {
    if (this.#isClosed()) {
      return
    }

    const id = this.engine.ping(this.now())
    let cancel = (): void => {}

    this.changed()

    const timeout = new Promise<void>(resolve => {
      cancel = this.#clock.schedule(resolve, CLOSE_CONFIRM_MILLIS)
    })

    await Promise.race([
      timeout,
      this.#waiters.wait(() => this.#isClosed() || this.#pongs.has(id))
    ])
    cancel()

    if (this.#error !== undefined && !(this.#error instanceof ConnectionClosedError)) {
      throw this.#error
    }
  }

  /** The peer went beyond what we accept: it is told, and the connection ends. */
  #fail (err: Error): void {
    this.engine.close(GO_AWAY_INTERNAL_ERROR, err, this.now())
  }

  #onClosed (error: Error | undefined): void {
    this.#status = 'closed'
    this.#error = error
    this.#alarm.stop()
    this.#early = []
    this.#link.detach()

    if (error !== undefined) {
      this.log.error('closed: %e', error)
    }

    // a muxer that is dead leaves no connection behind
    this.#link.close(this.#poll(), error)
    this.#waiters.notify()
  }

  #isClosed (): boolean {
    return this.#status === 'closed'
  }

  #assertOpen (): void {
    if (this.#status !== 'open') {
      throw this.#closedError()
    }
  }

  #closedError (): Error {
    return this.#error ?? new MuxerClosedError(`The muxer is ${this.#status}`)
  }
}

/** The codes that all languages share: hashicorp's yamux first had them, and libp2p's specs kept them. */
const GO_AWAY_NORMAL = 0
const GO_AWAY_INTERNAL_ERROR = 2
