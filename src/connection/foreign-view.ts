/**
 * What a stream of any other libp2p muxer is, as far as it says so itself: its statuses, its lengths and its limits. What
 * our surface makes of it is in `foreign-stream.ts`.
 */
import { checkLimits, neverIfZero } from '../core/checks.ts'
import { ConnectionClosedError, StreamResetError } from '../interface/errors.ts'
import { checkPriority } from './checks.ts'
import { StreamSurface } from './stream-surface.ts'
import { abortedBy } from './stream-view.ts'
import type { MuxError } from '../interface/errors.ts'
import type { Priority } from '../interface/muxer.ts'
import type { Logger, MessageStreamDirection, MessageStreamReadStatus, MessageStreamStatus, MessageStreamTimeline, MessageStreamWriteStatus, Stream, StreamCloseEvent } from '@libp2p/interface'

export abstract class ForeignView extends StreamSurface {
  protected readonly inner: Stream

  // kept, and told to nobody: other muxers have none
  #priority: Priority

  constructor (inner: Stream, priority?: Partial<Priority>) {
    super()
    this.inner = inner
    this.#priority = { urgency: 3, incremental: true, ...checkPriority(priority) }
  }

  get id (): string {
    return this.inner.id
  }

  get protocol (): string {
    return this.inner.protocol
  }

  set protocol (protocol: string) {
    this.inner.protocol = protocol
  }

  get direction (): MessageStreamDirection {
    return this.inner.direction
  }

  get log (): Logger {
    return this.inner.log
  }

  get timeline (): MessageStreamTimeline {
    return this.inner.timeline
  }

  get writeStatus (): MessageStreamWriteStatus {
    return this.inner.writeStatus
  }

  get remoteReadStatus (): MessageStreamReadStatus {
    return this.inner.remoteReadStatus
  }

  get remoteWriteStatus (): MessageStreamWriteStatus {
    return this.inner.remoteWriteStatus
  }

  get writeBufferLength (): number {
    return this.inner.writeBufferLength
  }

  get writableNeedsDrain (): boolean {
    return this.inner.writableNeedsDrain
  }

  get inactivityTimeout (): number {
    return this.inner.inactivityTimeout
  }

  set inactivityTimeout (millis: number) {
    checkLimits({ inactivityTimeout: neverIfZero(millis) })
    this.inner.inactivityTimeout = millis
  }

  get maxReadBufferLength (): number {
    return this.inner.maxReadBufferLength
  }

  set maxReadBufferLength (bytes: number) {
    checkLimits({ maxReadBufferLength: bytes })
    this.inner.maxReadBufferLength = bytes
  }

  get maxWriteBufferLength (): number | undefined {
    return this.inner.maxWriteBufferLength
  }

  set maxWriteBufferLength (bytes: number | undefined) {
    checkLimits({ maxWriteBufferLength: bytes ?? Infinity })
    this.inner.maxWriteBufferLength = bytes
  }

  get priority (): Priority {
    return { ...this.#priority }
  }

  set priority (priority: Partial<Priority>) {
    this.#priority = { ...this.#priority, ...checkPriority(priority) }
  }
}

/**
 * Why a stream is over of which its status is all there is to go by. `isCut`: the connection ended it, which many muxers take
 * for its end in good order.
 */
export function whyOver (status: MessageStreamStatus, isCut: boolean): Error | undefined {
  if (status === 'closed' && isCut) {
    return new ConnectionClosedError('the connection ended before the stream', { origin: 'transport' })
  }

  if (status === 'reset' || status === 'aborted') {
    return new StreamResetError('the stream was reset before anybody listened', { origin: status === 'reset' ? 'remote' : 'local' })
  }
}

/** What the event says of why a stream closed. Muxers of this package, below this surface, say themselves what it was. */
export function errorOf ({ error, local }: StreamCloseEvent, ended: object): Error | undefined {
  if (error === undefined || local === true) {
    return error && abortedBy(error, ended)
  }

  return (error as Partial<MuxError>).origin !== undefined ? error : new StreamResetError('reset by the peer', { origin: 'remote', cause: error })
}
