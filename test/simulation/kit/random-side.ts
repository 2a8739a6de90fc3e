/** One of the two applications: opens, accepts, writes, reads, pauses, ends, resets as chance will have it. */
import { Edge } from '../../../src/core/stream-record.ts'
import { readAll } from '../../support/reading.ts'
import { SideModel, StreamModel, checkErrors } from './model.ts'
import { isPattern, pattern } from './pattern.ts'
import { Random } from './random.ts'
import { Told } from './told.ts'
import type { Endpoint } from './endpoint.ts'
import type { Pair } from './pair.ts'
import type { EngineEvent } from '../../../src/core/engine.ts'
import type { YamuxStream } from '../../../src/protocols/yamux/stream.ts'

type ReadMode = 'eager' | 'slow' | 'paused'

/** One operation of one application; everything about it follows from its seed. */
export interface Step {
  side: 'client' | 'server'

  /** Milliseconds. */
  at: number
  seed: number
}

export interface SidePlan {
  seed: number
  steps: Step[]

  /** What both applications may write. */
  bytes: number

  /** Milliseconds between two reads of one that reads slowly. */
  pace: number
}

export class RandomSide {
  readonly endpoint: Endpoint
  readonly model: SideModel
  peer: RandomSide | undefined

  readonly #pair: Pair
  readonly #counts: Record<string, number>
  readonly #log: (line: string) => void
  readonly #modes = new Map<StreamModel, ReadMode>()
  readonly #unaccepted = new Set<StreamModel>()
  readonly #pings = new Set<number>()
  readonly #pace: number

  // of what is no operation: how this application takes what comes
  readonly #manners: Random
  #random: Random
  #bytesLeft: number
  #stepsLeft: number
  #finishing = false

  constructor (pair: Pair, endpoint: Endpoint, plan: SidePlan, counts: Record<string, number>, log: (line: string) => void) {
    this.#pair = pair
    this.endpoint = endpoint
    this.model = new SideModel(endpoint)
    this.#counts = counts
    this.#log = log
    this.#manners = new Random(plan.seed)
    this.#random = this.#manners
    this.#bytesLeft = plan.bytes
    this.#pace = plan.pace

    endpoint.onStream = stream => this.#onStream(stream)
    endpoint.onEvent = event => { this.#onEvent(event) }

    const steps = plan.steps.filter(({ side }) => side === endpoint.name)

    this.#stepsLeft = steps.length

    for (const step of steps) {
      pair.clock.schedule(() => { this.#step(step) }, step.at)
    }
  }

  /** It does nothing any more but read. */
  get idle (): boolean {
    return this.#stepsLeft === 0
  }

  get finished (): boolean {
    return this.#finishing && this.endpoint.engine.streamCount.inbound + this.endpoint.engine.streamCount.outbound === 0 &&
      this.#pings.size === 0 && !this.endpoint.engine.wantsTransmit
  }

  get streamsSeen (): number {
    return this.model.streams.size
  }

  check (): void {
    for (const model of this.model.active) {
      const { record } = model

      if (record !== undefined && record.edges === 0 && record.receiveQueue.byteLength > 0 && this.#modeOf(model) === 'eager') {
        throw new Error(`${this.endpoint.name}: the reader of stream ${model.id} was not told of ${record.receiveQueue.byteLength} bytes`)
      }
    }

    this.model.check()
  }

  drain (): void {
    this.endpoint.engine.drain()
    this.model.draining = true
  }

  /** Reads all there is, accepts what was not, and ends its half of every stream. */
  finish (): void {
    this.#finishing = true

    for (const model of this.model.streams.values()) {
      this.#wrapUp(model)
    }
  }

  /** After an end in good order: what was written was read, unless one of the two did not want it. */
  checkComplete (): void {
    for (const model of this.model.streams.values()) {
      const peer = this.peer?.model.streams.get(model.id)

      if (model.reset === undefined && peer?.reset === undefined && !model.readClosed && model.read !== peer?.written) {
        throw new Error(`${this.endpoint.name} read ${model.read} bytes on stream ${model.id}, of ${peer?.written} that were written`)
      }
    }

    if (this.endpoint.recorder.pongsOwed > 0) {
      throw new Error(`${this.endpoint.name} left ${this.endpoint.recorder.pongsOwed} pings unanswered`)
    }
  }

  checkEnd (): void {
    checkErrors(this.model)

    if (this.model.overflows > 0) {
      this.#count('overflow')
    }

    for (const model of this.model.streams.values()) {
      const peer = this.peer?.model.streams.get(model.id)
      const code = model.reset?.by === 'peer' ? model.reset.code : undefined

      if (code !== undefined && peer !== undefined && code !== peer.resetCode) {
        throw new Error(`${this.endpoint.name} was told code ${code} for stream ${model.id}, the peer reset it with ${peer.resetCode}`)
      }

      if (!model.closed) {
        throw new Error(`${this.endpoint.name} still has stream ${model.id} open after the connection has ended`)
      }

      model.told?.check(model, true)
      this.#checkStatistics(model)
    }

    if ([...this.endpoint.engine.streams].length > 0) {
      throw new Error(`${this.endpoint.name} keeps streams of a connection that is over`)
    }
  }

  #checkStatistics ({ id, record, sent, arrived }: StreamModel): void {
    if (record !== undefined) {
      const { bytesSent, bytesReceived } = this.endpoint.engine.streamStatistics(record)

      if (bytesSent !== sent || bytesReceived !== arrived) {
        throw new Error(`${this.endpoint.name}: stream ${id} has sent ${bytesSent} bytes and received ${bytesReceived} by its statistics, ${sent} and ${arrived} in fact`)
      }
    }
  }

  #step ({ seed }: Step): void {
    this.#stepsLeft--

    if (!this.endpoint.closed) {
      this.#random = new Random(seed)
      this.#operate()
      this.#random = this.#manners
    }
  }

  #count (name: string): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + 1
  }

