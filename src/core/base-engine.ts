/**
 * What all engines do alike: whatever an application asks of a stream, and what a shell polls. A language adds what its
 * frames do, and how things end on its wire.
 */
import { StreamErrorCode } from '../interface/codes.ts'
import { ConnectionClosedError, MuxerClosedError, StreamBufferError, TimeoutError, TooManyOutboundProtocolStreamsError } from '../interface/errors.ts'
import { isCrowded } from './connection-state.ts'
import { beginAgain, keepAgain, relieveUnstarted, unpinIfMuch } from './overflow.ts'
import { stalledSince, sweep } from './timeouts.ts'
import type { ConnectionLimits, ConnectionState } from './connection-state.ts'
import type { Engine, EngineEvent, EngineState, EngineStatistics, OpenOptions, RecordStatistics } from './engine.ts'
import type { Overflow } from './overflow.ts'
import type { RoundTrip } from './round-trip.ts'
import type { StreamLimits, StreamRecord } from './stream-record.ts'

export abstract class BaseEngine<Stream extends StreamRecord, State extends ConnectionState<Stream, any>> implements Engine {
  protected readonly connection: State
  readonly #limits: ConnectionLimits

  constructor (connection: State, limits: ConnectionLimits) {
    this.connection = connection
    this.#limits = limits
  }

  /** The language has something to say that is no data. */
  abstract readonly wantsTransmit: boolean
  abstract receive (bytes: Uint8Array, now: number): void
  abstract receiveDrain (now: number): void
  abstract open (now: number, options?: OpenOptions): Stream | undefined
  abstract accept (stream: Stream): void
  abstract limit (stream: Stream, limits: Partial<StreamLimits>): void
  abstract end (stream: Stream, now: number): void
  abstract closeRead (stream: Stream, now: number): void
  abstract reset (stream: Stream, code: number, error: Error | undefined, now?: number): void
  abstract refuse (stream: Stream, code: number, error: Error, now: number): void
  abstract ping (now: number): number | undefined
  abstract giveUpPing (id: number): void
  abstract close (code: number | undefined, error: Error | undefined, now?: number): void
  abstract pollTransmit (max: number, now: number): Uint8Array[] | undefined

  /** Bytes were added to the send queue of the stream. */
  protected abstract queued (stream: Stream, now: number): void

  /** Bytes were taken out of the receive queue of the stream. */
  protected abstract consumed (stream: Stream, now: number): void

  /** A frame was received in part. */
  protected abstract readonly incomplete: boolean

  get state (): EngineState {
    return this.connection.phase
  }

  get streams (): Iterable<Stream> {
    return this.connection.table.values()
  }

  get streamCount (): { inbound: number, outbound: number } {
    return { inbound: this.connection.table.inbound, outbound: this.connection.table.outbound }
  }

  get roundTrip (): RoundTrip {
    return this.connection.roundTrip
  }

  statistics (now = this.connection.now): EngineStatistics {
    const state = this.connection
    const { inbound, outbound, openedInbound, openedOutbound } = state.table
    const { last, min, smoothed } = state.roundTrip
    let { stalledMillis } = state

    for (const stream of this.streams) {
      stalledMillis += stalledSince(stream, now)
    }

    return {
      bytesSent: state.bytesSent,
      bytesReceived: state.bytesReceived,
      bytesQueued: state.bytesQueued,
      stalls: state.stalls,
      stalledMillis,
      framesSent: state.framesSent,
      framesReceived: state.framesReceived,
      windowUpdatesSent: state.windowUpdatesSent,
      windowUpdatesReceived: state.windowUpdatesReceived,
      pingsSent: state.pingsSent,
      pingsReceived: state.pingsReceived,
      streamsOpened: { inbound: openedInbound, outbound: openedOutbound },
      streamsClosed: { inbound: openedInbound - inbound, outbound: openedOutbound - outbound },
      streamsActive: this.streamCount,
      streamsRefused: { inbound: state.refusedInbound, outbound: state.refusedOutbound },
      streamsReset: { local: state.resetLocally, remote: state.resetRemotely },
      ...(last === undefined || min === undefined || smoothed === undefined ? {} : { rtt: { last, min, smoothed } })
    }
  }

