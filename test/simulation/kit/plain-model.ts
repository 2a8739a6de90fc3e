/**
 * What one end's streams must look like, in any language, told from what its application asked for and what went over
 * the wire. Which stream has to go when too much is unread it does not foretell, as that depends on what was joined: but
 * one that goes must have a reason in these books, which add up what is unread by themselves.
 */
import { BEGUN_BYTES } from './model.ts'
import { queuedOnOthers } from './told.ts'
import type { AnyEndpoint, Listener } from './endpoint.ts'
import type { Told } from './told.ts'
import type { StreamRecord } from '../../../src/core/stream-record.ts'
import type { ReceiveHalf, SendHalf } from '../../../src/core/stream-state.ts'
import type { BudgetExceededError } from '../../../src/interface/errors.ts'

/** Joined pieces have no less, but for the last of a stream. */
const JOINED_BYTES = 32_768

/** So much of a budget may have come since all were last joined. */
const JOIN_PARTS = 8

/** A stream that is over and not read to its end counts for so many pieces at least. */
const LEAST_PIECES = 64

/** Why a stream ended, when it was not by both ends: `unwanted` is what the peer sends to who wants neither half any more. */
type Cause = 'us' | 'peer' | 'limit' | 'unwanted' | 'connection'

export class PlainStream {
  readonly flow: number
  readonly inbound: boolean

  /** A stream of the peer is heard of before it is seen. */
  record: StreamRecord | undefined
  told: Told | undefined
  mayBeRefused = false
  mustBeRefused = false

  send: SendHalf = 'open'
  receive: ReceiveHalf = 'open'
  readClosed = false
  cause: Cause | undefined

  /** By which our application reset it. */
  error: Error | undefined
  resetSent = false

  /** Bytes that our application wrote, and of them those that left in frames. */
  written = 0
  sent = 0

  /** Bytes that have arrived while there was somebody to have them, of them those that were kept, and of those what was read. */
  received = 0
  kept = 0
  read = 0

  /** What is unread is dropped. */
  dropped = false

  /** Of what arrived last: its parts, and the most that was unread. */
  parts = 0
  most = 0

  constructor (flow: number, record?: StreamRecord) {
    this.flow = flow
    this.record = record
    this.inbound = record === undefined
  }

  get closed (): boolean {
    return this.receive !== 'open' && (this.send === 'ended' || this.send === 'reset')
  }

  get queued (): number {
    return this.send === 'reset' ? 0 : this.written - this.sent
  }

  get unread (): number {
    return this.dropped || this.readClosed ? 0 : this.kept - this.read
  }

  get name (): string {
    return this.record?.name ?? `of flow ${this.flow}`
  }

  reset (cause: Cause, drops = false, error?: Error): void {
    const loses = drops && this.unread > 0

    this.cause = cause
    this.error = error
    this.dropped ||= drops

    if (this.send !== 'ended') {
      this.send = 'reset'
    }

    // whoever reads on must not take what was read for the whole
    if (this.receive === 'open' || loses) {
      this.receive = 'reset'
    }
  }
}

/** Of what may be unread: what the budgets of a connection are for. */
const NOTHING = { unreadBytes: 0, unstartedBytes: 0, unreadPieces: 0 }

/** The peer sent more pieces than may be kept: of these budgets alone anybody here goes over one. */
export function isOverPieces (error: Error | undefined): error is Error & { budget: 'unreadPieces' | 'streamPieces' } {
  return error?.name === 'BudgetExceededError' && ['unreadPieces', 'streamPieces'].includes((error as BudgetExceededError).budget)
}

export class PlainModel implements Listener {
  /** All that there ever were, and those of which something can still happen. */
  readonly streams = new Map<number, PlainStream>()
  readonly active = new Set<PlainStream>()
  draining = false

  /** Over budget, while it took what had arrived: the model has seen all of that. */
  endedAmid = false

  readonly #endpoint: AnyEndpoint
  readonly #hasWindows: boolean
  readonly #refused = new Set<number>()

  /** What arrived last may have made so much of what is unread; and of it, what was dropped meanwhile. */
  #most = NOTHING
  #dropped = 0

  /** Pieces that there are then at most, once all are joined: what the peer is to answer for. */
  #joined = { unreadPieces: 0, streamPieces: 0 }

