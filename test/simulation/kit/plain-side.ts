/**
 * An application that does whatever comes to its mind, in any language, against the model of `plain-model.ts`. Where a
 * language has windows, `random-side.ts` knows more.
 */
import { Edge } from '../../../src/core/stream-record.ts'
import { BEGUN_BYTES, MOST_PASSED_OVER } from './model.ts'
import { isPattern, pattern } from './pattern.ts'
import { PlainModel, PlainStream } from './plain-model.ts'
import { Random } from './random.ts'
import { Told } from './told.ts'
import type { AnyEndpoint } from './endpoint.ts'
import type { AnyPair } from './pair.ts'
import type { SidePlan, Step } from './random-side.ts'
import type { EngineEvent } from '../../../src/core/engine.ts'
import type { StreamRecord } from '../../../src/core/stream-record.ts'

type ReadMode = 'eager' | 'slow' | 'paused'

interface Known {
  stream: PlainStream
  record: StreamRecord
  told: Told
  sawEnd: boolean
  mode: ReadMode

  /** At the last look: whether it could have sent, and what it had; and since when, in frames of other streams. */
  waits: boolean
  frames: number
  passedOver: number
  among: number
}

const MODES: ReadMode[] = ['eager', 'eager', 'eager', 'slow', 'paused']

export class PlainSide {
  readonly endpoint: AnyEndpoint
  readonly model: PlainModel
  peer: PlainSide | undefined

  readonly #pair: AnyPair<any>
  readonly #counts: Record<string, number>
  readonly #log: (line: string) => void
  readonly #streams = new Map<number, Known>()

  /** Those of which something can still happen. */
  readonly #active = new Set<Known>()
  readonly #pace: number
  readonly #manners: Random
  #random: Random
  #bytesLeft: number
  #stepsLeft: number
  #finishing = false

