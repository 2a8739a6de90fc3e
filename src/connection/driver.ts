/**
 * Drives an engine: bytes from the link into it, frames from it to the link, its one timer, and what it has to tell to
 * whoever holds it.
 *
 * Frames are made only when the link can take them: one microtask after something became due, when a delivery has been
 * answered, and whenever the link drains. An engine is never re-entered: what a listener asks for is told after the call
 * that it listened in.
 */
import { takeEdges } from '../core/stream-lanes.ts'
import { Alarm } from './clock.ts'
import { Link } from './link.ts'
import type { Clock } from './clock.ts'
import type { Engine, EngineEvent } from '../core/engine.ts'
import type { StreamRecord } from '../core/stream-record.ts'
import type { MessageStream } from '@libp2p/interface'

/**
 * A delivery of more is handed over in parts, and those who listen hear of each: what a WebSocket brings at once may be
 * more than streams keep unread. Sockets, and noise over them, deliver no more than this.
 */
const TELL_BYTES = 131_072

/**
 * What lies in a larger buffer is copied out of it: an application that keeps, or sends back, a slice of a message of 512 KiB keeps
 * all of that. 29 MB of echoes that nobody took were 448 MiB so.
 */
const LARGE_BUFFER_BYTES = 131_072

export interface DriverHandlers {
  /** Something happened to a stream: bits of `Edge`. */
  onEdges(record: StreamRecord, edges: number): void
  onEvent(event: EngineEvent): void
}

export class Driver {
  readonly engine: Engine
  readonly link: Link

  readonly #clock: Clock
  readonly #alarm: Alarm
  readonly #handlers: DriverHandlers
  readonly #maxBatchLength: number
  #deliveredAt: number | undefined
  #turnAt: number | undefined
  #settling = false
  #flushScheduled = false

  constructor (maConn: MessageStream, clock: Clock, maxBatchLength: number, createEngine: (now: number) => Engine, handlers: DriverHandlers) {
    this.#clock = clock
    this.#handlers = handlers
    this.#maxBatchLength = maxBatchLength
    this.engine = createEngine(clock.now())
    this.#alarm = new Alarm(clock, this.#onAlarm)
    this.link = new Link(maConn, {
      onBytes: this.#onBytes,
      onDrain: this.#onDrain,
      onTurn: this.#onTurn,
      onEnd: this.#onEnd
    })

    if (!this.link.open) {
      this.engine.receiveEnd(undefined, this.now())
    }

    this.changed()
  }

  /**
   * While a delivery is handed over, when it came; and one time for all that is asked of us before frames are made. A look at
   * the clock for each message was a tenth of what it cost either end.
   */
  now (): number {
    const now = this.#deliveredAt ?? this.#turnAt ?? this.#clock.now()

    if (this.#flushScheduled) {
      this.#turnAt = now
    }

    return now
  }

  /** The engine was given something to do: it is done before anything else happens, but not now. */
  changed (): void {
    if (!this.#flushScheduled) {
      this.#flushScheduled = true
      queueMicrotask(this.#flush)
    }
  }

  /** Tells all that the engine has to tell. */
  settle (): void {
    if (this.#settling) {
      // called by a listener: the loop below goes on with it
      return
    }

    this.#settling = true

    try {
      for (let record = this.engine.pollStream(); record !== undefined; record = this.engine.pollStream()) {
        this.#handlers.onEdges(record, takeEdges(record))
      }

      for (let event = this.engine.pollEvent(); event !== undefined; event = this.engine.pollEvent()) {
        this.#handlers.onEvent(event)
      }
    } finally {
      // a metrics plugin that throws must not stop us for good
      this.#settling = false
    }
  }

  /** The engine is closed: sends its last word, and leaves no connection, listener or timer behind. */
  stop (error: Error | undefined): void {
    this.#alarm.stop()
    this.link.detach()
    this.link.close(this.#poll(), error)
  }

  readonly #onBytes = (data: Iterable<Uint8Array>): void => {
    const first = !this.#flushScheduled

    this.#deliveredAt = this.#clock.now()

    try {
      this.#receive(data, this.#deliveredAt)
      this.settle()
    } finally {
      // a metrics plugin that throws must not stop the clock for good
      this.#deliveredAt = undefined
    }

    this.changed()

    // What listeners answered goes before the connection has all that it does after a delivery done: in noise an
    // exception of 12 µs ends each. A round trip over it takes 0.115 ms so, and 0.16 a microtask later. Answers to more
    // deliveries in the same turn go together.
    if (first) {
      this.#transmit()
    }
  }

  #receive (data: Iterable<Uint8Array>, now: number): void {
    let untold = 0

    for (const bytes of data) {
      for (let start = 0; start < bytes.byteLength; start += TELL_BYTES) {
        const slice = bytes.byteLength <= TELL_BYTES ? bytes : bytes.subarray(start, start + TELL_BYTES)
        const part = bytes.buffer.byteLength <= LARGE_BUFFER_BYTES ? slice : new Uint8Array(slice)

        untold += part.byteLength

        if (untold > TELL_BYTES) {
          this.settle()
          untold = part.byteLength
        }

        this.engine.receive(part, now)
      }
    }
  }

  readonly #onDrain = (): void => {
    this.engine.receiveDrain(this.now())
    this.#flush()
  }

  readonly #onTurn = (): void => {
    this.#flush()
  }

  readonly #onEnd = (cause: Error | undefined): void => {
    this.engine.receiveEnd(cause, this.now())
    this.settle()
  }

  readonly #onAlarm = (): void => {
    this.engine.handleTimeout(this.now())
    this.settle()
    this.changed()
  }

  readonly #poll = (): Uint8Array[] | undefined => {
    // how long the link was idle counts from here, so not the time at which all this began
    return this.engine.pollTransmit(this.#maxBatchLength, this.#clock.now())
  }

  #transmit (): void {
    if (this.engine.state !== 'closed') {
      this.link.transmit(this.#poll)
    }

    this.settle()
  }

  readonly #flush = (): void => {
    this.#flushScheduled = false
    this.#turnAt = undefined
    this.#transmit()

    if (this.engine.state !== 'closed') {
      this.#alarm.set(this.engine.pollTimeout())
    }
  }
}
