/**
 * The mplex engine: one connection's protocol as a value. This file says what an application and a shell can ask of
 * it; what messages do is in `inbound.ts` and `outbound.ts`, how things end in `closing.ts`, why each of it is so in
 * `SPEC.md`. No I/O, clock, promise or timer may live here.
 */
import { BaseEngine } from '../../core/base-engine.ts'
import { dropUnread } from '../../core/closing.ts'
import { Token } from '../../core/decoder.ts'
import { watch } from '../../core/timeouts.ts'
import { ConnectionClosedError } from '../../interface/errors.ts'
import { close, cut, refuse, resetLocally, violation } from './closing.ts'
import { resolveStreamConfig } from './config.ts'
import { MAX_MESSAGE_LENGTH } from './frame.ts'
import { receiveHeader, receivePayload } from './inbound.ts'
import { makeFrames, wantsTransmit } from './outbound.ts'
import { MplexState } from './state.ts'
import { MplexStream, Owed } from './stream.ts'
import type { ConnectionLimits } from '../../core/connection-state.ts'
import type { OpenOptions } from '../../core/engine.ts'
import type { StreamLimits } from '../../core/stream-record.ts'

export class MplexEngine extends BaseEngine<MplexStream, MplexState> {
  constructor (config: ConnectionLimits, now: number) {
    super(new MplexState(config), config)
    this.connection.now = now
  }

  get wantsTransmit (): boolean {
    return wantsTransmit(this.connection)
  }

  receive (bytes: Uint8Array, now: number): void {
    const state = this.connection
    const { decoder } = state

    state.now = now
    decoder.push(bytes)

    while (state.phase !== 'closed') {
      const token = decoder.next()

      if (token === Token.payload) {
        receivePayload(state, decoder.payload, now)
      } else if (token === Token.header) {
        receiveHeader(state, now)
      } else if (token === Token.malformed) {
        violation(state, decoder.fault)
      } else {
        return
      }
    }
  }

  receiveDrain (now: number): void {
    this.connection.now = now
  }

  /**
   * Mplex has no word for leaving but the end of the connection. When the peer had ended every stream, and we had nothing
   * more to send, it leaves in order: what is cut are our halves of those streams, and not the connection.
   */
  override receiveEnd (cause: Error | undefined, now = this.connection.now): void {
    const { connection } = this
    const streams = [...this.streams]

    connection.now = now

    if (cause === undefined && !this.incomplete && streams.every(({ receive, sendQueue }) => receive !== 'open' && sendQueue.byteLength === 0)) {
      for (const stream of streams) {
        cut(connection, stream, new ConnectionClosedError('the peer closed the connection under the muxer', { origin: 'transport' }))
      }
    }

    super.receiveEnd(cause, now)
  }

  open (now: number, options: OpenOptions = {}): MplexStream {
    const { connection } = this
    const { stream: defaults } = connection.config

    this.assertCanOpen()

    const limits = options.limits === undefined ? defaults : resolveStreamConfig(defaults, options.limits)
    const stream = new MplexStream(connection.nextId++, false, limits, now)

    stream.urgency = options.urgency ?? stream.urgency
    stream.incremental = options.incremental ?? stream.incremental
    connection.table.add(stream)
    watch(connection, stream)
    connection.owed.add(stream, Owed.open)

    return stream
  }

  /** Mplex has no word for it. */
  accept (): void {}

  limit (stream: MplexStream, limits: Partial<StreamLimits>): void {
    // the object is shared with other streams
    stream.limits = { ...stream.limits, ...limits }
    stream.limits.maxMessageSize = Math.min(stream.limits.maxMessageSize, MAX_MESSAGE_LENGTH)

    if (!stream.closed) {
      watch(this.connection, stream)
    }
  }

  end (stream: MplexStream): void {
    if (stream.apply('end') && stream.sendQueue.byteLength === 0) {
      this.connection.owed.add(stream, Owed.close)
    }
  }

  closeRead (stream: MplexStream, now: number): void {
    stream.readClosed = true
    stream.activeAt = now
    dropUnread(this.connection, stream)
  }

  reset (stream: MplexStream, code: number, error: Error | undefined, now = this.connection.now): void {
    this.connection.now = now
    resetLocally(this.connection, stream, code, error)
  }

  refuse (stream: MplexStream, code: number, error: Error): void {
    refuse(this.connection, stream, code, error)
  }

  /** There is none. */
  ping (): undefined {}
  giveUpPing (): void {}

  /** Without a code nobody would hear what we say. The code itself is not said, as mplex has no word for it. */
  close (code: number | undefined, error: Error | undefined, now = this.connection.now): void {
    this.connection.now = now
    close(this.connection, code === undefined, error)
  }

  pollTransmit (max: number, now: number): Uint8Array[] | undefined {
    this.connection.now = now

    return makeFrames(this.connection, max, now)
  }

  protected get incomplete (): boolean {
    return this.connection.decoder.incomplete
  }

  protected queued (stream: MplexStream): void {
    if (stream.sendQueue.byteLength > 0) {
      this.connection.scheduler.add(stream)
    }
  }

  protected consumed (stream: MplexStream, now: number): void {
    stream.activeAt = now
  }
}
