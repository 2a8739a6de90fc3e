/**
 * The yamux engine: one connection's protocol as a value. This file says what an application and a shell can ask of
 * it; what frames do is in `inbound.ts` and `outbound.ts`, how things end in `closing.ts`, why each of it is so in
 * `SPEC.md`. No I/O, clock, promise or timer may live here.
 */
import { BaseEngine } from '../../core/base-engine.ts'
import { dropUnread } from '../../core/closing.ts'
import { Token } from '../../core/decoder.ts'
import { stall, watch } from '../../core/timeouts.ts'
import { MuxerClosedError, TimeoutError } from '../../interface/errors.ts'
import { close, refuse, resetLocally } from './closing.ts'
import { MAX_MESSAGE_LENGTH, resolveStreamConfig } from './config.ts'
import { oweWaitingCredit, returnCredit } from './credit.ts'
import { GoAwayCode, MAX_UNACKNOWLEDGED } from './frame.ts'
import { receiveHeader, receivePayload } from './inbound.ts'
import { makeFrames, wantsTransmit } from './outbound.ts'
import { YamuxState, giveUpPing, requestPing, schedule, sendHeld } from './state.ts'
import { Owed, YamuxStream } from './stream.ts'
import type { YamuxConfig } from './config.ts'
import type { OpenOptions, RecordStatistics } from '../../core/engine.ts'
import type { StreamLimits } from '../../core/stream-record.ts'
import type { Role } from '../../core/stream-table.ts'

export class YamuxEngine extends BaseEngine<YamuxStream, YamuxState> {
  constructor (role: Role, config: YamuxConfig, now: number) {
    super(new YamuxState(role, config), config)

    this.connection.aliveAt = now
    this.connection.polledAt = now
    this.connection.now = now

    if (config.enableKeepAlive) {
      // at once: an idle path tells its round trip best
      this.connection.deadlines.set('keep-alive', now)
      this.handleTimeout(now)
    }
  }

  get wantsTransmit (): boolean {
    return wantsTransmit(this.connection)
  }

  override streamStatistics (stream: YamuxStream, now = this.connection.now): RecordStatistics {
    return {
      ...super.streamStatistics(stream, now),
      sendWindow: stream.sendWindow.available,
      receiveWindow: stream.receiveWindow.size
    }
  }

  receive (bytes: Uint8Array, now: number): void {
    const state = this.connection
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
    this.connection.now = now
    this.connection.aliveAt = now
  }

  override handleTimeout (now: number): void {
    const state = this.connection
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

    if (deadlines.expire('held', now)) {
      sendHeld(state, now)
    }

    if (deadlines.expire('credit', now)) {
      oweWaitingCredit(state, now)
    }

    super.handleTimeout(now)
  }

  open (now: number, options: OpenOptions = {}): YamuxStream | undefined {
    const state = this.connection
    const { config, table } = state

    if (state.phase === 'open' && state.remoteGoAway !== undefined) {
      throw new MuxerClosedError('the peer has said GoAway and accepts no more streams')
    }

    this.assertCanOpen()

    const streamConfig = options.limits === undefined ? config.stream : resolveStreamConfig(config.stream, options.limits)

    if (state.unacknowledged >= MAX_UNACKNOWLEDGED) {
      state.openIsWaiting = true

      return undefined
    }

    const id = table.nextId()

    if (id === undefined) {
      throw new MuxerClosedError('all stream ids of this connection have been used: open another connection')
    }

    const stream = new YamuxStream(id, false, streamConfig, now)

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
      this.connection.owed.add(stream, Owed.ack)
    }
  }

  limit (stream: YamuxStream, limits: Partial<StreamLimits>): void {
    // the object is shared with other streams
    stream.limits = { ...stream.limits, ...limits }
    stream.limits.maxMessageSize = Math.min(stream.limits.maxMessageSize, MAX_MESSAGE_LENGTH)
    stream.receiveWindow.limit = Math.min(stream.config.maxStreamWindowSize, stream.limits.maxReadBufferLength)

    if (!stream.closed) {
      watch(this.connection, stream)
      // a raised limit owes the peer credit that no read would remember
      returnCredit(this.connection, stream, this.connection.polledAt)
    }
  }

  end (stream: YamuxStream): void {
    if (!stream.apply('end')) {
      return
    }

    if (stream.sendQueue.byteLength === 0) {
      this.connection.owed.add(stream, Owed.fin)
    }
  }

  closeRead (stream: YamuxStream, now: number): void {
    const unread = stream.receiveQueue.byteLength

    this.connection.now = now

    stream.readClosed = true
    dropUnread(this.connection, stream)

    if (unread > 0 && stream.send === 'ended') {
      // the peer may have no credit left to learn by that nobody reads
      resetLocally(this.connection, stream, 0, undefined)
    } else {
      this.consumed(stream, now)
    }
  }

  reset (stream: YamuxStream, code: number, error: Error | undefined, now = this.connection.now): void {
    this.connection.now = now
    resetLocally(this.connection, stream, code, error)
  }

  refuse (stream: YamuxStream, code: number, error: Error): void {
    refuse(this.connection, stream, code, error)
  }

  ping (): number {
    return requestPing(this.connection)
  }

  giveUpPing (id: number): void {
    giveUpPing(this.connection, id)
  }

  close (code: number | undefined, error: Error | undefined, now = this.connection.now): void {
    this.connection.now = now
    close(this.connection, code, error)
  }

  pollTransmit (max: number, now: number): Uint8Array[] | undefined {
    this.connection.polledAt = now
    this.connection.now = now

    return makeFrames(this.connection, max, now)
  }

  protected get incomplete (): boolean {
    return this.connection.decoder.incomplete
  }

  protected queued (stream: YamuxStream, now: number): void {
    schedule(this.connection, stream)

    if (stream.sendQueue.byteLength > 0 && stream.sendWindow.available === 0) {
      stall(this.connection, stream, now)
    }
  }

  protected consumed (stream: YamuxStream, now: number): void {
    stream.activeAt = now
    returnCredit(this.connection, stream, now)
  }

  /** A keep-alive ping was not answered in time. Any other sign of life counts: ping and pong may be far behind data. */
  #judgeSilence (now: number): void {
    const { config, deadlines, aliveAt } = this.connection
    const until = aliveAt + config.keepAliveTimeout

    if (until > now) {
      deadlines.set('pong', until)
      return
    }

    close(this.connection, GoAwayCode.internalError, new TimeoutError(
      `no sign of life for ${config.keepAliveTimeout} ms after a keep-alive ping (option keepAliveTimeout)`,
      { scope: 'connection', origin: 'transport' }))
  }
}
