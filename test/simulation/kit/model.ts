/**
 * What one end's streams must look like, told from nothing but what its application asked for and which frames went
 * out and came in. It is short enough to be believed, and is compared with the engine again and again.
 *
 * Credit needs no model of its own: what either end may send is compared with what the recorder saw granted and used,
 * so what is in flight, unread, owed and still to be sent always makes up one window.
 */
import { DATA, FIN, RST, SYN, describeFrame } from './recorder.ts'
import { queuedOnOthers } from './told.ts'
import type { Endpoint } from './endpoint.ts'
import type { Frame } from './recorder.ts'
import type { Told } from './told.ts'
import type { YamuxStream } from '../../../src/protocols/yamux/stream.ts'

const INITIAL_WINDOW = 262_144

/** Streams of the peer of which less was read are not begun. */
export const BEGUN_BYTES = 1_024

/** Stands for the error that names the limit. */
const OVERFLOW = new Error('more than may wait to be read')
const RESOURCE_LIMIT_EXCEEDED = 0x1002

/** The scheduler looks after those of the other seven urgencies in turn, every 32 frames. */
export const MOST_PASSED_OVER = 7 * 32

/** Why a stream was reset, which decides the error that its application is shown. */
export type Reset = { by: 'us', error: Error | undefined } | { by: 'peer', code: number } | { by: 'connection' }

export class StreamModel {
  readonly id: number
  readonly inbound: boolean
  record: YamuxStream | undefined
  told: Told | undefined

  send: 'open' | 'ending' | 'ended' | 'reset' = 'open'
  receive: 'open' | 'ended' | 'reset' = 'open'
  readClosed = false
  reset: Reset | undefined
  resetCode = 0

  /** What was unread is dropped. */
  dropped = false

  /** Bytes that our application wrote, and of them those that left in frames. */
  written = 0
  sent = 0

  /** Bytes that headers announced, that have arrived, and that our application has read. */
  announced = 0
  arrived = 0
  read = 0
  sawEnd = false

  /** When half of the window was first owed, while it is. */
  dueSince: number | undefined

  /** Frames of other streams since it could have sent one, and how many streams there were to have a turn. */
  passedOver = 0
  among = 0

  constructor (id: number, record?: YamuxStream) {
    this.id = id
    // a stream of the peer is heard of before it is seen
    this.inbound = record === undefined
    this.record = record
  }

  get closed (): boolean {
    return this.receive !== 'open' && (this.send === 'ended' || this.send === 'reset')
  }

  get queued (): number {
    return this.send === 'reset' ? 0 : this.written - this.sent
  }

  get unread (): number {
    return this.dropped || this.readClosed ? 0 : this.arrived - this.read
  }

  /** What waits on it, if nobody has begun to read. */
  get unbegun (): number {
    return this.inbound && this.read < BEGUN_BYTES ? this.unread : 0
  }

  /** It is over, and what is unread goes as well. */
  giveWay (error: Error | undefined): void {
    this.reset ??= { by: 'us', error }
    this.receive = 'reset'
    this.dropped = true
  }

  resetNow (reset: Reset): void {
    if (this.closed) {
      return
    }

    this.reset = reset

    if (reset.by === 'us' && this.unread > 0) {
      // whoever reads on must not take what was read for the whole
      this.giveWay(undefined)
    }

    this.dropped ||= reset.by === 'us'

    if (reset.by === 'peer' && this.record === undefined && this.unread > 0) {
      // nobody has heard of it
      this.giveWay(undefined)
    }

    if (this.send !== 'ended') {
      this.send = 'reset'
    }

    if (this.receive === 'open') {
      this.receive = 'reset'
    }
  }
}

export class SideModel {
  readonly endpoint: Endpoint

  /** Streams of which something can still happen; and all there ever were. */
  readonly active = new Set<StreamModel>()
  readonly streams = new Map<number, StreamModel>()

  /** Streams that are over, the oldest first. */
  readonly #over = new Set<StreamModel>()
  refused = 0
  overflows = 0
  draining = false

