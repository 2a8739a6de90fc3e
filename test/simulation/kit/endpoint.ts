/**
 * One end: an engine, and around it the loop that a shell is (`src/connection`): receive, look at streams and events,
 * transmit while the pipe takes it, arm the one timer.
 */
import { takeEdges } from '../../../src/core/stream-lanes.ts'
import { Edge } from '../../../src/core/stream-record.ts'
import { resolveConfig } from '../../../src/protocols/yamux/config.ts'
import { YamuxEngine } from '../../../src/protocols/yamux/engine.ts'
import { DATA, FIN, RST, Recorder, SYN, WINDOW_UPDATE } from './recorder.ts'
import type { VirtualClock } from './clock.ts'
import type { Pipe } from './pipe.ts'
import type { BaseEngine } from '../../../src/core/base-engine.ts'
import type { ConnectionLimits } from '../../../src/core/connection-state.ts'
import type { EngineEvent, OpenOptions } from '../../../src/core/engine.ts'
import type { StreamId, StreamRecord } from '../../../src/core/stream-record.ts'
import type { YamuxConfig, YamuxOptions } from '../../../src/protocols/yamux/config.ts'
import type { YamuxStream } from '../../../src/protocols/yamux/stream.ts'

/** What uses a stream: an application as a small state machine. */
export interface App {
  onEdges(edges: number): void
}

/** Reads along, and throws at what was promised never to be sent. */
export interface Recording {
  framesSent: number
  framesReceived: number
  sent(buffers: Uint8Array[]): void
  received(bytes: Uint8Array): void
}

/** Hears what frames say of streams, in whatever language. A stream is known by its flow. */
export interface Listener {
  onOpen(flow: number): void

  /** So many bytes are announced, and arrive in parts. */
  onData(flow: number, length: number): void
  onBody(flow: number, length: number): void
  onEnd(flow: number): void
  onReset(flow: number): void

  onDataSent(flow: number, length: number): void
  onEndSent(flow: number): void
  onResetSent(flow: number): void
}

export abstract class AnyEndpoint<Stream extends StreamRecord = any, Engine extends BaseEngine<Stream, any> = any, Log extends Recording = any> {
  readonly name: string
  readonly engine: Engine
  readonly recorder: Log

  /** A stream of the peer's; it is accepted unless this says `false`. */
  onStream: ((stream: Stream) => boolean | undefined) | undefined
  onEvent: ((event: EngineEvent) => void) | undefined

  /** What has arrived was read along, and the engine has yet to see it. */
  onArrived: (() => void) | undefined

  closed = false
  error: Error | undefined

  /** Everything that was opened by either side, by id. */
  readonly streams = new Map<StreamId, Stream>()

  readonly #clock: VirtualClock
  readonly #out: Pipe
  #settling = false
  #flushScheduled = false
  #alarmAt = Infinity
  #cancelAlarm: (() => void) | undefined

  readonly #maxBatchLength: number

  constructor (name: string, engine: Engine, recorder: Log, clock: VirtualClock, out: Pipe, maxBatchLength: number) {
    this.name = name
    this.#clock = clock
    this.#out = out
    this.#maxBatchLength = maxBatchLength
    this.engine = engine
    this.recorder = recorder
    out.onDrain = () => { this.#flush() }
    this.changed()
  }

  abstract readonly config: ConnectionLimits

  /** The same number at both ends, and another for each stream. */
  abstract flowOf (stream: Stream): number
  abstract listen (listener: Listener): void

  get now (): number {
    return this.#clock.now()
  }

  receive (bytes: Uint8Array): void {
    if (!this.closed) {
      this.recorder.received(bytes)
      this.onArrived?.()
      this.engine.receive(bytes, this.now)
      this.#settle()
      this.changed()
    }
  }

  receiveEnd (cause?: Error): void {
    if (!this.closed) {
      this.engine.receiveEnd(cause)
      this.#settle()
    }
  }

  /** `undefined`: not before an `available` event. */
  open (app?: (stream: Stream) => App, options?: OpenOptions): Stream | undefined {
    const stream = this.engine.open(this.now, options)

    if (stream !== undefined) {
      this.streams.set(stream.id, stream)
      stream.attachment = app?.(stream)
      this.changed()
    }

    return stream
  }

  accept (stream: Stream): void {
    this.engine.accept(stream)
    this.changed()
  }

  write (stream: Stream, bytes: Uint8Array): boolean {
    const more = this.engine.write(stream, bytes, this.now)

    this.changed()

    return more
  }

  read (stream: Stream, max = Infinity): Uint8Array | undefined {
    const bytes = this.engine.read(stream, max, this.now)

    this.changed()

    return bytes
  }

  end (stream: Stream): void {
    this.engine.end(stream, this.now)
    this.changed()
  }

  closeRead (stream: Stream): void {
    this.engine.closeRead(stream, this.now)
    this.changed()
  }

  reset (stream: Stream, code = 0, error?: Error): void {
    this.engine.reset(stream, code, error)
    this.changed()
  }

  close (code = 0, error?: Error): void {
    this.engine.close(code, error)
    this.#settle()
  }

  /** The engine was given something to do: before time goes on, but not now. */
  changed (): void {
    if (!this.#flushScheduled && !this.closed) {
      this.#flushScheduled = true
      this.#clock.schedule(() => { this.#flush() }, 0)
    }
  }

  #flush (): void {
    this.#flushScheduled = false

    while (!this.closed && this.#out.writable && this.#transmit()) {
      // as long as the pipe takes it
    }

    this.#settle()
    this.#arm()
  }

