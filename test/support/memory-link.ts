/**
 * Two ends of a connection in memory, as the transport under a muxer: with a capacity, deliveries in any pieces, a
 * record of every call of `send()`, and every way to die. It owns no timer: bytes travel in microtasks, or when told.
 */
import { StreamCloseEvent, StreamMessageEvent, StreamResetError, StreamStateError, TypedEventEmitter } from '@libp2p/interface'
import { defaultLogger } from '@libp2p/logger'
import { raceSignal } from 'race-signal'
import { Uint8ArrayList } from 'uint8arraylist'
import type { AbortOptions, Logger, MessageStream, MessageStreamDirection, MessageStreamEvents, MessageStreamStatus } from '@libp2p/interface'

export interface LinkOptions {
  /** `send()` returns `false` from so many bytes on the way in one direction; `drain` follows below half of it. */
  capacity?: number

  /** Deliveries are cut into pieces of so many bytes. */
  chop?: number

  /** What waits is delivered together, in one buffer, as sockets do. */
  merge?: boolean

  /** Nothing is delivered but by `step()` and `flush()`. */
  manual?: boolean

  /** `false`: sent bytes are counted, not kept. */
  record?: boolean
}

/** On the way: bytes, or the end after them. */
type Delivery = Uint8Array[] | 'end'

const EVENT_TYPES = ['message', 'drain', 'close', 'remoteCloseWrite', 'end', 'idle'] as const

export class MemoryEnd extends TypedEventEmitter<MessageStreamEvents> implements MessageStream {
  status: MessageStreamStatus = 'open'
  readonly timeline = { open: 0 }
  readonly log: Logger
  readonly direction: MessageStreamDirection
  maxReadBufferLength = Infinity
  inactivityTimeout = Infinity
  writableNeedsDrain = false

  /** The buffers of every call of `send()`. */
  readonly sends: Uint8Array[][] = []
  sendCalls = 0
  sentBytes = 0

  /** Calls between a `false` and its `drain`. */
  sendsWhileFull = 0

  /** Calls after this end was over. */
  sendsAfterEnd = 0

  /** Bytes that the other end has not received. */
  inFlight = 0

  /** Why `abort()` was called, if it was. */
  aborted: Error | undefined

  /** Called for every `send()`, before anything else. */
  onSend: ((buffers: Uint8Array[]) => void) | undefined

  /** What `send()` throws, as transports do that notice their end before they tell. */
  sendError: Error | undefined

  #other!: MemoryEnd
  #queue: Delivery[] = []
  #moving = false
  #closing: PromiseWithResolvers<void> | undefined
  readonly #options: LinkOptions

  constructor (direction: MessageStreamDirection, options: LinkOptions) {
    super()
    this.direction = direction
    this.log = defaultLogger().forComponent(`test:${direction}`)
    this.#options = options
  }

  connect (other: MemoryEnd): void {
    this.#other = other
  }

  /** Listeners of all types that are still here. */
  get listeners (): number {
    return EVENT_TYPES.reduce((sum, type) => sum + this.listenerCount(type), 0)
  }

  /** Everything that was sent, in one run. */
  get sent (): Uint8Array {
    return new Uint8ArrayList(...this.sends.flat()).subarray()
  }

  get readableEnded (): boolean {
    return this.status !== 'open'
  }

  get readBufferLength (): number {
    return 0
  }

  get writeBufferLength (): number {
    return this.inFlight
  }