  #tell (what: string): void {
    this.#log(`${this.endpoint.now.toFixed(1)} ms: ${this.endpoint.name} ${what}`)
  }

  #operate (): void {
    const open = [...this.model.active].filter(model => model.record !== undefined && !model.closed && !this.#unaccepted.has(model))

    if (open.length === 0 || this.#random.chance(0.15)) {
      this.#open()
      return
    }

    const model = this.#random.pick(open)
    const stream = model.record as YamuxStream
    const [operation] = this.#random.pick(OPERATIONS)

    this.#count(operation)
    this.#tell(`${operation} on stream ${model.id}`)

    switch (operation) {
      case 'write': this.#write(model, stream); break
      case 'mode': this.#changeMode(model); break
      case 'end': this.#end(model, stream); break
      case 'closeRead': this.#closeRead(model, stream); break
      case 'reset': this.#reset(model, stream); break
      case 'priority': stream.urgency = this.#random.int(0, 7); break
      case 'ping': this.#pings.add(this.endpoint.ping()); break
      case 'retain': this.endpoint.engine.retain(stream); break
      case 'limit': this.endpoint.engine.limit(stream, { maxReadBufferLength: this.#random.magnitude(4_096, 2_097_152) }); break
      default: operation satisfies never
    }
  }

  #open (): void {
    const stream = this.endpoint.open(undefined, { urgency: this.#random.int(0, 7) })

    this.#count(stream === undefined ? 'open later' : 'open')
    this.#tell(stream === undefined ? 'cannot open a stream yet' : `opens stream ${stream.id}`)

    if (stream !== undefined) {
      this.#use(new StreamModel(stream.id, stream), stream)
    }
  }

  #onStream (stream: YamuxStream): boolean {
    const model = this.model.streams.get(stream.id)

    if (model === undefined) {
      throw new Error(`${this.endpoint.name} was shown stream ${stream.id}, which should have been refused`)
    }

    model.record = stream
    this.#use(model, stream)

    if (this.#finishing || this.#random.chance(0.7)) {
      return true
    }

    this.#count('accept later')
    this.#unaccepted.add(model)
    this.#pair.clock.schedule(() => { this.#accept(model, stream) }, this.#random.gap(this.#pace * 5))

    return false
  }

  #accept (model: StreamModel, stream: YamuxStream): void {
    if (this.#unaccepted.delete(model)) {
      this.endpoint.accept(stream)
      this.#readOn(model, stream)
    }
  }

  #use (model: StreamModel, stream: YamuxStream): void {
    if (!this.model.streams.has(model.id)) {
      this.model.add(model)
    }

    this.#modes.set(model, this.#random.pick<ReadMode>(['eager', 'eager', 'slow', 'paused']))
    model.told = new Told(stream, this.endpoint.config, this.#random.chance(0.7))
    stream.attachment = { onEdges: (edges: number) => { this.#onEdges(model, stream, edges) } }

    if (this.#finishing) {
      this.#pair.clock.schedule(() => { this.#wrapUp(model) }, 0)
    }
  }

  #wrapUp (model: StreamModel): void {
    const { record } = model

    if (record !== undefined) {
      this.#accept(model, record)
      this.#modes.set(model, 'eager')
      this.#readOn(model, record)
      this.#end(model, record)
    }
  }

  #write (model: StreamModel, stream: YamuxStream): void {
    const told = model.told as Told

    if (model.send !== 'open' || !told.mayWrite) {
      return
    }

    const length = Math.min(this.#bytesLeft, this.#random.chance(0.1) ? this.#random.int(0, 1) : this.#random.magnitude(1, 1_000_000))

    this.#bytesLeft -= length
    this.#tell(`writes ${length} bytes on stream ${model.id}`)
    told.left += length

    if (length === 0) {
      this.#writePiece(model, stream, 0)
    }

    this.#writeOn(model, stream)
  }

  /** As far as it may. */
  #writeOn (model: StreamModel, stream: YamuxStream): void {
    const told = model.told as Told

    while (told.left > 0 && model.send === 'open' && told.mayWrite) {
      this.#writePiece(model, stream, Math.min(told.left, this.#random.magnitude(1, 1_000_000)))
    }

    if (told.ends && told.left === 0) {
      this.#end(model, stream)
    }
  }

  #writePiece (model: StreamModel, stream: YamuxStream, length: number): void {
    const told = model.told as Told
    const more = this.endpoint.write(stream, pattern(this.#flow(model, true), model.written, length))

    told.left -= length
    model.written += length
    told.wrote(length, more, model.queued, this.model.othersQueued(model))
  }

  /** Once all is written that is to be. */
  #end (model: StreamModel, stream: YamuxStream): void {
    const told = model.told as Told

    told.ends = true

    if (model.send === 'open' && told.left === 0) {
      model.send = 'ending'
      this.endpoint.end(stream)
    }
  }

  #closeRead (model: StreamModel, stream: YamuxStream): void {
    if (!model.readClosed && this.#random.chance(0.5)) {
      this.model.closeRead(model)
      this.endpoint.closeRead(stream)
    }
  }

  #reset (model: StreamModel, stream: YamuxStream): void {
    if (this.#random.chance(0.5)) {
      const code = this.#random.pick([0, 1, 0x1003, 2 ** 32 - 1])
      const error = this.#random.pick([undefined, new Error('not wanted')])

      model.resetNow({ by: 'us', error })
      model.resetCode = code
      this.endpoint.reset(stream, code, error)
    }
  }

  #changeMode (model: StreamModel): void {
    this.#modes.set(model, this.#random.pick<ReadMode>(['eager', 'eager', 'slow', 'paused']))
    this.#readOn(model, model.record as YamuxStream)
  }

  #onEdges (model: StreamModel, stream: YamuxStream, edges: number): void {
    model.told?.onEdges(edges, model)

    if ((edges & (Edge.readable | Edge.remoteEnded | Edge.closed)) !== 0) {
      this.#readOn(model, stream)
    }

    if ((edges & Edge.writable) !== 0) {
      this.#writeOn(model, stream)
    }

    if (this.#random.chance(0.5)) {
      this.endpoint.engine.retain(stream)
    }
  }

  #readOn (model: StreamModel, stream: YamuxStream): void {
    const mode = this.#modeOf(model)

    if (mode === 'eager') {
      while (stream.receiveQueue.byteLength > 0) {
        this.#read(model, stream, Infinity)
      }
    } else if (mode === 'slow' && stream.receiveQueue.byteLength > 0) {
      this.#read(model, stream, this.#random.magnitude(1, 200_000))
      this.#pair.clock.schedule(() => { this.#readOn(model, stream) }, this.#random.gap(this.#pace))
    }

    // as a reader is told it
    if (stream.receive === 'ended' && stream.receiveQueue.byteLength === 0 && !model.readClosed) {
      this.#onEnd(model)
    }
  }

  #modeOf (model: StreamModel): ReadMode | undefined {
    return this.#unaccepted.has(model) ? 'paused' : this.#modes.get(model)
  }

  #read (model: StreamModel, stream: YamuxStream, max: number): void {
    const pieces = this.#random.chance(0.2) && max === Infinity
      ? readAll(this.endpoint.engine, stream, this.endpoint.now)
      : [this.endpoint.read(stream, max) as Uint8Array]

    for (const bytes of pieces) {
      if (!isPattern(this.#flow(model, false), model.read, bytes)) {
        throw new Error(`${this.endpoint.name} read bytes on stream ${model.id} at ${model.read} that nobody wrote there`)
      }

      model.read += bytes.byteLength
    }

    this.endpoint.changed()
  }

  #onEnd (model: StreamModel): void {
    const peer = this.peer?.model.streams.get(model.id)

    if (!model.sawEnd) {
      model.sawEnd = true

      if (peer === undefined || peer.send === 'open' || model.read !== peer.written) {
        throw new Error(`${this.endpoint.name} saw stream ${model.id} end after ${model.read} bytes of ${peer?.written}`)
      }
    }
  }

  #onEvent (event: EngineEvent): void {
    if (event.type === 'closed') {
      this.model.close()
    } else if (event.type === 'pong' && !this.#pings.delete(event.id)) {
      // a ping of the engine's own
      this.#count('pong unasked')
    }
  }

  /** Both ends number the flows of a stream alike: by who sends. */
  #flow (model: StreamModel, outward: boolean): number {
    return model.id * 2 + ((this.endpoint.name === 'client') === outward ? 0 : 1)
  }
}

/** Each as often as it stands here. */
const OPERATIONS = [
  ['write'], ['write'], ['write'], ['write'], ['write'], ['write'], ['write'], ['write'],
  ['mode'], ['mode'], ['mode'], ['mode'],
  ['end'], ['end'], ['closeRead'], ['reset'], ['priority'], ['ping'], ['retain'], ['limit']
] as const
