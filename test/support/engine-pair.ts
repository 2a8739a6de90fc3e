/**
 * One yamux engine, or two that talk, with a number for a clock. What goes in is bytes, what comes out is told in lines:
 * see `lineOf`.
 */
import { takeEdges } from '../../src/core/stream-lanes.ts'
import { Edge } from '../../src/core/stream-record.ts'
import { resolveConfig } from '../../src/protocols/yamux/config.ts'
import { YamuxEngine } from '../../src/protocols/yamux/engine.ts'
import { ACK, FrameReader, SYN, join, lineOf, pong, windowUpdate } from './frames.ts'
import type { Frame } from './frames.ts'
import type { EngineEvent, OpenOptions } from '../../src/core/engine.ts'
import type { Role } from '../../src/core/stream-table.ts'
import type { YamuxOptions } from '../../src/protocols/yamux/config.ts'
import type { YamuxStream } from '../../src/protocols/yamux/stream.ts'

/** More deadlines than this in one go are a clock that does not move. */
const MANY_DEADLINES = 10_000

export class EngineDriver {
  readonly engine: YamuxEngine

  /** Milliseconds; not 0 at first, as a clock that happens to start there hides mistakes. */
  now: number

  readonly #streams = new Map<number, YamuxStream>()
  readonly #reader = new FrameReader()

  /** Keep-alive is off unless asked for: its first ping would stand at the head of every list of frames. */
  constructor (role: Role = 'client', options: YamuxOptions = {}, now = 1_000) {
    this.now = now
    this.engine = new YamuxEngine(role, resolveConfig({ enableKeepAlive: false, ...options }), now)
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
    return this.#reader.push(this.bytes(max))
  }

  /** Everything that is owed, a line for each frame. */
  sent (max = Infinity): string[] {
    return this.frames(max).map(lineOf)
  }

  /** What one poll gives. */
  sentOnce (max: number): string[] {
    return this.#reader.push(...this.engine.pollTransmit(max, this.now) ?? []).map(lineOf)
  }

  /** `<stream id> <what happened>`, in order. */
  edges (): string[] {
    const lines: string[] = []

    for (let stream = this.engine.pollStream(); stream !== undefined; stream = this.engine.pollStream()) {
      const edges = takeEdges(stream)

      this.#streams.set(stream.id, stream)

      for (const [name, bit] of Object.entries(Edge)) {
        if ((edges & bit) !== 0) {
          lines.push(`${stream.id} ${name}`)
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

  open (options?: OpenOptions): YamuxStream {
    const stream = this.engine.open(this.now, options)

    if (stream === undefined) {
      throw new Error('too many streams wait for their ACK')
    }

    this.#streams.set(stream.id, stream)

    return stream
  }

  /** The stream of that id, even after it ended. */
  stream (id: number): YamuxStream {
    for (const stream of this.engine.streams) {
      this.#streams.set(stream.id, stream)
    }

    const stream = this.#streams.get(id)

    if (stream === undefined) {
      throw new Error(`there was never a stream ${id}`)
    }

    return stream
  }

  accept (id: number): YamuxStream {
    const stream = this.stream(id)

    this.engine.accept(stream)

    return stream
  }

  write (stream: YamuxStream, bytes: Uint8Array): boolean {
    return this.engine.write(stream, bytes, this.now)
  }

  /** Takes up to `max` bytes, as the application would. */
  read (stream: YamuxStream, max = Infinity): Uint8Array {
    const parts: Uint8Array[] = []
    let left = max

    while (left > 0 && stream.receiveQueue.byteLength > 0) {
      const part = this.engine.read(stream, left, this.now) as Uint8Array

      parts.push(part)
      left -= part.byteLength
    }

    return join(...parts)
  }

  end (stream: YamuxStream): void {
    this.engine.end(stream)
  }

  closeRead (stream: YamuxStream): void {
    this.engine.closeRead(stream, this.now)
  }

  reset (stream: YamuxStream, code = 0, error?: Error): void {
    this.engine.reset(stream, code, error)
  }

  /** A ping and its answer: from then on the round trip is known. */
  measure (millis: number): this {
    const id = this.engine.ping()

    this.sent()
    this.now += millis
    this.give(pong(id))
    this.events()

    return this
  }

  /** As many pings and answers as it takes to know the round trip for good. */
  know (millis: number): this {
    for (let i = 0; i < 5; i++) {
      this.measure(millis)
    }

    return this
  }

  /** An inbound stream that was accepted, with all that this makes us say taken off. */
  inbound (id: number, delta = 0): YamuxStream {
    this.give(windowUpdate(id, delta, SYN))

    const stream = this.accept(id)

    this.settle()

    return stream
  }

  /** An outbound stream that the peer has acknowledged, with all that this makes us say taken off. */
  outbound (options?: OpenOptions): YamuxStream {
    const stream = this.open(options)

    this.give(windowUpdate(stream.id, 0, ACK))
    this.settle()

    return stream
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
export class EnginePair {
  readonly client: EngineDriver
  readonly server: EngineDriver

  constructor (client: YamuxOptions = {}, server: YamuxOptions = client) {
    this.client = new EngineDriver('client', client)
    this.server = new EngineDriver('server', server)
  }

  /** Returns what either side sent. */
  exchange (): { client: string[], server: string[] } {
    const client: Frame[] = []
    const server: Frame[] = []

    while (this.client.engine.wantsTransmit || this.server.engine.wantsTransmit) {
      client.push(...move(this.client, this.server))
      server.push(...move(this.server, this.client))
    }

    return { client: client.map(lineOf), server: server.map(lineOf) }
  }

  pass (millis: number): void {
    this.client.pass(millis)
    this.server.pass(millis)
  }
}

function move (from: EngineDriver, to: EngineDriver): Frame[] {
  const bytes = from.bytes()

  to.give(bytes)

  return new FrameReader().push(bytes)
}