  send (data: Uint8Array | Uint8ArrayList): boolean {
    const buffers = data instanceof Uint8Array ? [data] : [...data]

    if (this.sendError !== undefined) {
      throw this.sendError
    }

    if (this.status !== 'open') {
      this.sendsAfterEnd++
      throw new StreamStateError(`cannot send on a link that is ${this.status}`)
    }

    this.onSend?.(buffers)
    this.sendCalls++
    this.sentBytes += data.byteLength
    this.inFlight += data.byteLength
    this.sendsWhileFull += this.writableNeedsDrain ? 1 : 0

    if (this.#options.record !== false) {
      this.sends.push(buffers)
    }

    for (const piece of this.#pieces(data, buffers)) {
      this.#queue.push(piece)
    }

    this.writableNeedsDrain ||= this.inFlight >= (this.#options.capacity ?? Infinity)
    this.#move()

    return !this.writableNeedsDrain
  }

  async close (options?: AbortOptions): Promise<void> {
    if (this.status !== 'open') {
      return
    }

    this.status = 'closing'
    this.#closing = Promise.withResolvers()
    this.#queue.push('end')
    this.#move()
    await raceSignal(this.#closing.promise, options?.signal)
  }

  abort (err: Error): void {
    if (this.status !== 'open' && this.status !== 'closing') {
      return
    }

    this.aborted = err
    this.#end('aborted', true, err)
    this.#other.die(new StreamResetError())
  }

  /** The end as this end sees it: in good order without an error. */
  die (err?: Error): void {
    if (this.status === 'open' || this.status === 'closing') {
      this.#end(err === undefined ? 'closed' : 'reset', false, err)
    }
  }

  /** Delivers so many pieces of what this end has sent. */
  step (deliveries = 1): void {
    while (deliveries-- > 0 && this.#queue.length > 0) {
      this.#deliver()
    }
  }

  /** Delivers everything that this end has sent. */
  flush (): void {
    while (this.#queue.length > 0) {
      this.#deliver()
    }
  }

  /** Deliveries wait. */
  hold (): void {
    this.#options.manual = true
  }

  /** Deliveries go on. */
  release (): void {
    this.#options.manual = false
    this.#move()
  }

  async onDrain (): Promise<void> {
    throw new Error('a muxer listens for drain instead')
  }

  pause (): void {
    throw new Error('a muxer never pauses its transport')
  }

  resume (): void {
    throw new Error('a muxer never pauses its transport')
  }

  push (): void {
    throw new Error('a muxer gives nothing back')
  }

  unshift (): void {
    throw new Error('a muxer gives nothing back')
  }

  [Symbol.asyncIterator] (): AsyncGenerator<Uint8Array | Uint8ArrayList> {
    throw new Error('a muxer listens for messages instead')
  }

  #pieces (data: Uint8Array | Uint8ArrayList, buffers: Uint8Array[]): Delivery[] {
    const { chop } = this.#options

    if (chop === undefined) {
      return [buffers]
    }

    const bytes = data.subarray()
    const pieces: Delivery[] = []

    for (let at = 0; at < bytes.byteLength; at += chop) {
      pieces.push([bytes.slice(at, at + chop)])
    }

    return pieces
  }

  #move (): void {
    if (this.#moving || this.#options.manual === true || this.#queue.length === 0) {
      return
    }

    this.#moving = true
    queueMicrotask(() => {
      this.#moving = false

      if (this.#options.manual !== true && this.#queue.length > 0) {
        this.#deliver()
        this.#move()
      }
    })
  }

  #deliver (): void {
    const delivery = this.#queue.shift()

    if (delivery === undefined) {
      return
    }

    if (delivery === 'end') {
      this.#other.#onRemoteEnd()
      this.#end('closed', true, undefined)
      return
    }

    const buffers = this.#options.merge === true ? [this.#merge(delivery)] : delivery
    const data = buffers.length === 1 ? buffers[0] : Uint8ArrayList.fromUint8Arrays(buffers)

    this.inFlight -= data.byteLength
    this.#other.dispatchEvent(new StreamMessageEvent(data))

    if (this.writableNeedsDrain && this.inFlight * 2 < (this.#options.capacity ?? Infinity)) {
      this.writableNeedsDrain = false
      this.safeDispatchEvent('drain')
    }
  }

  #merge (buffers: Uint8Array[]): Uint8Array {
    const all = [...buffers]

    while (this.#queue.length > 0 && this.#queue[0] !== 'end') {
      all.push(...this.#queue.shift() as Uint8Array[])
    }

    return Uint8ArrayList.fromUint8Arrays(all).slice()
  }

  #onRemoteEnd (): void {
    if (this.status === 'open' || this.status === 'closing') {
      this.safeDispatchEvent('remoteCloseWrite')
      this.#end('closed', false, undefined)
    }
  }

  #end (status: MessageStreamStatus, local: boolean, err: Error | undefined): void {
    if (this.status !== 'open' && this.status !== 'closing') {
      return
    }

    this.status = status
    this.#queue = []

    if (err === undefined) {
      this.#closing?.resolve()
    } else {
      this.#closing?.reject(err)
    }

    this.dispatchEvent(new StreamCloseEvent(local, err))
  }
}

export interface MemoryLink {
  outbound: MemoryEnd
  inbound: MemoryEnd

  /** Both ends are over at once; what is on the way is lost. */
  cut(err?: Error): void
}

export function memoryLink (options: LinkOptions = {}): MemoryLink {
  const outbound = new MemoryEnd('outbound', { ...options })
  const inbound = new MemoryEnd('inbound', { ...options })

  outbound.connect(inbound)
  inbound.connect(outbound)

  return {
    outbound,
    inbound,
    cut (err) {
      outbound.die(err)
      inbound.die(err)
    }
  }
}
