/**
 * `MuxedConnection`: where an engine meets the transport, promises, events and timers. It is libp2p's `StreamMuxer`
 * for every language on the wire; nothing here knows which one it is.
 */
import { raceSignal } from 'race-signal'
import { Edge } from '../core/stream-record.ts'
import { StreamErrorCode } from '../interface/codes.ts'
import { ConnectionClosedError, StreamResetError } from '../interface/errors.ts'
import { Acceptor } from './acceptor.ts'
import { checkCode, muxerClosed } from './checks.ts'
import { systemClock } from './clock.ts'
import { Driver } from './driver.ts'
import { Listeners } from './listeners.ts'
import { OpenQueue } from './open-queue.ts'
import { Pings } from './pings.ts'
import { closeAll } from './progress.ts'
import { abortedBy, isLocal } from './stream-view.ts'
import { MuxedStream } from './stream.ts'
import { Waiters } from './waiters.ts'
import type { AcceptorHandlers } from './acceptor.ts'
import type { Clock } from './clock.ts'
import type { MuxerMetrics } from './metrics.ts'
import type { StreamHost } from './stream-view.ts'
import type { Engine, EngineEvent, OpenOptions } from '../core/engine.ts'
import type { StreamRecord } from '../core/stream-record.ts'
import type { Role } from '../core/stream-table.ts'
import type { MuxerClosedError } from '../interface/errors.ts'
import type { MultiplexOptions, Multiaddr, MuxedConnection as MuxedConnectionSurface, NewStreamOptions } from '../interface/muxer.ts'
import type { FullConnectionStatistics } from '../interface/statistics.ts'
import type { AbortOptions, CreateStreamOptions, EventHandler, Logger, MessageStream, PeerId, StreamMuxer, StreamMuxerEvents, StreamMuxerStatus } from '@libp2p/interface'

export interface ConnectionInit {
  protocol: string

  /** Of the logger's scope. */
  name: string
  role: Role
  maxEarlyStreams: number
  maxBatchLength: number
  createEngine(now: number): Engine
  clock?: Clock
  metrics?: MuxerMetrics

  /** Whom the connection is between, as far as it is known. */
  peers?: Pick<MultiplexOptions, 'localPeer' | 'remotePeer' | 'localAddress' | 'remoteAddress'>

  /**
   * How many inbound streams wait for `acceptStream()`; further ones are reset. Without a backlog streams are announced
   * by events only, and `maxEarlyStreams` bounds those that come before anybody listens.
   */
  acceptBacklog?: number
}

export interface CloseOptions extends AbortOptions {
  /** What our GoAway says. @default 0: normal termination */
  code?: number

  /** The same, as `@libp2p/yamux` calls it. */
  reason?: number
}

/**
 * A pong tells that the peer has read all that went before the ping. It is waited for, before a connection is closed
 * gracefully, so that a reset by the kernel over bytes that we do not read any more cannot overtake what we sent.
 * Half of what libp2p allows for closing: a peer that answers no pings only costs that much.
 */
const CLOSE_CONFIRM_MILLIS = 500

export class MuxedConnection extends Listeners<StreamMuxerEvents<MuxedStream> & Record<string, any>> implements MuxedConnectionSurface, StreamMuxer<MuxedStream>, StreamHost {
  readonly protocol: string
  readonly log: Logger
  readonly openedAt = Date.now()
  readonly localPeer?: PeerId
  readonly remotePeer?: PeerId

  /** @internal */
  readonly engine: Engine

  readonly #maConn: Partial<Addressed>
  readonly #peers: NonNullable<ConnectionInit['peers']>
  readonly #driver: Driver
  readonly #clock: Clock
  readonly #metrics?: MuxerMetrics
  #streamList: MuxedStream[] | undefined
  #closedAt: number | undefined
  readonly #acceptor: Acceptor<MuxedStream>
  #status: StreamMuxerStatus = 'open'
  #error: Error | undefined
  #closing: Promise<void> | undefined