  constructor (endpoint: AnyEndpoint, hasWindows: boolean) {
    this.#endpoint = endpoint
    this.#hasWindows = hasWindows
    endpoint.listen(this)
    endpoint.onArrived = () => { this.#addUp() }
  }

  add (stream: PlainStream): void {
    this.streams.set(stream.flow, stream)
    this.active.add(stream)
  }

  /** The application sees a stream of the peer. */
  show (flow: number, record: StreamRecord): PlainStream {
    const stream = this.streams.get(flow)

    this.#must(stream !== undefined && stream.record === undefined && !stream.mustBeRefused, `stream ${record.name} is shown, and was never opened, or before, or should have been refused`)

    stream.record = record
    // another one had to go since
    stream.mayBeRefused = false

    return stream
  }

  othersQueued (stream: PlainStream): number {
    return queuedOnOthers(this.active, stream)
  }

  /** Our application reads no more. */
  closeRead (stream: PlainStream): void {
    const isBlocking = stream.unread > 0 && stream.send === 'ended'

    stream.readClosed = true

    if (this.#hasWindows && isBlocking) {
      // the peer might wait for credit for ever
      stream.reset('unwanted')
    }
  }

  /** The connection is over. */
  close (error: Error | undefined): void {
    if (isOverPieces(error)) {
      const { budget } = error

      this.#must(this.#joined[budget] > this.#endpoint.config.budgets[budget] * (1 - 1 / JOIN_PARTS), `the connection ends for no reason: ${error.message}`)
      // how much of what arrived last came before that only the engine knows
      this.endedAmid = true
      this.active.clear()
    }

    for (const stream of this.active) {
      if (!stream.closed) {
        stream.reset('connection')
      }
    }
  }

  onOpen (flow: number): void {
    const stream = new PlainStream(flow)

    this.#must(!this.streams.has(flow) && !this.#refused.has(flow), `flow ${flow} is opened once more`)

    stream.mustBeRefused = this.draining
    stream.mayBeRefused = this.draining || this.#inbound >= this.#endpoint.config.maxInboundStreams
    this.add(stream)
  }

  onData (flow: number, length: number): void {
    const stream = this.streams.get(flow)

    if (length > 0 && stream?.receive === 'open' && stream.readClosed && stream.send === 'ended') {
      stream.reset('unwanted')
    }
  }

  onBody (flow: number, length: number): void {
    const stream = this.streams.get(flow)

    if (stream?.receive !== 'open') {
      return
    }

    stream.received += length

    if (!stream.readClosed) {
      stream.kept += length
      stream.parts++
      stream.most = stream.unread
    }
  }

  onEnd (flow: number): void {
    const stream = this.streams.get(flow)

    if (stream?.receive === 'open') {
      stream.receive = 'ended'
    }
  }

  onReset (flow: number): void {
    const stream = this.streams.get(flow)

    if (stream === undefined || stream.closed) {
      return
    }

    const { unread } = stream

    // without windows a peer could open, fill and reset streams without end; nor is anything kept of what nobody has heard of
    stream.reset('peer', stream.receive === 'open' && !this.#hasWindows)

    if (stream.record === undefined && unread > 0) {
      stream.dropped = true
      stream.receive = 'reset'
    }

    this.#dropped += stream.dropped ? unread : 0
  }

  onDataSent (flow: number, length: number): void {
    const stream = this.#ours(flow, 'data')

    stream.sent += length
    stream.told?.sent(stream.queued, this.othersQueued(stream))
  }

  onEndSent (flow: number): void {
    const stream = this.#ours(flow, 'an end')

    if (stream.send !== 'ending' || stream.queued > 0) {
      this.#fail(`sent the end of stream ${stream.name}, which is ${stream.send} with ${stream.queued} bytes to send`)
    }

    stream.send = 'ended'
  }

  onResetSent (flow: number): void {
    const stream = this.streams.get(flow)

    this.#must(stream !== undefined || this.#refused.has(flow), `sent a reset of flow ${flow}, which never was`)

    if (stream !== undefined) {
      stream.resetSent = true
    }
  }

  /** Compares all that can still change. */
  check (): void {
    const { streamCount } = this.#endpoint.engine
    const { maxInboundStreams } = this.#endpoint.config

    for (const stream of this.active) {
      const { record } = stream

      if (record === undefined) {
        this.#refuse(stream)
        continue
      }

      this.#findLoss(stream, record)
      this.#check(stream, record)
      stream.told?.check(stream)
      stream.parts = 0
      stream.most = 0

      if (stream.closed && stream.unread === 0 && record.edges === 0) {
        this.active.delete(stream)
      }
    }

    if (streamCount.inbound > maxInboundStreams) {
      this.#fail(`${streamCount.inbound} streams of the peer are open, of at most ${maxInboundStreams}`)
    }

    this.#most = NOTHING
    this.#dropped = 0
  }

  /** Every stream has ended, and so: by what the application was told, and what the engine counted. */
  checkEnd (): void {
    for (const stream of this.streams.values()) {
      const { record, sent, received, cause } = stream

      if (record === undefined) {
        continue
      }

      const { bytesSent, bytesReceived } = this.#endpoint.engine.streamStatistics(record)

      this.#must(record.closed, `stream ${record.name} is open after the connection has ended`)

      if (this.endedAmid) {
        continue
      }

      this.#checkError(stream, record)
      stream.told?.check(stream, true)
      this.#must(bytesSent === sent, `stream ${record.name} has sent ${bytesSent} bytes by its statistics, ${sent} in fact`)
      // of one that went over a limit nobody knows when it did
      this.#must(cause === 'limit' ? bytesReceived <= received : bytesReceived === received, `stream ${record.name} has received ${bytesReceived} bytes by its statistics, ${received} in fact`)
    }
  }

  get #inbound (): number {
    let inbound = 0

    for (const stream of this.active) {
      inbound += stream.inbound && !stream.closed && !stream.mayBeRefused ? 1 : 0
    }

    return inbound
  }

  #ours (flow: number, what: string): PlainStream {
    const stream = this.streams.get(flow)

    return stream ?? this.#fail(`sent ${what} on flow ${flow}, which never was`)
  }

