/**
 * The yamux engine: one connection's protocol as a value. This file says what an application and a shell can ask of
 * it; what frames do is in `inbound.ts` and `outbound.ts`, how things end in `closing.ts`, why each of it is so in
 * `SPEC.md`. No I/O, clock, promise or timer may live here.
 */
import { ConnectionClosedError, MuxerClosedError, StreamBufferError, TimeoutError, TooManyOutboundProtocolStreamsError } from '../../interface/errors.ts'
import { close, refuse, resetLocally } from './closing.ts'
import { resolveStreamConfig } from './config.ts'
import { Token } from './decoder.ts'
import { GoAwayCode, MAX_UNACKNOWLEDGED } from './frame.ts'
import { receiveHeader, receivePayload, returnCredit } from './inbound.ts'
import { makeFrames, wantsTransmit } from './outbound.ts'
import { YamuxState, nextLimit, requestPing, schedule, stall, stalledSince, watch } from './state.ts'
import { Owed, YamuxStream } from './stream.ts'
import type { YamuxConfig } from './config.ts'
import type { Engine, EngineEvent, EngineState, EngineStatistics, OpenOptions, RecordStatistics } from '../../core/engine.ts'
import type { RoundTrip } from '../../core/round-trip.ts'
import type { StreamLimits } from '../../core/stream-record.ts'
import type { Role } from '../../core/stream-table.ts'

/** Streams are looked at for idleness no more often than a timeout has such parts. */
const SWEEP_PARTS = 32

export class YamuxEngine implements Engine {
  readonly #state: YamuxState

  constructor (role: Role, config: YamuxConfig, now: number) {
    this.#state = new YamuxState(role, config)

    this.#state.aliveAt = now
    this.#state.polledAt = now
    this.#state.now = now

    if (config.enableKeepAlive) {
      // at once: an idle path tells its round trip best
      this.#state.deadlines.set('keep-alive', now)
      this.handleTimeout(now)
    }
  }

  get state (): EngineState {
    return this.#state.phase
  }

  get streams (): Iterable<YamuxStream> {
    return this.#state.table.values()
  }

