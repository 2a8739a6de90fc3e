/**
 * Any other libp2p `StreamMuxer` with the surface of a `MuxedConnection`, as far as it can be had from outside: what
 * such a muxer does not show is absent, and what it cannot do is refused with `UnsupportedOperationError`.
 */
import { MuxerClosedError, UnsupportedOperationError } from '@libp2p/interface'
import { raceSignal } from 'race-signal'
import { RoundTrip } from '../core/round-trip.ts'
import { ConnectionClosedError, StreamResetError } from '../interface/errors.ts'
import { Acceptor } from './acceptor.ts'
import { checkCode, checkPriority, checkTimeout, muxerClosed } from './checks.ts'
import { systemClock } from './clock.ts'
import { ForeignStream } from './foreign-stream.ts'
import { whyOver } from './foreign-view.ts'
import { closeAll } from './progress.ts'
import { abortedBy, isLocal } from './stream-view.ts'
import { Waiters } from './waiters.ts'
import type { CloseOptions, MultiplexOptions, Multiaddr, MuxedConnection, NewStreamOptions, SecuredConnection } from '../interface/muxer.ts'
import type { ConnectionStatistics } from '../interface/statistics.ts'
import type { AbortOptions, MultiaddrConnection, PeerId, Stream, StreamCloseEvent, StreamMuxer } from '@libp2p/interface'

export interface ForeignOptions extends Pick<MultiplexOptions, 'localPeer' | 'remotePeer' | 'localAddress' | 'remoteAddress'> {
  /**
   * What the muxer runs on. Foreign muxers do not tell of their own end, and do not close what is under them: without
   * it, who waits for a stream of the peer may wait for ever, and `close()` closes the muxer only.
   */
  secured?: SecuredConnection

  /** Streams of the peer that may wait for `acceptStream()`; further ones are reset. @default 256 */
  acceptBacklog?: number

  /**
   * Bytes that a stream keeps unread before it is paused, and resumed at half of it. A muxer may go on to deliver what
   * its peer was granted already.
   *
   * @default 262_144 (the initial window of yamux)
   */
  readHighWaterMark?: number
}

/** What some muxers have besides. */
interface Pinging {
  ping(): Promise<number>
}

interface Direction {
  inbound: number
  outbound: number
}

class ForeignConnection implements MuxedConnection {
  readonly localPeer?: PeerId
  readonly remotePeer?: PeerId

  readonly #addresses: Pick<ForeignOptions, 'localAddress' | 'remoteAddress'>
  readonly #muxer: StreamMuxer
  readonly #secured: SecuredConnection | undefined
  readonly #highWaterMark: number
  readonly #streams = new Map<Stream, ForeignStream>()
  readonly #acceptor: Acceptor<ForeignStream>
  readonly #waiters = new Waiters()
  readonly #roundTrip = new RoundTrip()
  readonly #openedAt = Date.now()
  readonly #opened: Direction = { inbound: 0, outbound: 0 }
  readonly #closed: Direction = { inbound: 0, outbound: 0 }
  readonly #reset = { local: 0, remote: 0 }

  // of streams that are over
  #bytesSent = 0
  #bytesReceived = 0
  #closedAt: number | undefined
  #status: StreamMuxer['status'] = 'open'
  #draining = false
  #error: Error | undefined
  #closing: Promise<void> | undefined