  constructor (pair: AnyPair<any>, endpoint: AnyEndpoint, hasWindows: boolean, plan: SidePlan, counts: Record<string, number>, log: (line: string) => void) {
    this.#pair = pair
    this.endpoint = endpoint
    this.model = new PlainModel(endpoint, hasWindows)
    this.#counts = counts
    this.#log = log
    this.#pace = plan.pace
    this.#manners = new Random(plan.seed)
    this.#random = this.#manners
    this.#bytesLeft = plan.bytes

    endpoint.onStream = record => {
      this.#use(this.model.show(endpoint.flowOf(record), record), record)

      return true
    }
    endpoint.onEvent = (event: EngineEvent) => {
      if (event.type === 'closed') {
        this.model.close(event.error)
      }
    }

    const steps = plan.steps.filter(({ side }) => side === endpoint.name)

    this.#stepsLeft = steps.length

    for (const step of steps) {
      pair.clock.schedule(() => { this.#step(step) }, step.at)
    }
  }

  get idle (): boolean {
    return this.#stepsLeft === 0
  }

  get finished (): boolean {
    const { inbound, outbound } = this.endpoint.engine.streamCount

    return this.#finishing && inbound + outbound === 0 && !this.endpoint.engine.wantsTransmit
  }

  get streamsSeen (): number {
    return this.#streams.size
  }

  /** Reads all there is, and ends its half of every stream. */
  finish (): void {
    this.#finishing = true

    for (const known of this.#streams.values()) {
      this.#wrapUp(known)
    }
  }

  drain (): void {
    this.endpoint.engine.drain()
    this.model.draining = true
  }

  check (): void {
    const { unreadBytes, unreadPieces, unstartedBytes } = this.endpoint.config.budgets
    let unread = 0
    let pieces = 0
    let unstarted = 0

    this.model.check()

    for (const known of this.#active) {
      const { record, mode } = known
      const { byteLength, taken } = record.receiveQueue

      unread += byteLength
      pieces += record.receiveQueue.pieces
      unstarted += record.inbound && taken < BEGUN_BYTES ? byteLength : 0

      if (mode === 'eager' && byteLength > 0 && record.edges === 0) {
        this.#must(false, `the reader of stream ${record.name} was not told of ${byteLength} bytes`)
      }

      if (!this.model.active.has(known.stream)) {
        this.#active.delete(known)
      }
    }

    if (!this.endpoint.closed) {
      this.#must(unread <= unreadBytes, `${unread} bytes are unread on all streams`)
      this.#must(pieces <= unreadPieces, `${pieces} pieces are unread on all streams`)
      this.#must(unstarted <= unstartedBytes, `${unstarted} bytes wait on streams that nobody has begun to read`)
    }

    this.#checkTurns()
  }

  /** Every stream that waits is served in the end, however many more urgent ones there are. */
  #checkTurns (): void {
    const open = [...this.#active].filter(({ record }) => !record.closed)
    const waiting = open.filter(({ record }) => record.scheduled).length
    const made = open.reduce((sum, { record, frames }) => sum + record.framesSent - frames, 0)

    for (const known of open) {
      const { framesSent, scheduled } = known.record

      const waited = known.waits && scheduled && framesSent === known.frames

      known.passedOver = waited ? known.passedOver + made : 0
      // who comes later stands behind it, and who was there may have ended since
      known.among = waited ? known.among : waiting
      known.waits = scheduled
      known.frames = framesSent

      if (known.passedOver > MOST_PASSED_OVER * known.among) {
        this.#must(false, `stream ${known.record.name} waits, while others have ${known.passedOver} turns`)
      }
    }
  }

  /** After an end in good order: what was written was read, unless one of the two did not want it, or could not have it. */
  checkComplete (): void {
    for (const { stream, sawEnd } of this.#streams.values()) {
      const peer = this.peer?.known(stream.flow)

      if (stream.cause === undefined && peer?.cause === undefined && !stream.readClosed) {
        this.#must(sawEnd && stream.read === peer?.written, `read ${stream.read} bytes on stream ${stream.name}, of ${peer?.written} that were written`)
      }
    }
  }

  checkEnd (): void {
    this.#must([...this.endpoint.engine.streams].length === 0, 'streams outlive their connection')
    this.model.checkEnd()

    for (const { stream, record } of this.#streams.values()) {
      if (stream.cause === 'limit') {
        this.#tell('overflow', `lost stream ${record.name}: ${record.error?.message}`)
      }
    }
  }

  known (flow: number): PlainStream | undefined {
    return this.model.streams.get(flow)
  }

  #step ({ seed }: Step): void {
    this.#stepsLeft--

    if (!this.endpoint.closed) {
      this.#random = new Random(seed)
      this.#operate()
      this.#random = this.#manners
    }
  }

  #operate (): void {
    const open = [...this.#active].filter(({ record }) => !record.closed)
    const random = this.#random

    if (open.length === 0 || random.chance(0.15)) {
      this.#open()
      return
    }

    const known = random.pick(open)
    const { record, stream } = known
    const operation = random.pick(OPERATIONS)

    this.#tell(operation, `${operation} on stream ${record.name}`)

    switch (operation) {
      case 'write': this.#write(known); break
      case 'mode': this.#changeMode(known); break
      case 'end': this.#end(known); break
      case 'closeRead':
        this.model.closeRead(stream)
        this.endpoint.closeRead(record)
        break
      case 'reset': this.#reset(known); break
      case 'retain': this.endpoint.engine.retain(record); break
      case 'priority': record.urgency = random.int(0, 7); break
      default: operation satisfies never
    }
  }

  #open (): void {
    const record = this.endpoint.open(undefined, { urgency: this.#random.int(0, 7) })

    if (record === undefined) {
      return
    }

    const stream = new PlainStream(this.endpoint.flowOf(record), record)

    this.#tell('open', `opens stream ${record.name}`)
    this.#must(this.known(stream.flow) === undefined, `stream ${record.name} was there before`)
    this.model.add(stream)
    this.#use(stream, record)
  }

  #use (stream: PlainStream, record: StreamRecord): void {
    const told = new Told(record, this.endpoint.config, this.#random.chance(0.7))
    const known: Known = {
      stream,
      record,
      told,
      sawEnd: false,
      mode: this.#random.pick(MODES),
      waits: false,
      frames: 0,
      passedOver: 0,
      among: 0
    }

    stream.told = told
    this.#streams.set(stream.flow, known)
    this.#active.add(known)
    record.attachment = { onEdges: (edges: number) => { this.#onEdges(known, edges) } }

    if (this.#finishing) {
      this.#pair.clock.schedule(() => { this.#wrapUp(known) }, 0)
    }
  }

  #onEdges (known: Known, edges: number): void {
    known.told.onEdges(edges, known.stream)

    if ((edges & (Edge.readable | Edge.remoteEnded | Edge.closed)) !== 0) {
      this.#readOn(known)
    }

    if ((edges & Edge.writable) !== 0) {
      this.#writeOn(known)
    }
  }

  #wrapUp (known: Known): void {
    known.mode = 'eager'
    this.#readOn(known)
    this.#end(known)
  }

  #write (known: Known): void {
    const length = Math.min(this.#bytesLeft, this.#random.magnitude(1, 1_000_000))

    if (known.stream.send === 'open' && known.told.mayWrite) {
      this.#bytesLeft -= length
      known.told.left += length
      this.#writeOn(known)
    }
  }

  /** As far as it may. */
  #writeOn (known: Known): void {
    const { record, stream, told } = known

    while (told.left > 0 && stream.send === 'open' && told.mayWrite) {
      const length = Math.min(told.left, this.#random.magnitude(1, 1_000_000))
      const more = this.endpoint.write(record, pattern(this.#flow(known, true), stream.written, length))

      told.left -= length
      stream.written += length
      told.wrote(length, more, stream.queued, this.model.othersQueued(stream))
    }

    if (told.ends && told.left === 0) {
      this.#end(known)
    }
  }

  /** Once all is written that is to be. */
  #end ({ stream, record, told }: Known): void {
    told.ends = true

    if (stream.send === 'open' && told.left === 0) {
      stream.send = 'ending'
      this.endpoint.end(record)
    }
  }

  #reset ({ stream, record }: Known): void {
    const error = new Error('not wanted any more')

    stream.reset('us', true, error)
    this.endpoint.reset(record, 0, error)
  }

  #changeMode (known: Known): void {
    known.mode = this.#random.pick(MODES)
    this.#readOn(known)
  }

  #readOn (known: Known): void {
    const { record, mode, stream } = known
    const { receiveQueue } = record

    if (mode === 'eager') {
      while (receiveQueue.byteLength > 0) {
        this.#read(known, Infinity)
      }
    } else if (mode === 'slow' && receiveQueue.byteLength > 0) {
      this.#read(known, this.#random.magnitude(1, 200_000))
      this.#pair.clock.schedule(() => { this.#readOn(known) }, this.#random.gap(this.#pace))
    }

    if (record.receive === 'ended' && receiveQueue.byteLength === 0 && !stream.readClosed && !known.sawEnd) {
      const peer = this.peer?.known(stream.flow)

      known.sawEnd = true
      this.#must(peer?.send !== 'open' && stream.read === peer?.written, `stream ${record.name} ended after ${stream.read} bytes of ${peer?.written}`)
    }
  }

  #read (known: Known, max: number): void {
    const bytes = this.endpoint.read(known.record, max) as Uint8Array

    this.#must(isPattern(this.#flow(known, false), known.stream.read, bytes), `stream ${known.record.name} brought bytes at ${known.stream.read} that nobody wrote there`)
    known.stream.read += bytes.byteLength
  }

  #flow ({ stream: { flow } }: Known, outward: boolean): number {
    return flow * 2 + ((this.endpoint.name === 'client') === outward ? 0 : 1)
  }

  #tell (name: string, what: string): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + 1
    this.#log(`${this.endpoint.now.toFixed(1)} ms: ${this.endpoint.name} ${what}`)
  }

  #must (condition: boolean, what: string): void {
    if (!condition) {
      throw new Error(`${this.endpoint.name}: ${what}`)
    }
  }
}

/** Each as often as it stands here. */
const OPERATIONS = [
  'write', 'write', 'write', 'write', 'write', 'write', 'write', 'write',
  'mode', 'mode', 'mode', 'mode',
  'end', 'end', 'closeRead', 'reset', 'retain', 'priority'
] as const
