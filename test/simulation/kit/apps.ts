/** Applications for simulated streams: each a state machine that is told what happened and does what comes next. */
import { Edge } from '../../../src/core/stream-record.ts'
import { isPattern, pattern } from './pattern.ts'
import type { VirtualClock } from './clock.ts'
import type { AnyEndpoint, App } from './endpoint.ts'
import type { StreamRecord } from '../../../src/core/stream-record.ts'

/** Several that share a stream, such as one that writes and one that reads. */
export function together (...apps: App[]): App {
  return {
    onEdges (edges) {
      for (const app of apps) {
        app.onEdges(edges)
      }
    }
  }
}

/** Which bytes a stream carries: one flow each way. */
export function flowFrom (endpoint: AnyEndpoint, stream: StreamRecord): number {
  return endpoint.flowOf(stream) * 2 + (endpoint.name === 'client' ? 0 : 1)
}

function flowTo (endpoint: AnyEndpoint, stream: StreamRecord): number {
  return endpoint.flowOf(stream) * 2 + (endpoint.name === 'client' ? 1 : 0)
}

/** Writes as fast as it may, which is while `write()` says so, and ends after `total` bytes. */
export class Sender implements App {
  written = 0

  readonly #endpoint: AnyEndpoint
  readonly #stream: StreamRecord
  readonly #total: number

  constructor (endpoint: AnyEndpoint, stream: StreamRecord, total = Infinity) {
    this.#endpoint = endpoint
    this.#stream = stream
    this.#total = total
    this.#pump()
  }

  onEdges (edges: number): void {
    if ((edges & Edge.writable) !== 0) {
      this.#pump()
    }
  }

  #pump (): void {
    const stream = this.#stream

    while (stream.send === 'open' && !stream.needsDrain && this.written < this.#total) {
      const bytes = pattern(flowFrom(this.#endpoint, stream), this.written, Math.min(65_536, this.#total - this.written))

      this.written += bytes.byteLength
      this.#endpoint.write(stream, bytes)
    }

    if (this.written === this.#total && stream.send === 'open') {
      this.#endpoint.end(stream)
    }
  }
}

/** Reads everything at once, and checks it. */
export class Reader implements App {
  read = 0

  /** The peer has ended, and all before that was read. */
  ended = false
  paused = false

  readonly endpoint: AnyEndpoint
  readonly stream: StreamRecord

  constructor (endpoint: AnyEndpoint, stream: StreamRecord) {
    this.endpoint = endpoint
    this.stream = stream
  }

  onEdges (edges: number): void {
    if ((edges & (Edge.readable | Edge.remoteEnded | Edge.closed)) !== 0 && !this.paused) {
      this.readSome(Infinity)
    }

    this.endpoint.engine.retain(this.stream)
  }

  resume (): void {
    this.paused = false
    this.readSome(Infinity)
  }

  readSome (max: number): void {
    while (max > 0 && this.stream.receiveQueue.byteLength > 0) {
      const bytes = this.endpoint.read(this.stream, max) as Uint8Array

      if (!isPattern(flowTo(this.endpoint, this.stream), this.read, bytes)) {
        throw new Error(`${this.endpoint.name} read bytes on stream ${this.stream.name} at ${this.read} that nobody wrote there`)
      }

      this.read += bytes.byteLength
      max -= bytes.byteLength
    }

    this.ended ||= this.stream.receive === 'ended' && this.stream.receiveQueue.byteLength === 0
  }
}

/** Reads so many bytes every so many milliseconds. */
export class SlowReader extends Reader {
  constructor (endpoint: AnyEndpoint, stream: StreamRecord, clock: VirtualClock, bytes: number, millis: number) {
    super(endpoint, stream)
    this.paused = true

    const tick = (): void => {
      this.readSome(bytes)

      if (!this.ended) {
        clock.schedule(tick, millis)
      }
    }

    clock.schedule(tick, millis)
  }
}

/** Sends back what it is sent, as far as it is taken, and ends after the peer has. */
export class Echo implements App {
  readonly #endpoint: AnyEndpoint
  readonly #stream: StreamRecord

  constructor (endpoint: AnyEndpoint, stream: StreamRecord) {
    this.#endpoint = endpoint
    this.#stream = stream
  }

  onEdges (): void {
    const stream = this.#stream

    while (!stream.needsDrain && stream.receiveQueue.byteLength > 0 && stream.send === 'open') {
      this.#endpoint.write(stream, this.#endpoint.read(stream) as Uint8Array)
    }

    if (stream.receive === 'ended' && stream.receiveQueue.byteLength === 0 && stream.send === 'open') {
      this.#endpoint.end(stream)
    }
  }
}

/** Sends a message, waits for its echo, and sends the next after a while. */
export class Asker implements App {
  /** How long each answer took, in milliseconds. */
  readonly times: number[] = []
  onAsk: (() => void) | undefined

  readonly #endpoint: AnyEndpoint
  readonly #stream: StreamRecord
  readonly #clock: VirtualClock
  readonly #bytes: number
  readonly #millis: number
  #askedAt = 0
  #missing = 0

  constructor (endpoint: AnyEndpoint, stream: StreamRecord, clock: VirtualClock, bytes: number, millis: number) {
    this.#endpoint = endpoint
    this.#stream = stream
    this.#clock = clock
    this.#bytes = bytes
    this.#millis = millis
    this.#later()
  }

  onEdges (): void {
    while (this.#stream.receiveQueue.byteLength > 0) {
      this.#missing -= (this.#endpoint.read(this.#stream) as Uint8Array).byteLength

      if (this.#missing === 0) {
        this.times.push(this.#clock.now() - this.#askedAt)
        this.#later()
      }
    }
  }

  #later (): void {
    this.#clock.schedule(() => {
      if (this.#stream.send === 'open') {
        this.#askedAt = this.#clock.now()
        this.#missing = this.#bytes
        this.onAsk?.()
        this.#endpoint.write(this.#stream, pattern(0, 0, this.#bytes))
      }
    }, this.#millis)
  }
}
