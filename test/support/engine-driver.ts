/**
 * An engine of any language, with a number for a clock. What goes in is bytes, what comes out is told in lines.
 */
import { takeEdges } from '../../src/core/stream-lanes.ts'
import { Edge } from '../../src/core/stream-record.ts'
import { join } from './frames.ts'
import type { BaseEngine } from '../../src/core/base-engine.ts'
import type { EngineEvent, OpenOptions } from '../../src/core/engine.ts'
import type { StreamId, StreamRecord } from '../../src/core/stream-record.ts'

/** More deadlines than this in one go are a clock that does not move. */
const MANY_DEADLINES = 10_000

/** Bytes in any pieces to frames, and frames to lines. */
export interface Wire<Frame> {
  push(...pieces: Uint8Array[]): Frame[]
  lineOf(frame: Frame): string
}

export abstract class AnyEngineDriver<Stream extends StreamRecord, Engine extends BaseEngine<Stream, any>, Frame> {
  readonly engine: Engine

  /** Milliseconds; not 0 at first, as a clock that happens to start there hides mistakes. */
  now: number

  readonly #streams = new Map<StreamId, Stream>()
  readonly #wire: Wire<Frame>

  constructor (createEngine: (now: number) => Engine, wire: Wire<Frame>, now = 1_000) {
    this.now = now
    this.engine = createEngine(now)
    this.#wire = wire
  }

  /** The peer sends: one call of `receive` for each. */
  give (...pieces: Uint8Array[]): this {
    for (const bytes of pieces) {
      this.engine.receive(bytes, this.now)
    }

    return this
  }

  /** What is owed, in buffers as a transport is given them, `max` bytes a poll. */
  buffers (max = Infinity): Uint8Array[][] {
    const polls: Uint8Array[][] = []

    for (let poll = this.engine.pollTransmit(max, this.now); poll !== undefined; poll = this.engine.pollTransmit(max, this.now)) {
      polls.push(poll)
    }

    return polls
  }

  bytes (max = Infinity): Uint8Array {
    return join(...this.buffers(max).flat())
  }

  /** Everything that is owed. */
  frames (max = Infinity): Frame[] {
    return this.#wire.push(this.bytes(max))
  }

  /** Everything that is owed, a line for each frame. */
  sent (max = Infinity): string[] {
    return this.frames(max).map(frame => this.#wire.lineOf(frame))
  }

  /** What those bytes say, which begin and end with frames. */
  linesOf (bytes: Uint8Array): string[] {
    return this.#wire.push(bytes).map(frame => this.#wire.lineOf(frame))
  }

  /** What one poll gives. */
  sentOnce (max: number): string[] {
    return this.#wire.push(...this.engine.pollTransmit(max, this.now) ?? []).map(frame => this.#wire.lineOf(frame))
  }

  /** `<stream> <what happened>`, in order. */
  edges (): string[] {
    const lines: string[] = []

    for (let stream = this.engine.pollStream(); stream !== undefined; stream = this.engine.pollStream()) {
      const edges = takeEdges(stream)

      this.#streams.set(stream.id, stream)

      for (const [name, bit] of Object.entries(Edge)) {
        if ((edges & bit) !== 0) {
          lines.push(`${stream.name} ${name}`)
        }
      }
    }

    return lines
  }

  events (): EngineEvent[] {
    const events: EngineEvent[] = []

    for (let event = this.engine.pollEvent(); event !== undefined; event = this.engine.pollEvent()) {
      events.push(event)
    }

    return events
  }

  /** The error that the connection closed with. Throws when it did not close, or without an error. */
  closedBy (): Error & { code?: number, budget?: string } {
    const error = this.events().map(event => event.type === 'closed' ? event.error : undefined).find(error => error !== undefined)

    if (error === undefined) {
      throw new Error(`not closed by an error: the engine is ${this.engine.state}`)
    }

    return error
  }

  open (options?: OpenOptions): Stream {
    const stream = this.engine.open(this.now, options)

    if (stream === undefined) {
      throw new Error('too many streams wait for their ACK')
    }

    this.#streams.set(stream.id, stream)

    return stream
  }

  /** The stream of that id, even after it ended. */
  stream (id: Stream['id']): Stream {
    for (const stream of this.engine.streams) {
      this.#streams.set(stream.id, stream)
    }

    const stream = this.#streams.get(id)

    if (stream === undefined) {
      throw new Error(`there was never a stream ${id}`)
    }

    return stream
  }

  accept (id: Stream['id']): Stream {
    const stream = this.stream(id)

    this.engine.accept(stream)

    return stream
  }

  write (stream: Stream, bytes: Uint8Array): boolean {
    return this.engine.write(stream, bytes, this.now)
  }

  /** Takes up to `max` bytes, as the application would. */
  read (stream: Stream, max = Infinity): Uint8Array {
    const parts: Uint8Array[] = []
    let left = max

    while (left > 0 && stream.receiveQueue.byteLength > 0) {
      const part = this.engine.read(stream, left, this.now) as Uint8Array

      parts.push(part)
      left -= part.byteLength
    }

    return join(...parts)
  }

  end (stream: Stream): void {
    this.engine.end(stream, this.now)
  }

  closeRead (stream: Stream): void {
    this.engine.closeRead(stream, this.now)
  }

  reset (stream: Stream, code = 0, error?: Error): void {
    this.engine.reset(stream, code, error)
  }

  /** Takes off all that the engine has to say. */
  settle (): this {
    this.sent()
    this.edges()
    this.events()

    return this
  }

  /** Time goes by, and each deadline on the way is met at its time. */
  pass (millis: number): this {
    const until = this.now + millis

    for (let met = 0; ; met++) {
      const next = this.engine.pollTimeout()

      if (next === undefined || next > until) {
        this.now = until

        return this
      }

      if (met > MANY_DEADLINES) {
        throw new Error(`a deadline at ${next} does not go away`)
      }

      this.now = Math.max(this.now, next)
      this.engine.handleTimeout(this.now)
    }
  }
}

/** Two engines without a link between them: everything owed arrives at once, until nothing is owed. */
export class AnyEnginePair<Driver extends AnyEngineDriver<any, any, any>> {
  readonly client: Driver
  readonly server: Driver

  constructor (client: Driver, server: Driver) {
    this.client = client
    this.server = server
  }

  /** Returns what either side sent. */
  exchange (): { client: string[], server: string[] } {
    const client: string[] = []
    const server: string[] = []

    while (this.client.engine.wantsTransmit || this.server.engine.wantsTransmit) {
      client.push(...move(this.client, this.server))
      server.push(...move(this.server, this.client))
    }

    return { client, server }
  }

  pass (millis: number): void {
    this.client.pass(millis)
    this.server.pass(millis)
  }
}

function move (from: AnyEngineDriver<any, any, any>, to: AnyEngineDriver<any, any, any>): string[] {
  const bytes = from.bytes()

  to.give(bytes)

  return from.linesOf(bytes)
}