  // what was promised to be said, whoever closes meanwhile; and whether the peer has said that it leaves in order
  #goAwayCode: number | undefined
  #peerLeaves = false
  readonly #waiters = new Waiters()
  readonly #openQueue = new OpenQueue(options => this.#open(options))
  readonly #pings: Pings

  constructor (maConn: MessageStream, init: ConnectionInit) {
    super()
    this.protocol = init.protocol
    this.log = maConn.log.newScope(init.name)
    this.localPeer = init.peers?.localPeer
    this.remotePeer = init.peers?.remotePeer
    this.#peers = init.peers ?? {}
    this.#maConn = maConn as Partial<Addressed>
    this.#acceptor = new Acceptor(this.#acceptorHandlers(), init.maxEarlyStreams, init.acceptBacklog)
    this.#clock = init.clock ?? systemClock
    this.#pings = new Pings(this, this.#clock)
    this.#driver = new Driver(maConn, this.#clock, init.maxBatchLength, init.createEngine, {
      onEdges: (record, edges) => {
        this.#onEdges(record, edges)
      },
      onEvent: event => {
        this.#onEvent(event)
      }
    })
    this.engine = this.#driver.engine
    this.#metrics = init.metrics
    this.#metrics?.opened(this)
  }

  /** Asked of what is underneath when it is wanted: a socket knows its addresses only once it is connected. */
  get localAddress (): Multiaddr | undefined {
    return this.#peers.localAddress ?? this.#maConn.localAddr
  }

  get remoteAddress (): Multiaddr | undefined {
    return this.#peers.remoteAddress ?? this.#maConn.remoteAddr
  }

  get status (): StreamMuxerStatus {
    return this.#status
  }

  get streams (): MuxedStream[] {
    // an inbound stream has nothing attached until it was told
    this.#streamList ??= Array.from(this.engine.streams, record => record.attachment as MuxedStream).filter(stream => stream !== undefined)

    return this.#streamList
  }

  get rtt (): number | undefined {
    return this.engine.roundTrip.smoothed
  }

  stats (): FullConnectionStatistics {
    return {
      openMillis: (this.#closedAt ?? Date.now()) - this.openedAt,
      ...this.engine.statistics(this.now())
    }
  }

  /** The last round trip in milliseconds, 0 until one was measured: the name that `@libp2p/yamux` has for it. */
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
  newStream (options: NewStreamOptions = {}): Promise<MuxedStream> {
    return this.#openQueue.open(options)
  }

  /** `newStream()` by the name that libp2p has for it. */
  createStream (options: CreateStreamOptions = {}): Promise<MuxedStream> {
    return this.#openQueue.open(options)
  }

  async acceptStream (options: AbortOptions = {}): Promise<MuxedStream> {
    return this.#acceptor.accept(options.signal)
  }

  get inboundStreams (): AsyncGenerator<MuxedStream> {
    return this.#acceptor.acceptAll()
  }

  /**
   * Measures a round trip that begins after the call, in milliseconds. While 16 are under way it waits for one of them
   * to end, and shares the next with all who wait.
   *
   * @throws {UnsupportedOperationError} where the protocol has no ping
   */
  async ping (options: AbortOptions = {}): Promise<number> {
    options.signal?.throwIfAborted()
    this.#assertOpen()

    return this.#pings.ask(options.signal)
  }

  /**
   * Ends gracefully: no new streams, our half of every stream ends after what was written, then GoAway, then the
   * connection under it is closed. Rejects with the signal's reason, the end still on its way, and `abort()` still there;
   * or with the error that the connection met before all was delivered.
   *
   * @throws {TimeoutError} when next to nothing of what waited went for five minutes: all is aborted then
   */
  async close (options: CloseOptions = {}): Promise<void> {
    checkCode(options.code ?? options.reason)

    if (this.#status === 'closed') {
      // what went wrong with it was told to who closed it first, and to nobody if it ended by itself
      await raceSignal(this.#closing?.catch(() => {}) ?? this.#driver.link.closed, options.signal)
      return
    }

    if (this.#closing === undefined) {
      this.#closing = this.#closeGracefully(options.code ?? options.reason)
      // it goes on without those who gave it up, and may fail unheard
      this.#closing.catch(() => {})
    }

    await raceSignal(this.#closing, options.signal)
  }

  /** Opens and accepts no more, refuses what nobody has accepted, lets all streams finish, then closes. Rejects as `close()` does. */
  async goAway (code?: number, options: AbortOptions = {}): Promise<void> {
    checkCode(code)
    options.signal?.throwIfAborted()

    if (this.#closing === undefined) {
      this.#goAwayCode ??= code
    }

    this.engine.drain()
    this.#openQueue.notify()
    this.#acceptor.refuseAll(stream => {
      this.#refuse(stream, StreamErrorCode.shutdown, 'the connection goes away')
    })
    this.changed()

    if (this.streams.length > 0) {
      await this.#waiters.wait(() => {
        // not by the list, which each that ends has made anew: the end of ten thousand took a second
        const { inbound, outbound } = this.engine.streamCount

        return inbound + outbound === 0
      }, options.signal)
    }

    if (this.#error !== undefined) {
      // the connection ended before its streams did
      throw this.#error
    }

    await this.close(options)
  }

  /** Ends at once: streams are reset with the error, and so is the connection under them. */
  abort (err: Error): void {
    if (this.#status !== 'closed') {
      const now = this.now()

      abortedBy(err, this)

      for (const stream of this.engine.streams) {
        abortedBy(err, stream)
        this.engine.reset(stream, 0, err, now)
      }

      this.engine.close(GO_AWAY_INTERNAL_ERROR, err, now)
      this.#driver.settle()
    }

    this.#driver.link.abort(err)
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.close()
  }

  addEventListener<K extends keyof StreamMuxerEvents<MuxedStream>>(type: K, handler: EventHandler<StreamMuxerEvents<MuxedStream>[K]> | null, options?: boolean | AddEventListenerOptions): void
  addEventListener (type: string, handler: EventHandler<Event> | null, options?: boolean | AddEventListenerOptions): void
  addEventListener (type: string, handler: EventHandler<any> | null, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, handler, options)

    if (type === 'stream') {
      // later, as listeners are added in constructors that have not finished
      queueMicrotask(() => {
        this.#acceptor.announceAll()
        this.#driver.settle()
      })
    }
  }

  /** @internal */
  now (): number {
    return this.#driver.now()
  }

  /**
   * The engine was given something to do: it is done before anything else happens, but not now.
   *
   * @internal
   */
  changed (): void {
    this.#driver.changed()
  }

  #onEdges (record: StreamRecord, edges: number): void {
    // opened and reset in one breath: no handler need hear of it
    if ((edges & Edge.opened) !== 0 && (!record.closed || isWhole(record))) {
      this.#acceptor.add(this.#add(record))
    }

    const stream = record.attachment as MuxedStream | undefined

    if ((edges & Edge.closed) !== 0) {
      this.#streamList = undefined
      this.#waiters.notify()

      if (record.error !== undefined) {
        this.log('stream %s ended: %s', record.name, record.error.message)
      }
    }

    stream?.onEdges(edges)
  }

  #onEvent (event: EngineEvent): void {
    if (event.type === 'pong') {
      this.#metrics?.roundTrip(event.rtt, this.log)
      this.#pings.answered(event.id, event.rtt)
    } else if (event.type === 'available') {
      this.#openQueue.notify()
    } else if (event.type === 'go-away') {
      this.#peerLeaves = event.code === GO_AWAY_NORMAL
      this.log('the peer said GoAway with code %d', event.code)
      this.#openQueue.notify()
    } else {
      this.#onClosed(event.error)
    }
  }

  #open (options: OpenOptions): MuxedStream | undefined {
    if (this.#isClosed()) {
      throw this.#muxerClosed()
    }

    const record = this.engine.open(this.now(), options)

    if (record === undefined) {
      return undefined
    }

    this.changed()

    return this.#add(record)
  }

  #add (record: StreamRecord): MuxedStream {
    const stream = new MuxedStream(this, record)

    this.#streamList = undefined

    return stream
  }

  async #closeGracefully (code = GO_AWAY_NORMAL): Promise<void> {
    this.#status = 'closing'
    // what the peer opened before it knew is as good as what we did: both may close at once
    this.engine.drain(false)
    this.#openQueue.notify()

    const hasUnsent = this.streams.some(stream => stream.writeBufferLength > 0)
    const unsent = !(await closeAll(this.streams, this.#clock, err => { this.abort(err) })) || hasUnsent

    // the connection may have ended before our streams did
    this.#assertDelivered(unsent)

    const isRead = await this.#confirm(unsent)

    this.engine.close(this.#goAwayCode ?? code, undefined, this.now())
    this.#driver.settle()
    await this.#driver.link.closed.catch(err => {
      if (!isRead) {
        throw err
      }
    })
  }

  /** That the peer has gone is a failure only if there was something to send. */
  #assertDelivered (unsent: boolean): void {
    if (this.#error !== undefined && (unsent || !(this.#error instanceof ConnectionClosedError))) {
      throw this.#error
    }
  }

  /** Waits until the peer has read what was sent, and says so, or has gone: a failure only if there was something to send. */
  async #confirm (unsent: boolean): Promise<boolean> {
    if (this.#isClosed()) {
      return false
    }

    const timeout = new AbortController()
    const cancel = this.#clock.schedule(() => { timeout.abort() }, CLOSE_CONFIRM_MILLIS)

    // where there is no ping nothing tells what the peer has read
    const isRead = await this.#pings.send(timeout.signal).then(() => true, () => false)

    cancel()

    this.#assertDelivered(unsent)

    return isRead
  }

  #acceptorHandlers (): AcceptorHandlers<MuxedStream> {
    return {
      listening: () => this.listenerCount('stream') > 0,
      onAccepted: stream => {
        this.engine.accept(stream.record)
        this.changed()
      },
      announce: stream => {
        this.safeDispatchEvent('stream', { detail: stream })
      },
      refuse: (stream, waiting) => {
        this.#refuse(stream, StreamErrorCode.resourceLimitExceeded, `${waiting} streams wait to be accepted`)
      },
      fail: err => {
        this.engine.close(GO_AWAY_INTERNAL_ERROR, err, this.now())
      },
      closed: () => this.#isClosed() ? { error: this.#leftInOrder() ? undefined : this.#error } : undefined,
      closedError: () => this.#leftInOrder() ? this.#muxerClosed() : this.#closedError(),
      isWhole: ({ record }) => isWhole(record)
    }
  }

  #refuse (stream: MuxedStream, code: number, message: string): void {
    this.engine.refuse(stream.record, code, new StreamResetError(message, { origin: 'local', code }), this.now())
  }

  /** After its GoAway no more streams were to come: that streams were cut is their error, and not that of who accepts. */
  #leftInOrder (): boolean {
    return this.#peerLeaves && this.#error instanceof ConnectionClosedError
  }

  #onClosed (error: Error | undefined): void {
    this.#status = 'closed'
    this.#error = error
    this.#acceptor.close(this.#closing !== undefined || (error !== undefined && isLocal(error, this)))
    this.#closedAt = Date.now()

    if (error !== undefined) {
      this.log.error('closed: %e', error)
    }

    this.#driver.stop(error)
    // with the last frame counted
    this.#metrics?.closed(this)
    this.#openQueue.notify()
    this.#pings.close(this.#closedError())
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
    return this.#error ?? this.#muxerClosed()
  }

  #muxerClosed (): MuxerClosedError {
    return muxerClosed(`The muxer is ${this.#status}`, this.#error)
  }
}

/** Its bytes can be had though it is over: the peer had ended it before, and it is not we who gave it up. */
function isWhole (record: StreamRecord): boolean {
  const { receive, receiveQueue, error } = record

  return receive === 'ended' && receiveQueue.byteLength > 0 && (error === undefined || !isLocal(error, record))
}

interface Addressed {
  localAddr: Multiaddr
  remoteAddr: Multiaddr
}

/** The codes that all languages share: hashicorp's yamux first had them, and libp2p's specs kept them. */
const GO_AWAY_NORMAL = 0
const GO_AWAY_INTERNAL_ERROR = 2