  streamStatistics (stream: Stream, now = this.connection.now): RecordStatistics {
    return {
      stalls: stream.stalls,
      stalledMillis: stream.stalledMillis + stalledSince(stream, now),
      bytesQueued: stream.sendQueue.byteLength,
      bytesUnread: stream.receiveQueue.byteLength,
      bytesSent: stream.bytesSent,
      bytesReceived: stream.bytesReceived,
      framesSent: stream.framesSent,
      framesReceived: stream.framesReceived
    }
  }

  receiveEnd (cause: Error | undefined, now = this.connection.now): void {
    const { incomplete } = this

    if (cause === undefined && this.connection.table.size === 0 && !incomplete) {
      // nothing was cut
      this.close(undefined, undefined, now)
      return
    }

    this.close(undefined, new ConnectionClosedError(
      `the connection under the muxer ended${incomplete ? ' in the middle of a frame' : ''}`, { origin: 'transport', cause }), now)
  }

  handleTimeout (now: number): void {
    const { connection } = this

    connection.now = now

    if (connection.phase !== 'closed' && connection.deadlines.expire('sweep', now)) {
      sweep(connection, now, (stream, message) => {
        this.reset(stream, 0, new TimeoutError(message, { scope: 'stream', origin: 'local' }))
      })
    }
  }

  write (stream: Stream, bytes: Uint8Array, now: number): boolean {
    const { sendQueue, limits } = stream

    this.connection.now = now
    this.connection.bytesQueued += bytes.byteLength
    sendQueue.push(bytes)

    if (stream.needsDrain && sendQueue.byteLength > limits.maxWriteBufferLength) {
      this.reset(stream, 0, new StreamBufferError(
        `${sendQueue.byteLength} bytes wait to be sent, the limit is ${limits.maxWriteBufferLength} (option maxWriteBufferLength)`))

      return false
    }

    this.queued(stream, now)

    // what is empty never drains
    stream.needsDrain ||= sendQueue.byteLength >= Math.max(1, Math.min(limits.writeHighWaterMark, limits.maxWriteBufferLength)) ||
      isCrowded(this.connection, stream)

    return !stream.needsDrain
  }

  read (stream: Stream, max: number, now: number): Uint8Array | undefined {
    const bytes = this.connection.kept.shift(stream, max)

    unpinIfMuch(this.connection)
    this.consumed(stream, now)

    return bytes
  }

  begin (stream: Stream): boolean {
    return beginAgain(this.connection, stream)
  }

  relieve (now: number): void {
    for (let overflow = relieveUnstarted(this.connection); overflow !== undefined; overflow = relieveUnstarted(this.connection)) {
      this.#relieve(overflow, now)
    }
  }

  pushBack (stream: Stream, pieces: Uint8Array[], inFront: boolean, now: number): void {
    this.#relieve(keepAgain(this.connection, stream, pieces, inFront), now)
  }

  giveBack (stream: Stream, pieces: Uint8Array[]): void {
    this.connection.kept.giveBack(stream, pieces)
    unpinIfMuch(this.connection)
  }

  retain (stream: Stream): void {
    this.connection.kept.settle(stream)
    unpinIfMuch(this.connection)
  }

  drain (refuse = true): void {
    if (this.connection.phase === 'open') {
      this.connection.phase = 'draining'
    }

    this.connection.refusing ||= refuse
  }

  pollStream (): Stream | undefined {
    return this.connection.edges.poll() as Stream | undefined
  }

  pollEvent (): EngineEvent | undefined {
    return this.connection.events.shift()
  }

  pollTimeout (): number | undefined {
    return this.connection.deadlines.next
  }

  /** Nobody but our own application has done anything, so it is charged to no peer. */
  #relieve (overflow: Overflow<Stream> | undefined, now: number): void {
    if (overflow !== undefined) {
      this.reset(overflow.stream, StreamErrorCode.resourceLimitExceeded, overflow.error, now)
    }
  }

  /** Throws when no stream can be opened any more, or for as long as so many are open. */
  protected assertCanOpen (): void {
    const { phase, table } = this.connection
    const { maxOutboundStreams } = this.#limits

    if (phase !== 'open') {
      throw new MuxerClosedError(`cannot open a stream: the muxer is ${phase === 'closed' ? 'closed' : 'closing'}`)
    }

    if (table.outbound >= maxOutboundStreams) {
      this.connection.refusedOutbound++
      throw new TooManyOutboundProtocolStreamsError(`${table.outbound} outbound streams are open, the limit is ${maxOutboundStreams} (option maxOutboundStreams)`)
    }
  }
}