  #transmit (): boolean {
    const frames = this.engine.pollTransmit(this.#maxBatchLength, this.now)

    if (frames === undefined) {
      return false
    }

    this.recorder.sent(frames)
    this.#out.send(frames)

    return true
  }

  #arm (): void {
    const at = this.closed ? undefined : this.engine.pollTimeout()

    if (at === undefined || at >= this.#alarmAt) {
      return
    }

    this.#cancelAlarm?.()
    this.#alarmAt = at
    this.#cancelAlarm = this.#clock.schedule(() => {
      this.#alarmAt = Infinity

      if (!this.closed) {
        this.engine.handleTimeout(this.now)
        this.#settle()
        this.changed()
      }
    }, at - this.now)
  }

  #settle (): void {
    if (this.#settling) {
      return
    }

    this.#settling = true

    for (let stream = this.engine.pollStream(); stream !== undefined; stream = this.engine.pollStream()) {
      this.#onEdges(stream, takeEdges(stream))
    }

    for (let event = this.engine.pollEvent(); event !== undefined; event = this.engine.pollEvent()) {
      if (event.type === 'closed') {
        this.#onClosed(event.error)
      }

      this.onEvent?.(event)
    }

    this.#settling = false
  }

  #onEdges (stream: Stream, edges: number): void {
    if ((edges & Edge.opened) !== 0) {
      this.streams.set(stream.id, stream)

      if (this.onStream?.(stream) !== false) {
        this.accept(stream)
      }
    }

    (stream.attachment as App | undefined)?.onEdges(edges)
  }

  #onClosed (error: Error | undefined): void {
    this.closed = true
    this.error = error
    this.#cancelAlarm?.()
    this.#transmit()
    this.#out.end()
  }
}

/** One end that speaks yamux. */
export class Endpoint extends AnyEndpoint<YamuxStream, YamuxEngine, Recorder> {
  readonly config: YamuxConfig

  constructor (name: string, role: 'client' | 'server', clock: VirtualClock, out: Pipe, options: YamuxOptions) {
    const config = resolveConfig(options)

    super(name, new YamuxEngine(role, config, clock.now()), new Recorder(name, role), clock, out, config.maxBatchLength)
    this.config = config
  }

  flowOf (stream: YamuxStream): number {
    return stream.id
  }

  listen (listener: Listener): void {
    this.recorder.onBody = (streamId, length) => { listener.onBody(streamId, length) }

    // one flag a frame, as both ends are ours
    this.recorder.onReceived = ({ type, flags, streamId, length }) => {
      if (type === DATA) {
        listener.onData(streamId, length)
      } else if (type === WINDOW_UPDATE && flags === SYN) {
        listener.onOpen(streamId)
      } else if (type === WINDOW_UPDATE && flags === FIN) {
        listener.onEnd(streamId)
      } else if (type === WINDOW_UPDATE && flags === RST) {
        listener.onReset(streamId)
      }
    }

    this.recorder.onSent = ({ type, flags, streamId, length }) => {
      if (type === DATA) {
        listener.onDataSent(streamId, length)
      } else if (type === WINDOW_UPDATE && flags === FIN) {
        listener.onEndSent(streamId)
      } else if (type === WINDOW_UPDATE && flags === RST) {
        listener.onResetSent(streamId)
      }
    }
  }

  ping (): number {
    const id = this.engine.ping()

    this.changed()

    return id
  }
}