  constructor (endpoint: Endpoint) {
    this.endpoint = endpoint

    endpoint.recorder.onSent = frame => { this.#onSent(frame) }
    endpoint.recorder.onReceived = frame => { this.#onReceived(frame) }
    endpoint.recorder.onBody = (id, length) => {
      const model = this.streams.get(id)

      if (model?.receive === 'open') {
        model.arrived += length
        this.#overflow()
      }
    }
  }

  add (model: StreamModel): void {
    this.streams.set(model.id, model)
    this.active.add(model)
  }

  othersQueued (model: StreamModel): number {
    return queuedOnOthers(this.active, model)
  }

  /** The connection is over. */
  close (): void {
    for (const model of this.active) {
      model.resetNow({ by: 'connection' })
    }
  }

  /**
   * What is unread is bounded on all streams together, and what nobody has begun to read by less: those that are over go
   * first, the oldest before all others, and then the one that holds the most, or the last of such.
   */
  #overflow (): void {
    const { unreadBytes, unstartedBytes } = this.endpoint.config.budgets

    if (!this.#relieve(unreadBytes, ({ unread }) => unread)) {
      this.#relieve(unstartedBytes, ({ unbegun }) => unbegun)
    }
  }

  /** Returns whether a stream was reset for it. */
  #relieve (limit: number, amount: (model: StreamModel) => number): boolean {
    const isOver = (): boolean => [...this.active].reduce((sum, model) => sum + amount(model), 0) > limit

    for (const model of this.#over) {
      if (amount(model) > 0 && isOver()) {
        model.giveWay(OVERFLOW)
        this.overflows++
      }
    }

    if (!isOver()) {
      return false
    }

    const all = [...this.active].filter(({ closed }) => !closed)
    const most = all.reduce((most, model) => amount(model) >= amount(most) ? model : most)

    most.resetCode = RESOURCE_LIMIT_EXCEEDED
    most.resetNow({ by: 'us', error: OVERFLOW })
    this.overflows++

    return true
  }

  closeRead (model: StreamModel): void {
    const unread = model.record?.receiveQueue.byteLength ?? 0

    model.readClosed = true

    if (unread > 0 && model.send === 'ended') {
      model.resetNow({ by: 'us', error: undefined })
    }
  }

  #onSent ({ type, flags, streamId, length }: Frame): void {
    const model = this.streams.get(streamId)

    if (model === undefined) {
      return
    }

