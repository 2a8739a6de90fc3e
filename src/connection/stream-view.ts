/**
 * What a stream is, as libp2p's `Stream` shows it: its statuses, its lengths and its limits, all read from the record
 * that the engine keeps. What it does is in `stream.ts`.
 */
import { checkLimits, neverIfZero } from '../core/checks.ts'
import { checkPriority } from './checks.ts'
import { afterTurn } from './clock.ts'
import { StreamSurface } from './stream-surface.ts'
import type { Engine } from '../core/engine.ts'
import type { StreamLimits, StreamRecord } from '../core/stream-record.ts'
import type { SendHalf } from '../core/stream-state.ts'
import type { ErrorOrigin, MuxError } from '../interface/errors.ts'
import type { Priority, Urgency } from '../interface/muxer.ts'
import type { FullStreamStatistics } from '../interface/statistics.ts'
import type { Logger, MessageStreamDirection, MessageStreamReadStatus, MessageStreamStatus, MessageStreamTimeline, MessageStreamWriteStatus } from '@libp2p/interface'

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly engine: Engine
  readonly log: Logger

  /** By `Date.now()`. */
  readonly openedAt: number
  now(): number

  /** The engine was given something to do. */
  changed(): void
}

export abstract class StreamView extends StreamSurface {
  /** @internal */
  readonly record: StreamRecord

  protected readonly host: StreamHost
  protected paused = false

  #protocol = ''
  #log: Logger | undefined
  #timeline: MessageStreamTimeline | undefined

  // after its connection: a small integer, where a time of day takes 16 bytes more, and its object 32
  readonly #openedAfter: number

  constructor (host: StreamHost, record: StreamRecord) {
    super()
    this.host = host
    this.record = record
    this.#openedAfter = Date.now() - host.openedAt
  }

  get protocol (): string {
    return this.#protocol
  }

  /** Written by libp2p once it is agreed on: that is what was read so far, however long it took, and the application begins now. */
  set protocol (protocol: string) {
    this.#protocol = protocol

    if (this.host.engine.begin(this.record)) {
      // later, as whoever agreed on it has the application begin in the same turn
      afterTurn(() => {
        this.host.engine.relieve(this.host.now())
        this.host.changed()
      })
    }
  }

  get timeline (): MessageStreamTimeline {
    this.#timeline ??= { open: this.host.openedAt + this.#openedAfter }

    return this.#timeline
  }

  get id (): string {
    return this.record.name
  }

  get direction (): MessageStreamDirection {
    return this.record.inbound ? 'inbound' : 'outbound'
  }

  get log (): Logger {
    // a scope costs 7 µs and 2.5 kB, more than the rest of a stream, and most streams never log
    this.#log ??= this.host.log.newScope(`${this.direction}:${this.id}`)

    return this.#log
  }

  abstract get readableEnded (): boolean

  get status (): MessageStreamStatus {
    const { closed, error } = this.record

    if (!closed) {
      return 'open'
    }

    if (error === undefined) {
      return 'closed'
    }

    return isLocal(error, this.record) ? 'aborted' : 'reset'
  }

  get readStatus (): MessageStreamReadStatus {
    const { closed, readClosed, receive } = this.record

    // who is being handed the last bytes may still pause the stream, or push some of them back
    if (readClosed || (closed && this.readBufferLength === 0 && (receive === 'reset' || this.readableEnded))) {
      return 'closed'
    }

    return this.paused ? 'paused' : 'readable'
  }

  get writeStatus (): MessageStreamWriteStatus {
    const { send } = this.record

    return WRITE_STATUS[send]
  }

  /** No language tells whether the peer still reads. */
  get remoteReadStatus (): MessageStreamReadStatus {
    return this.record.closed ? 'closed' : 'readable'
  }

  get remoteWriteStatus (): MessageStreamWriteStatus {
    return this.record.receive === 'open' ? 'writable' : 'closed'
  }

  get readBufferLength (): number {
    return this.record.receiveQueue.byteLength
  }

  get writeBufferLength (): number {
    return this.record.sendQueue.byteLength
  }