  constructor (muxer: StreamMuxer, options: ForeignOptions) {
    const { secured, acceptBacklog = 256, readHighWaterMark = 262_144 } = options

    this.#muxer = muxer
    this.#secured = secured
    this.#highWaterMark = readHighWaterMark
    this.localPeer = options.localPeer
    this.remotePeer = options.remotePeer
    this.#addresses = options
    this.#acceptor = new Acceptor<ForeignStream>({
      listening: () => false,
      onAccepted: () => {},
      announce: () => {},
      refuse: (stream, waiting) => {
        stream.abort(new StreamResetError(`${waiting} streams wait to be accepted`, { origin: 'local' }))
      },
      fail: err => {
        this.abort(err)
      },
      closed: () => this.#isClosed() ? { error: this.#error } : undefined,
      closedError: () => this.#closedError(),
      isWhole: ({ isWhole }) => isWhole
    }, acceptBacklog, acceptBacklog)

    muxer.addEventListener('stream', event => {
      this.#onStream(event.detail)
    })
    // muxers do not tell of their own end: what makes them end comes in by a message
    secured?.addEventListener('message', this.#lookLater)
    secured?.addEventListener('close', this.#onSecuredClose)

    if (muxer.status === 'closed') {
      this.#onClosed(undefined)
    }
  }

  get protocol (): string {
    return this.#muxer.protocol
  }

  get localAddress (): Multiaddr | undefined {
    return this.#addresses.localAddress ?? (this.#secured as { localAddr?: Multiaddr } | undefined)?.localAddr
  }

  get remoteAddress (): Multiaddr | undefined {
    return this.#addresses.remoteAddress ?? (this.#secured as Partial<MultiaddrConnection> | undefined)?.remoteAddr
  }

  get status (): StreamMuxer['status'] {
    return this.#status === 'open' ? this.#muxer.status : this.#status
  }

  get streams (): ForeignStream[] {
    return [...this.#streams.values()]
  }

  get rtt (): number | undefined {
    return this.#roundTrip.smoothed
  }

  stats (): ConnectionStatistics {
    const { last, min, smoothed } = this.#roundTrip
    let bytesSent = this.#bytesSent
    let bytesReceived = this.#bytesReceived
    let bytesQueued = 0

    for (const stream of this.#streams.values()) {
      const statistics = stream.stats()

      bytesSent += statistics.bytesSent
      bytesReceived += statistics.bytesReceived
      bytesQueued += statistics.bytesQueued
    }

    return {
      openMillis: (this.#closedAt ?? Date.now()) - this.#openedAt,
      bytesSent,
      bytesReceived,
      bytesQueued,
      streamsOpened: { ...this.#opened },
      streamsClosed: { ...this.#closed },
      streamsActive: {
        inbound: this.#opened.inbound - this.#closed.inbound,
        outbound: this.#opened.outbound - this.#closed.outbound
      },
      streamsReset: { ...this.#reset },
      ...(last === undefined || min === undefined || smoothed === undefined ? {} : { rtt: { last, min, smoothed } })
    }
  }

  async newStream (options: NewStreamOptions = {}): Promise<ForeignStream> {
    const { priority, signal, readTimeout, writeTimeout, ...limits } = options

    checkPriority(priority)
    checkTimeout('readTimeout', readTimeout)
    checkTimeout('writeTimeout', writeTimeout)
    signal?.throwIfAborted()
    this.#assertOpen()

    const opening = this.#muxer.createStream({ ...limits, signal })
    let inner: Stream

    try {
      inner = await raceSignal(opening, signal)
    } catch (err: any) {
      // nobody would have a stream that comes after all
      opening.then(late => { late.abort(err) }, () => {})
      throw err
    }

    const stream = this.#add(inner, priority)

    stream.readTimeout = readTimeout ?? Infinity
    stream.writeTimeout = writeTimeout ?? Infinity

    return stream
  }

  async acceptStream (options: AbortOptions = {}): Promise<ForeignStream> {
    this.#noticeEnd()

    return this.#acceptor.accept(options.signal)
  }

  get inboundStreams (): AsyncGenerator<ForeignStream> {
    return this.#acceptor.acceptAll()
  }

  async ping (options: AbortOptions = {}): Promise<number> {
    const { ping } = this.#muxer as Partial<Pinging>

    if (ping === undefined) {
      throw new UnsupportedOperationError(`${this.protocol} has no ping`)
    }

    options.signal?.throwIfAborted()
    this.#assertOpen()

    // without the signal: muxers have taken the late answer to a ping that was given up for an offence
    const pong = ping.call(this.#muxer)
    let rtt: number | undefined
    let failure: Error | undefined

    pong.then(millis => {
      rtt = millis
      this.#roundTrip.sample(millis)
    }, err => {
      failure = err
    }).finally(() => {
      this.#waiters.notify()
    })

    await this.#waiters.wait(() => {
      if (failure !== undefined) {
        throw failure
      }

      if (rtt === undefined && this.#isClosed()) {
        throw this.#closedError()
      }

      return rtt !== undefined
    }, options.signal)

    return rtt as unknown as number
  }

  async goAway (code?: number, options: AbortOptions = {}): Promise<void> {
    checkCode(code)
    options.signal?.throwIfAborted()
    this.#draining = true
    this.#acceptor.refuseAll(stream => {
      stream.abort(new StreamResetError('the connection goes away', { origin: 'local' }))
    })

    if (this.#streams.size > 0) {
      await this.#waiters.wait(() => this.#streams.size === 0, options.signal)
    }

    if (this.#error !== undefined) {
      throw this.#error
    }

    await this.close(options)
  }

  async close (options: CloseOptions = {}): Promise<void> {
    checkCode(options.code)

    if (this.#isClosed()) {
      // what went wrong with it was told to who closed it first
      await raceSignal(this.#closing?.catch(() => {}) ?? Promise.resolve(), options.signal)
      return
    }

    if (this.#closing === undefined) {
      this.#closing = this.#closeGracefully()
      this.#closing.catch(() => {})
    }

    await raceSignal(this.#closing, options.signal)
  }

  abort (err: Error): void {
    for (const stream of this.#streams.values()) {
      // one by one, as a muxer that is closing already may leave them open
      stream.abort(err)
    }

    abortedBy(err, this)
    // before the connection underneath tells of it as of something that happened to us
    this.#onClosed(err)
    this.#muxer.abort(err)
    this.#secured?.abort(err)
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.close()
  }

  async #closeGracefully (): Promise<void> {
    this.#status = 'closing'

    await closeAll(this.streams, systemClock, err => { this.abort(err) })

    if (this.#error !== undefined) {
      throw this.#error
    }

    await this.#muxer.close()
    await this.#secured?.close()
    this.#onClosed(undefined)
  }

  #onStream (inner: Stream): void {
    if (this.#draining || this.#status !== 'open') {
      inner.abort(new MuxerClosedError(`The muxer is ${this.#draining ? 'draining' : this.#status}`))
      return
    }

    this.#acceptor.add(this.#add(inner))
  }

  #add (inner: Stream, priority?: NewStreamOptions['priority']): ForeignStream {
    const isCut = this.status !== 'open' || (this.#secured !== undefined && this.#secured.status !== 'open')
    const stream = new ForeignStream(inner, this.#highWaterMark, isCut, priority)

    this.#opened[inner.direction]++
    this.#streams.set(inner, stream)

    if (inner.status === 'open' || inner.status === 'closing') {
      // it is told again if what was left to be read is lost
      stream.addEventListener('close', event => {
        this.#onStreamClosed(inner, stream, event.error)
      }, { once: true })
    } else {
      this.#onStreamClosed(inner, stream, whyOver(inner.status, isCut))
    }

    return stream
  }

  #onStreamClosed (inner: Stream, stream: ForeignStream, error: Error | undefined): void {
    const { bytesSent, bytesReceived } = stream.stats()

    this.#bytesSent += bytesSent
    this.#bytesReceived += bytesReceived
    this.#closed[inner.direction]++
    this.#streams.delete(inner)

    if (error !== undefined && !(error instanceof ConnectionClosedError)) {
      this.#reset[isLocal(error, stream) ? 'local' : 'remote']++
    }

    this.#lookLater()
  }

  readonly #onSecuredClose = ({ error }: StreamCloseEvent): void => {
    this.#onClosed(error === undefined
      ? undefined
      : new ConnectionClosedError('the connection under the muxer broke', { origin: 'transport', cause: error }))
  }

  /** Later, as the muxer may be amid its own end. */
  readonly #lookLater = (): void => {
    queueMicrotask(() => {
      this.#noticeEnd()
      this.#waiters.notify()
    })
  }

  /** The muxer has ended by itself: the peer said GoAway, or broke the protocol. */
  #noticeEnd (): void {
    if (this.#status === 'open' && this.#muxer.status === 'closed') {
      this.#onClosed(undefined)
      this.#secured?.close().catch(err => {
        this.#secured?.abort(err)
      })
    }
  }

  #onClosed (error: Error | undefined): void {
    if (this.#isClosed()) {
      return
    }

    this.#error = error
    this.#status = 'closed'
    this.#closedAt = Date.now()
    this.#secured?.removeEventListener('message', this.#lookLater)
    this.#secured?.removeEventListener('close', this.#onSecuredClose)
    this.#acceptor.close(this.#draining || this.#closing !== undefined || (error !== undefined && isLocal(error, this)))
    this.#waiters.notify()
  }

  #isClosed (): boolean {
    return this.#status === 'closed'
  }

  #assertOpen (): void {
    this.#noticeEnd()

    if (this.#status !== 'open' || this.#draining) {
      throw this.#muxerClosed()
    }
  }

  #closedError (): Error {
    return this.#error ?? this.#muxerClosed()
  }

  #muxerClosed (): MuxerClosedError {
    return muxerClosed(`The muxer is ${this.#draining ? 'draining' : this.#status}`, this.#error)
  }
}

/**
 * The surface of this package over a muxer of any other. It listens for the muxer's streams from now on; the muxer's
 * own `createStream()` is not to be used beside it.
 */
export function muxedConnection (muxer: StreamMuxer, options: ForeignOptions = {}): MuxedConnection {
  return new ForeignConnection(muxer, options)
}