    if (type === DATA) {
      model.sent += length
      model.told?.sent(model.queued, this.othersQueued(model))
      this.#passOver(model)
    } else if (flags === FIN) {
      if (model.send !== 'ending') {
        throw new Error(`a FIN was sent for stream ${streamId}, which is ${model.send}`)
      }

      model.send = 'ended'
      this.#note(model)
    }
  }

  #note (model: StreamModel): void {
    if (model.closed) {
      this.#over.add(model)
    }
  }

  /** Every stream that waits is served in the end, however many more urgent ones there are. */
  #passOver (served: StreamModel): void {
    const waiting = [...this.active].filter(({ record }) => record?.scheduled === true)

    served.passedOver = 0

    for (const model of waiting) {
      if (model !== served) {
        // who comes later stands behind it, and who was there may have ended since
        model.among = model.passedOver === 0 ? waiting.length : model.among
        model.passedOver++
        this.#equal('enough turns, beside those that others have,', model.passedOver <= MOST_PASSED_OVER * model.among, true, model)
      }
    }
  }

  #onReceived (frame: Frame): void {
    const { type, flags, streamId, length } = frame

    if (type === DATA ? length === 0 && flags === 0 : false) {
      throw new Error(`received ${describeFrame(frame)}, which says nothing`)
    }

    if (flags === SYN && streamId !== 0) {
      this.#onSyn(streamId)
      return
    }

    const model = this.streams.get(streamId)

    if (model === undefined) {
      return
    }

    if (type === DATA) {
      this.#onData(model, length)
    } else if (flags === FIN && model.receive === 'open') {
      model.receive = 'ended'
    } else if (flags === RST) {
      model.resetNow({ by: 'peer', code: length })
    }

    this.#note(model)
  }

  #onSyn (id: number): void {
    let inbound = 0

    for (const model of this.active) {
      inbound += model.id % 2 === id % 2 && !model.closed ? 1 : 0
    }

    if (this.draining || inbound >= this.endpoint.config.maxInboundStreams) {
      this.refused++
    } else {
      this.add(new StreamModel(id))
    }
  }

  #onData (model: StreamModel, length: number): void {
    if (model.receive !== 'open') {
      return
    }

    if (model.readClosed && model.send === 'ended') {
      model.resetNow({ by: 'us', error: undefined })
    } else {
      model.announced += length
    }
  }

  /** Compares all that can still change. */
  check (): void {
    let grown = 0

    for (const model of this.active) {
      const { record } = model

      if (record === undefined) {
        // its edge is still to be looked at
        continue
      }

      this.#check(model, record)

      if (!model.closed) {
        grown += Math.max(0, record.receiveWindow.size - this.endpoint.config.stream.initialStreamWindowSize)
      } else if (record.receiveQueue.byteLength === 0) {
        this.active.delete(model)
      }
    }

    this.#equal('growth within the budget of the connection', grown <= this.endpoint.config.connectionWindowBudget, true)
  }

  #check (model: StreamModel, record: YamuxStream): void {
    const unread = record.receiveQueue.byteLength

    this.#equal('state of the sending half', record.send, model.send, model)
    this.#equal('state of the receiving half', record.receive, model.receive, model)
    this.#equal('queued bytes', record.sendQueue.byteLength, model.queued, model)
    this.#equal('unread bytes', unread, model.unread, model)
    model.told?.check(model)

    const log = this.endpoint.recorder.streams.get(model.id)

    if (log === undefined || model.closed) {
      return
    }

    this.#equal('credit to send', record.sendWindow.available, log.sendCredit, model)

    if (model.receive === 'open') {
      const { available, size } = record.receiveWindow
      const first = log.ours || log.ackSent ? 0 : this.endpoint.config.stream.initialStreamWindowSize - INITIAL_WINDOW
      const coming = model.announced - model.arrived
      const owed = size - available - unread - coming

      this.#equal('credit granted', available, log.receiveCredit + record.credit + first, model)
      this.#equal('credit, with what is unread, within the window', owed >= 0, true, model)

      // that of one stream may wait for that of others
      model.dueSince = owed < size / 2 ? undefined : model.dueSince ?? this.endpoint.now
      this.#equal('half of the window is owed for no time', model.dueSince === undefined || this.endpoint.now === model.dueSince, true, model)
    }
  }

  #equal<T> (what: string, actual: T, expected: T, of?: StreamModel): void {
    if (actual !== expected) {
      throw new Error(`${this.endpoint.name}: ${what}${of === undefined ? '' : ` of stream ${of.id}`}: ${actual}, the model says ${expected}`)
    }
  }
}

/** What the application was told at the end of each stream. */
export function checkErrors (side: SideModel): void {
  for (const { id, record, reset } of side.streams.values()) {
    const error = record?.error
    const { name, code } = (error ?? { name: 'none' }) as { name: string, code?: number }
    let asExpected: boolean

    if (record === undefined || reset === undefined) {
      asExpected = error === undefined
    } else if (reset.by === 'us') {
      asExpected = reset.error === OVERFLOW ? name === 'StreamBufferError' : error === reset.error
    } else if (reset.by === 'peer') {
      asExpected = name === 'StreamResetError' && code === reset.code
    } else {
      asExpected = side.endpoint.error === undefined ? name === 'MuxerClosedError' : error === side.endpoint.error
    }

    if (!asExpected) {
      throw new Error(`${side.endpoint.name}: stream ${id}, reset ${JSON.stringify(reset)}, ended with error ${name} ${code ?? ''}: ${error?.message}`)
    }
  }
}