  get streamCount (): { inbound: number, outbound: number } {
    return { inbound: this.#state.table.inbound, outbound: this.#state.table.outbound }
  }

  get wantsTransmit (): boolean {
    return wantsTransmit(this.#state)
  }

  get roundTrip (): RoundTrip {
    return this.#state.roundTrip
  }

  statistics (now = this.#state.now): EngineStatistics {
    const state = this.#state
    const { inbound, outbound, openedInbound, openedOutbound } = state.table
    const { last, min, smoothed } = state.roundTrip
    let bytesQueued = 0
    let { stalledMillis } = state

    for (const stream of this.streams) {
      bytesQueued += stream.sendQueue.byteLength
      stalledMillis += stalledSince(stream, now)
    }

    return {
      bytesSent: state.bytesSent,
      bytesReceived: state.bytesReceived,
      bytesQueued,
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

  streamStatistics (stream: YamuxStream, now = this.#state.now): RecordStatistics {
    return {
      stalls: stream.stalls,
      stalledMillis: stream.stalledMillis + stalledSince(stream, now),
      bytesQueued: stream.sendQueue.byteLength,
      bytesUnread: stream.receiveQueue.byteLength,
      bytesSent: stream.bytesSent,
      bytesReceived: stream.bytesReceived,
      framesSent: stream.framesSent,
      framesReceived: stream.framesReceived,
      sendWindow: stream.sendWindow.available,
      receiveWindow: stream.receiveWindow.size
    }
  }

  receive (bytes: Uint8Array, now: number): void {
    const state = this.#state
    const { decoder } = state

    state.now = now
    state.aliveAt = now
    state.pace.idleMillis += now - state.polledAt
    state.polledAt = now
    decoder.push(bytes)

    while (state.phase !== 'closed') {
      const token = decoder.next()

      if (token === Token.payload) {
        receivePayload(state, decoder.payload, now)
      } else if (token === Token.header) {
        receiveHeader(state, now)
      } else {
        return
      }
    }
  }

  receiveDrain (now: number): void {
    this.#state.now = now
    this.#state.aliveAt = now
  }

  receiveEnd (cause: Error | undefined, now = this.#state.now): void {
    const { decoder, table } = this.#state

    this.#state.now = now

    if (cause === undefined && table.size === 0 && !decoder.incomplete) {
      // nothing was cut
      close(this.#state, undefined, undefined)
      return
    }

    close(this.#state, undefined, new ConnectionClosedError(
      `the connection under the muxer ended${decoder.incomplete ? ' in the middle of a frame' : ''}`, { origin: 'transport', cause }))
  }

  handleTimeout (now: number): void {
    const state = this.#state
    const { config, deadlines } = state

    state.now = now

    if (deadlines.expire('pong', now)) {
      this.#judgeSilence(now)
    }

    if (state.phase !== 'closed' && deadlines.expire('keep-alive', now)) {
      deadlines.set('keep-alive', now + config.keepAliveInterval)

      if (state.keepAlivePing === undefined) {
        state.keepAlivePing = requestPing(state)
        deadlines.set('pong', now + config.keepAliveTimeout)
      }
    }

    if (state.phase !== 'closed' && deadlines.expire('sweep', now)) {
      this.#sweep(now)
    }
  }

  open (now: number, options: OpenOptions = {}): YamuxStream | undefined {
    const state = this.#state
    const { config, table } = state

    if (state.phase !== 'open' || state.remoteGoAway !== undefined) {
      throw new MuxerClosedError(state.phase === 'open'
        ? 'the peer has said GoAway and accepts no more streams'
        : `cannot open a stream: the muxer is ${state.phase === 'closed' ? 'closed' : 'closing'}`)
    }

    if (table.outbound >= config.maxOutboundStreams) {
      state.refusedOutbound++
      throw new TooManyOutboundProtocolStreamsError(`${table.outbound} outbound streams are open, the limit is ${config.maxOutboundStreams} (option maxOutboundStreams)`)
    }

    const streamConfig = options.limits === undefined ? config.stream : resolveStreamConfig(config.stream, options.limits)

    if (state.unacknowledged >= MAX_UNACKNOWLEDGED) {
      state.openIsWaiting = true

      return undefined
    }

    const id = table.nextId()

    if (id === undefined) {
      throw new MuxerClosedError('all stream ids of this connection have been used: open another connection')
    }

    const stream = new YamuxStream(id, false, streamConfig, now, state.pace.idleMillis)

    stream.urgency = options.urgency ?? stream.urgency
    stream.incremental = options.incremental ?? stream.incremental
    state.unacknowledged++
    table.add(stream)
    watch(state, stream)
    state.owed.add(stream, Owed.syn)

    return stream
  }

  accept (stream: YamuxStream): void {
    if (stream.inbound && !stream.acknowledged && !stream.closed) {
      stream.acknowledged = true
      this.#state.owed.add(stream, Owed.ack)
    }
  }

  write (stream: YamuxStream, bytes: Uint8Array, now: number): boolean {
    const { sendQueue, limits } = stream

    this.#state.now = now
    sendQueue.push(bytes)

    if (stream.needsDrain && sendQueue.byteLength > limits.maxWriteBufferLength) {
      this.reset(stream, 0, new StreamBufferError(
        `${sendQueue.byteLength} bytes wait to be sent, the limit is ${limits.maxWriteBufferLength} (option maxWriteBufferLength)`))

      return false
    }

    schedule(this.#state, stream)

    if (sendQueue.byteLength > 0 && stream.sendWindow.available === 0) {
      stall(this.#state, stream, now)
    }

    // what is empty never drains
    stream.needsDrain ||= sendQueue.byteLength >= Math.max(1, Math.min(limits.writeHighWaterMark, limits.maxWriteBufferLength))

    return !stream.needsDrain
  }

  read (stream: YamuxStream, max: number, now: number): Uint8Array | undefined {
    const bytes = stream.receiveQueue.shift(max)

    this.#consumed(stream, now)

    return bytes
  }

  readAll (stream: YamuxStream, now: number): Uint8Array[] {
    const bytes = stream.receiveQueue.takeAll()

    this.#consumed(stream, now)

    return bytes
  }

  retain (stream: YamuxStream): void {
    stream.receiveQueue.settle()
  }

  limit (stream: YamuxStream, limits: Partial<StreamLimits>): void {
    // the object is shared with other streams
    stream.limits = { ...stream.limits, ...limits }
    stream.receiveWindow.limit = Math.min(stream.maxWindow, stream.limits.maxReadBufferLength)

    if (!stream.closed) {
      watch(this.#state, stream)
      // a raised limit owes the peer credit that no read would remember
      returnCredit(this.#state, stream, this.#state.polledAt)
    }
  }

  end (stream: YamuxStream): void {
    if (!stream.apply('end')) {
      return
    }

    if (stream.sendQueue.byteLength === 0) {
      this.#state.owed.add(stream, Owed.fin)
    }
  }

  closeRead (stream: YamuxStream, now: number): void {
    const unread = stream.receiveQueue.byteLength

    this.#state.now = now

    stream.readClosed = true
    stream.receiveQueue.clear()

    if (unread > 0 && stream.send === 'ended') {
      // the peer may have no credit left to learn by that nobody reads
      resetLocally(this.#state, stream, 0, undefined)
    } else {
      this.#consumed(stream, now)
    }
  }

  reset (stream: YamuxStream, code: number, error: Error | undefined, now = this.#state.now): void {
    this.#state.now = now
    resetLocally(this.#state, stream, code, error)
  }

  refuse (stream: YamuxStream, code: number, error: Error): void {
    refuse(this.#state, stream, code, error)
  }

  ping (): number {
    return requestPing(this.#state)
  }

  drain (refuse = true): void {
    if (this.#state.phase === 'open') {
      this.#state.phase = 'draining'
    }

    this.#state.refusing ||= refuse
  }

  close (code: number, error: Error | undefined, now = this.#state.now): void {
    this.#state.now = now
    close(this.#state, code, error)
  }

  pollTransmit (max: number, now: number): Uint8Array[] | undefined {
    this.#state.polledAt = now
    this.#state.now = now

    return makeFrames(this.#state, max, now)
  }

  pollStream (): YamuxStream | undefined {
    return this.#state.edges.poll() as YamuxStream | undefined
  }

  pollEvent (): EngineEvent | undefined {
    return this.#state.events.shift()
  }

  pollTimeout (): number | undefined {
    return this.#state.deadlines.next
  }

  #consumed (stream: YamuxStream, now: number): void {
    stream.activeAt = now
    returnCredit(this.#state, stream, now)
  }

  /** A keep-alive ping was not answered in time. Any other sign of life counts: ping and pong may be far behind data. */
  #judgeSilence (now: number): void {
    const { config, deadlines, aliveAt } = this.#state
    const until = aliveAt + config.keepAliveTimeout

    if (until > now) {
      deadlines.set('pong', until)
      return
    }

    close(this.#state, GoAwayCode.internalError, new TimeoutError(
      `no sign of life for ${config.keepAliveTimeout} ms after a keep-alive ping (option keepAliveTimeout)`,
      { scope: 'connection', origin: 'transport' }))
  }

  /** Resets streams that were idle, or without credit, for too long. */
  #sweep (now: number): void {
    let next = Infinity
    let shortest = Infinity

    for (const stream of [...this.streams]) {
      const { inactivityTimeout, writeStallTimeout } = stream.limits

      if (stream.receiveQueue.byteLength > 0) {
        // it is our reader that takes its time
        stream.activeAt = now
      }

      if (stream.stalledAt !== undefined && now >= stream.stalledAt + writeStallTimeout) {
        this.#expire(stream, `the peer gave no credit for ${writeStallTimeout} ms while bytes wait to be sent (option writeStallTimeout)`)
      } else if (now >= stream.activeAt + inactivityTimeout) {
        this.#expire(stream, `nothing was sent, received or read for ${inactivityTimeout} ms (option inactivityTimeout)`)
      } else {
        next = Math.min(next, nextLimit(stream))
        shortest = Math.min(shortest, inactivityTimeout, writeStallTimeout)
      }
    }

    if (next !== Infinity) {
      this.#state.deadlines.advance('sweep', Math.max(next, now + shortest / SWEEP_PARTS))
    }
  }

  #expire (stream: YamuxStream, message: string): void {
    resetLocally(this.#state, stream, 0, new TimeoutError(message, { scope: 'stream', origin: 'local' }))
  }
}