  /** Nobody was shown it. */
  #refuse (stream: PlainStream): void {
    this.#must(stream.mayBeRefused, `stream ${stream.name} is refused, with ${this.#inbound - 1} others of the peer`)
    this.active.delete(stream)
    this.streams.delete(stream.flow)
    this.#refused.add(stream.flow)
  }

  /** What there is unread, if nothing of it gives way. */
  #addUp (): void {
    this.#joined = { unreadPieces: 0, streamPieces: 0 }

    const most = { ...NOTHING, unreadBytes: this.#dropped, unstartedBytes: this.#dropped }

    for (const { unread, inbound, read, parts, closed, record, dropped, most: before } of this.active) {
      const pieces = (record?.receiveQueue.pieces ?? 0) + parts
      const joined = Math.min(pieces, Math.ceil(((dropped ? before : unread) + 1) / JOINED_BYTES))

      most.unreadBytes += unread
      most.unstartedBytes += inbound && read < BEGUN_BYTES ? unread : 0
      most.unreadPieces += closed && pieces > 0 ? Math.max(LEAST_PIECES, pieces) : pieces
      this.#joined.unreadPieces += joined
      this.#joined.streamPieces = Math.max(this.#joined.streamPieces, joined)
    }

    this.#most = most
  }

  /** Whether a stream was given up because too much was unread. */
  #findLoss (stream: PlainStream, record: StreamRecord): void {
    const { error, receive, receiveQueue } = record

    if (error?.name === 'StreamBufferError' && stream.cause !== 'limit') {
      const [, option] = /\(option (?:budgets\.)?(\w+)\)/.exec(error.message) ?? []

      this.#must(this.#isOver(option, stream), `stream ${record.name} ends for no reason: ${error.message}`)
      this.#must(receive !== 'open', `stream ${record.name} is open, and has an error`)

      // since when is not known: what came behind it of the same was for nobody
      stream.reset('limit', true)
      stream.receive = receive
    } else if (stream.closed && receive === 'reset' && receiveQueue.byteLength === 0 && stream.unread > 0) {
      // it was over, by an error of its own, and keeps that
      this.#must(['unreadBytes', 'unreadPieces', 'unstartedBytes'].some(option => this.#isOver(option, stream)), `what is unread of stream ${record.name} is lost for no reason`)
      stream.dropped = true
      stream.receive = 'reset'
    }
  }

  #isOver (option: string | undefined, { most }: PlainStream): boolean {
    const { budgets, stream } = this.#endpoint.config

    switch (option) {
      case 'maxStreamBufferSize': return most > stream.maxReadBufferLength
      case 'unreadBytes':
      case 'unreadPieces':
      case 'unstartedBytes': return this.#most[option] > budgets[option]
      default: return false
    }
  }

  #check (stream: PlainStream, record: StreamRecord): void {
    const { cause, unread } = stream

    this.#equal(record, 'sending half', record.send, stream.send)
    this.#equal(record, 'receiving half', record.receive, stream.receive)
    this.#equal(record, 'queued bytes', record.sendQueue.byteLength, stream.queued)
    this.#equal(record, 'unread bytes', record.receiveQueue.byteLength, unread)
    this.#checkError(stream, record)

    if (stream.resetSent) {
      this.#must(cause === 'us' || cause === 'limit' || cause === 'unwanted', `stream ${record.name} is reset for no reason`)
    }

    if (!stream.closed && unread > this.#endpoint.config.stream.maxReadBufferLength) {
      this.#fail(`stream ${record.name} keeps ${unread} unread bytes`)
    }
  }

  #checkError ({ cause, error, dropped }: PlainStream, record: StreamRecord): void {
    const { error: closedBy } = this.#endpoint
    const name = record.error?.name
    let isRight: boolean

    switch (cause) {
      case 'us': isRight = record.error === error; break
      case 'peer': isRight = name === 'StreamResetError'; break
      case 'limit': isRight = name === 'StreamBufferError'; break
      case 'connection': isRight = closedBy === undefined ? name === 'MuxerClosedError' || name === 'ConnectionClosedError' : record.error === closedBy; break
      default: isRight = record.error === undefined
    }

    if (!isRight) {
      this.#fail(`stream ${record.name} ends by ${cause ?? 'both ends'}${dropped ? ', with what was unread dropped' : ''}, and by the error ${name}: ${record.error?.message}`)
    }
  }

  /** Says it only if it must: it is asked for every stream at every step. */
  #equal<T> (record: StreamRecord, what: string, actual: T, expected: T): void {
    if (actual !== expected) {
      this.#fail(`${what} of stream ${record.name}: ${actual}, the model says ${expected}`)
    }
  }

  #must (condition: boolean, what: string): asserts condition {
    if (!condition) {
      this.#fail(what)
    }
  }

  #fail (what: string): never {
    throw new Error(`${this.#endpoint.name}: ${what}`)
  }
}
