/**
 * An application that does whatever comes to its mind, in any language: what is known of it is what it asked for and
 * what it read. Where a language has windows, `random-side.ts` knows more.
 */
import { Edge } from '../../../src/core/stream-record.ts'
import { BEGUN_BYTES, MOST_PASSED_OVER } from './model.ts'
import { isPattern, pattern } from './pattern.ts'
import { Random } from './random.ts'
import type { AnyEndpoint } from './endpoint.ts'
import type { AnyPair } from './pair.ts'
import type { SidePlan, Step } from './random-side.ts'
import type { StreamRecord } from '../../../src/core/stream-record.ts'

type ReadMode = 'eager' | 'slow' | 'paused'

interface Known {
  /** The same at both ends. */
  flow: number
  record: StreamRecord
  written: number
  read: number
  ended: boolean
  readClosed: boolean
  sawEnd: boolean
  mode: ReadMode

  /** At the last look: whether it could have sent, and what it had; and since when, in frames of other streams. */
  waits: boolean
  frames: number
  passedOver: number
  among: number
}

/** With what a stream may end that its own application did not reset. */
const ERRORS = new Set(['StreamResetError', 'StreamBufferError', 'ConnectionClosedError', 'MuxerClosedError', 'GoAwayError'])

const MODES: ReadMode[] = ['eager', 'eager', 'eager', 'slow', 'paused']

export class PlainSide {
  readonly endpoint: AnyEndpoint
  peer: PlainSide | undefined

  readonly #pair: AnyPair<any>
  readonly #counts: Record<string, number>
  readonly #log: (line: string) => void
  readonly #streams = new Map<number, Known>()
  readonly #pace: number
  readonly #manners: Random
  #random: Random
  #bytesLeft: number
  #stepsLeft: number
  #finishing = false