  /** What waits to be sent, as libp2p's own streams show it. */
  get writeBuffer (): { byteLength: number } {
    return this.record.sendQueue
  }

  get writableNeedsDrain (): boolean {
    return this.record.needsDrain
  }

  get inactivityTimeout (): number {
    return this.record.limits.inactivityTimeout
  }

  /** In milliseconds, more than 0; 0 and `Infinity` are never. @throws {InvalidParametersError} */
  set inactivityTimeout (millis: number) {
    this.#limit({ inactivityTimeout: neverIfZero(millis) })
  }

  get maxReadBufferLength (): number {
    return this.record.limits.maxReadBufferLength
  }

  /**
   * In bytes, at least 1. Lowered below what the peer was already granted, it holds as soon as that much was read.
   *
   * @throws {InvalidParametersError}
   */
  set maxReadBufferLength (bytes: number) {
    this.#limit({ maxReadBufferLength: bytes })
  }

  get maxWriteBufferLength (): number {
    return this.record.limits.maxWriteBufferLength
  }

  /** In bytes; `undefined` and `Infinity` are no limit. @throws {InvalidParametersError} */
  set maxWriteBufferLength (bytes: number | undefined) {
    this.#limit({ maxWriteBufferLength: bytes ?? Infinity })
  }

  get maxMessageSize (): number {
    return this.record.limits.maxMessageSize
  }

  /** In bytes, at least 1; what is more than peers take, 1 MiB, is that. @throws {InvalidParametersError} */
  set maxMessageSize (bytes: number) {
    this.#limit({ maxMessageSize: bytes })
  }

  get priority (): Priority {
    const { urgency, incremental } = this.record

    return { urgency: urgency as Urgency, incremental }
  }

  /** Takes effect with the next frame. */
  set priority (priority: Partial<Priority>) {
    const { urgency = this.record.urgency, incremental = this.record.incremental } = checkPriority(priority)

    this.record.urgency = urgency
    this.record.incremental = incremental
  }

  get sendWindow (): number | undefined {
    return this.stats().sendWindow
  }

  get receiveWindow (): number | undefined {
    return this.stats().receiveWindow
  }

  stats (): FullStreamStatistics {
    const { error } = this.record
    const { open, close = Date.now() } = this.timeline

    return {
      openMillis: close - open,
      ...this.host.engine.streamStatistics(this.record, this.host.now()),
      ...resetOf(error, this.record)
    }
  }

  #limit (limits: Partial<StreamLimits>): void {
    checkLimits(limits)
    this.host.engine.limit(this.record, limits)
    this.host.changed()
  }
}

/** Who ended a stream, if it did not end by itself. What is not known is absent, as in JSON. */
export function resetOf (error: Error | undefined, ended: object): Pick<FullStreamStatistics, 'reset'> {
  if (error === undefined) {
    return {}
  }

  // that of another stream went to nobody here
  const code = ABORTED.has(ended) ? undefined : codeOf(error)

  return { reset: { by: originOf(error, ended), ...(code === undefined ? {} : { code }) } }
}

const WRITE_STATUS: Record<SendHalf, MessageStreamWriteStatus> = { open: 'writable', ending: 'closing', ended: 'closed', reset: 'closed' }

/** What our side ended with an error that it had of something else: a relay passes on that of the stream which it stands for. */
const ABORTED = new WeakSet<object>()

/** Our side aborts a stream, or a connection, which it does by whatever error. Returns it. */
export function abortedBy (error: Error, ended: object): Error {
  if (!isLocal(error, ended)) {
    ABORTED.add(ended)
  }

  return error
}

/** libp2p tells a stream that our side gave up from one that the peer, or the path, broke. */
export function isLocal (error: Error, ended: object): boolean {
  return originOf(error, ended) === 'local'
}

/** Of the end of a stream, or a connection, by the error. */
export function originOf (error: Error, ended: object): ErrorOrigin {
  return ABORTED.has(ended) ? 'local' : (error as Partial<MuxError>).origin ?? 'local'
}

function codeOf (error: Error): number | undefined {
  // errors of Node.js have a code of another kind
  const { code } = error as Partial<MuxError>

  return typeof code === 'number' ? code : undefined
}
