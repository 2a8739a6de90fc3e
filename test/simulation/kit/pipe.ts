/**
 * One direction of a connection. As a socket does, it takes what it is given, says when it would rather have no more,
 * and asks again once it has room; bytes leave it at its rate and arrive after its latency, cut as it likes.
 */
import type { VirtualClock } from './clock.ts'

export interface PipeOptions {
  /** Milliseconds on the way. @default 0 */
  latency?: number

  /** Bytes per millisecond. @default Infinity */
  rate?: number

  /** Bytes that it keeps before it asks to wait. @default 131_072 */
  capacity?: number

  /** The size of the next piece to deliver. @default 65_536, what a socket is read by */
  chop?(): number

  /** Milliseconds that the next piece is held up. @default 0 */
  stall?(): number
}

export class Pipe {
  /** What the sender sees. */
  writable = true
  onDrain: (() => void) | undefined

  /** What the receiver sees. */
  onBytes: ((bytes: Uint8Array) => void) | undefined
  onEnd: (() => void) | undefined

  /** The connection ends, for both, once this many bytes have arrived. */
  lifetime = Infinity
  onDeath: (() => void) | undefined

  /** Bytes accepted, and arrived. */
  sent = 0
  arrived = 0

  /** Bytes accepted that have not left, and the most there ever were. */
  queued = 0
  mostQueued = 0

  readonly #clock: VirtualClock
  readonly #latency: number
  readonly #rate: number
  readonly #capacity: number
  readonly #chop: () => number
  readonly #stall: () => number
  readonly #buffers: Uint8Array[] = []
  #head = 0
  #busy = false
  #stopped = false
  #ended = false
  #dead = false

  constructor (clock: VirtualClock, options: PipeOptions = {}) {
    this.#clock = clock
    this.#latency = options.latency ?? 0
    this.#rate = options.rate ?? Infinity
    this.#capacity = options.capacity ?? 131_072
    this.#chop = options.chop ?? (() => 65_536)
    this.#stall = options.stall ?? (() => 0)
  }

  /** `false`: no more until `onDrain`. */
  send (buffers: Uint8Array[]): boolean {
    if (this.#dead || this.#ended) {
      return false
    }

    for (const buffer of buffers) {
      this.#buffers.push(buffer)
      this.queued += buffer.byteLength
      this.sent += buffer.byteLength
    }

    this.mostQueued = Math.max(this.mostQueued, this.queued)
    this.writable = this.queued < this.#capacity
    this.#start()

    return this.writable
  }

  /** The receiver hears of the end after everything else. */
  end (): void {
    this.#ended = true
    this.#start()
  }

  /** Nothing leaves any more, as when the path has gone and the sockets do not know yet. */
  stop (): void {
    this.#stopped = true
  }

  resume (): void {
    this.#stopped = false
    this.#start()
  }

  /** Nothing arrives any more, not even an end. */
  die (): void {
    this.#dead = true
  }

  #start (): void {
    if (this.#busy || this.#stopped || this.#dead) {
      return
    }

    if (this.queued === 0) {
      if (this.#ended) {
        this.#busy = true
        this.#arrive(() => this.onEnd?.())
      }

      return
    }

    this.#busy = true

    const length = Math.min(this.queued, Math.max(1, this.#chop()))

    this.#clock.schedule(() => {
      this.#leave(length)
    }, this.#stall() + length / this.#rate)
  }

  #leave (length: number): void {
    this.#busy = false

    if (this.#stopped || this.#dead) {
      return
    }

    const piece = this.#take(length)

    this.#arrive(() => {
      this.#deliver(piece)
    })

    if (!this.writable && this.queued * 2 <= this.#capacity) {
      this.writable = true
      this.onDrain?.()
    }

    this.#start()
  }

  #arrive (what: () => void): void {
    this.#clock.schedule(() => {
      if (!this.#dead) {
        what()
      }
    }, this.#latency)
  }

  #deliver (piece: Uint8Array): void {
    const left = this.lifetime - this.arrived

    if (piece.byteLength > left) {
      piece = piece.subarray(0, left)
    }

    this.arrived += piece.byteLength

    if (piece.byteLength > 0) {
      this.onBytes?.(piece)
    }

    if (this.arrived >= this.lifetime) {
      this.onDeath?.()
    }
  }

  /** The next `length` bytes as one piece, which is a copy when they lie in several buffers. */
  #take (length: number): Uint8Array {
    const first = this.#buffers[this.#head]

    this.queued -= length

    if (first.byteLength > length) {
      this.#buffers[this.#head] = first.subarray(length)

      return first.subarray(0, length)
    }

    const piece = first.byteLength === length ? first : new Uint8Array(length)

    for (let at = 0; at < length;) {
      const buffer = this.#buffers[this.#head]
      const part = buffer.subarray(0, length - at)

      if (piece !== first) {
        piece.set(part, at)
      }

      at += part.byteLength

      if (part.byteLength === buffer.byteLength) {
        this.#head++
      } else {
        this.#buffers[this.#head] = buffer.subarray(part.byteLength)
      }
    }

    if (this.#head > 1_024 || this.queued === 0) {
      this.#buffers.splice(0, this.#head)
      this.#head = 0
    }

    return piece
  }
}