  constructor (pair: AnyPair<any>, endpoint: AnyEndpoint, plan: SidePlan, counts: Record<string, number>, log: (line: string) => void) {
    this.#pair = pair
    this.endpoint = endpoint
    this.#counts = counts
    this.#log = log
    this.#pace = plan.pace
    this.#manners = new Random(plan.seed)
    this.#random = this.#manners
    this.#bytesLeft = plan.bytes

    endpoint.onStream = stream => {
      this.#use(stream)

      return true
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
  }

  check (): void {
    const { unreadBytes, unreadPieces, unstartedBytes } = this.endpoint.engine.connection.budgets.limits
    let unread = 0
    let pieces = 0
    let unstarted = 0

    for (const { record, written } of this.#streams.values()) {
      const { byteLength, taken } = record.receiveQueue

      unread += byteLength
      pieces += record.receiveQueue.pieces
      unstarted += record.inbound && taken < BEGUN_BYTES ? byteLength : 0

      if (record.closed) {
        continue
      }

      this.#must(record.receiveQueue.byteLength <= record.limits.maxReadBufferLength, `stream ${record.name} keeps ${record.receiveQueue.byteLength} unread bytes`)
      this.#must(record.sendQueue.byteLength <= written, `stream ${record.name} queues more than was written`)
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
    const open = [...this.#streams.values()].filter(({ record }) => !record.closed)
    const waiting = open.filter(({ record }) => record.scheduled).length
    const made = open.reduce((sum, { record, frames }) => sum + record.framesSent - frames, 0)

    for (const known of open) {
      const { framesSent, name, scheduled } = known.record

      const waited = known.waits && scheduled && framesSent === known.frames

      known.passedOver = waited ? known.passedOver + made : 0
      // who comes later stands behind it, and who was there may have ended since
      known.among = waited ? known.among : waiting
      known.waits = scheduled
      known.frames = framesSent
      this.#must(known.passedOver <= MOST_PASSED_OVER * known.among, `stream ${name} waits, while others have ${known.passedOver} turns`)
    }
  }

  checkComplete (): void {
    for (const known of this.#streams.values()) {
      const peer = this.peer?.known(known.flow)

      if (known.record.error === undefined && peer?.record.error === undefined && !known.readClosed && known.read !== peer?.written) {
        throw new Error(`${this.endpoint.name} read ${known.read} bytes on stream ${known.record.name}, of ${peer?.written} that were written`)
      }
    }
  }

  checkEnd (): void {
    this.#must([...this.endpoint.engine.streams].length === 0, 'streams outlive their connection')

    for (const { flow, record } of this.#streams.values()) {
      const { error } = record

      if (error?.name === 'StreamBufferError') {
        this.#tell('overflow', `lost stream ${record.name}: ${error.message}`)
      }

      this.#must(record.receive !== 'ended' || this.peer?.known(flow)?.ended === true, `stream ${record.name} is at an end that the peer has not said`)

      this.#must(record.closed, `stream ${record.name} is open after the connection has ended`)
      this.#must(error === undefined || error === this.endpoint.error || error.message === OWN || ERRORS.has(error.name), `stream ${record.name} ended by ${error?.name}: ${error?.message}`)
    }
  }

  known (flow: number): Known | undefined {
    return this.#streams.get(flow)
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
    const open = [...this.#streams.values()].filter(({ record }) => !record.closed)
    const random = this.#random

    if (open.length === 0 || random.chance(0.15)) {
      this.#open()
      return
    }

    const known = random.pick(open)
    const { record } = known
    const operation = random.pick(OPERATIONS)

    this.#tell(operation, `${operation} on stream ${record.name}`)

    switch (operation) {
      case 'write': this.#write(known); break
      case 'mode': this.#changeMode(known); break
      case 'end': this.#end(known); break
      case 'closeRead':
        known.readClosed = true
        this.endpoint.closeRead(record)
        break
      case 'reset': this.endpoint.reset(record, 0, new Error(OWN)); break
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

    this.#tell('open', `opens stream ${record.name}`)
    this.#use(record)
  }

  #use (record: StreamRecord): void {
    const known: Known = {
      flow: this.endpoint.flowOf(record),
      record,
      written: 0,
      read: 0,
      ended: false,
      readClosed: false,
      sawEnd: false,
      mode: this.#random.pick(MODES),
      waits: false,
      frames: 0,
      passedOver: 0,
      among: 0
    }

    this.#must(!this.#streams.has(known.flow), `stream ${record.name} was there before`)
    this.#streams.set(known.flow, known)
    record.attachment = {
      onEdges: (edges: number) => {
        if ((edges & (Edge.readable | Edge.remoteEnded | Edge.closed)) !== 0) {
          this.#readOn(known)
        }
      }
    }

    if (this.#finishing) {
      this.#pair.clock.schedule(() => { this.#wrapUp(known) }, 0)
    }
  }

  #wrapUp (known: Known): void {
    known.mode = 'eager'
    this.#readOn(known)
    this.#end(known)
  }

  #write (known: Known): void {
    const { record } = known

    if (record.send !== 'open' || (record.needsDrain && this.#random.chance(0.7))) {
      return
    }

    const length = Math.min(this.#bytesLeft, this.#random.magnitude(1, 1_000_000))

    this.#bytesLeft -= length
    this.endpoint.write(record, pattern(this.#flow(known, true), known.written, length))
    known.written += length
  }

  #end (known: Known): void {
    if (known.record.send === 'open') {
      known.ended = true
      this.endpoint.end(known.record)
    }
  }

  #changeMode (known: Known): void {
    known.mode = this.#random.pick(MODES)
    this.#readOn(known)
  }

  #readOn (known: Known): void {
    const { record, mode } = known
    const { receiveQueue } = record

    if (mode === 'eager') {
      while (receiveQueue.byteLength > 0) {
        this.#read(known, Infinity)
      }
    } else if (mode === 'slow' && receiveQueue.byteLength > 0) {
      this.#read(known, this.#random.magnitude(1, 200_000))
      this.#pair.clock.schedule(() => { this.#readOn(known) }, this.#random.gap(this.#pace))
    }

    if (record.receive === 'ended' && receiveQueue.byteLength === 0 && !known.readClosed && record.error === undefined && !known.sawEnd) {
      const peer = this.peer?.known(known.flow)

      known.sawEnd = true
      this.#must(peer?.ended === true && known.read === peer.written, `stream ${record.name} ended after ${known.read} bytes of ${peer?.written}`)
    }
  }

  #read (known: Known, max: number): void {
    const bytes = this.endpoint.read(known.record, max) as Uint8Array

    this.#must(isPattern(this.#flow(known, false), known.read, bytes), `stream ${known.record.name} brought bytes at ${known.read} that nobody wrote there`)
    known.read += bytes.byteLength
  }

  #flow ({ flow }: Known, outward: boolean): number {
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

/** Of the error that an application resets by. */
const OWN = 'not wanted any more'

/** Each as often as it stands here. */
const OPERATIONS = [
  'write', 'write', 'write', 'write', 'write', 'write', 'write', 'write',
  'mode', 'mode', 'mode', 'mode',
  'end', 'end', 'closeRead', 'reset', 'retain', 'priority'
] as const
