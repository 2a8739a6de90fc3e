/** Two engines, their two applications, and the bytes between them: each does one thing when it is told to. */
import { takeEdges } from '../../src/core/stream-lanes.ts'
import { Edge } from '../../src/core/stream-record.ts'
import { resolveConfig } from '../../src/protocols/yamux/config.ts'
import { YamuxEngine } from '../../src/protocols/yamux/engine.ts'
import { readAll } from '../support/reading.ts'
import { RESET, StreamModel, must, otherSide } from './stream-model.ts'
import type { Side } from './stream-model.ts'
import type { BaseEngine } from '../../src/core/base-engine.ts'
import type { StreamRecord } from '../../src/core/stream-record.ts'
import type { YamuxOptions } from '../../src/protocols/yamux/config.ts'
import type { YamuxStream } from '../../src/protocols/yamux/stream.ts'

const SIDES = [0, 1] as const

/** More rounds than this without an end are a circle. */
const MANY_ROUNDS = 5_000

export interface Pair<Stream> {
  model: StreamModel
  records: [Stream | undefined, Stream | undefined]
}

class End<Stream extends StreamRecord> {
  readonly engine: BaseEngine<Stream, any>

  /** Bytes on their way to the other side. */
  readonly sent: Uint8Array[] = []

  /** Streams that this application knows, in the order in which it came to. */
  readonly streams: Array<Pair<Stream>> = []
  readonly pings = new Set<number>()

  constructor (engine: BaseEngine<Stream, any>) {
    this.engine = engine
  }
}

/** As long as little credit is kept for more to come. */
const HELD_MILLIS = 100

export abstract class AnyWorld<Stream extends StreamRecord> {
  readonly #ends: [End<Stream>, End<Stream>]
  readonly #pairs = new Map<number, Pair<Stream>>()
  #now = 0

  /** Of what is unread, the bytes that were read before and pushed back, whose credit went back with the first read. */
  protected readonly pushedBack = new WeakMap<StreamRecord, number>()

  constructor (client: BaseEngine<Stream, any>, server: BaseEngine<Stream, any>) {
    this.#ends = [new End(client), new End(server)]
  }

  /** The same number on both sides, and another for each stream. */
  protected abstract idOf (side: Side, record: Stream): number

  /** What must be true of a stream at any time. */
  protected abstract checkStream (ours: Stream, theirs: Stream | undefined): void

  /** What must be true when nothing is on its way. */
  protected abstract checkSettled (writer: Stream, reader: Stream): void

  /** Whether resets carry codes. */
  protected abstract readonly codes: boolean

  open (side: Side, urgency: number): void {
    const { engine, streams } = this.#ends[side]
    const record = engine.open(this.#now, { urgency }) as Stream
    const id = this.idOf(side, record)
    const pair: Pair<Stream> = { model: new StreamModel(id, this.codes), records: [undefined, undefined] }

    must(!this.#pairs.has(id), 'no id is given twice')
    pair.records[side] = record
    this.#pairs.set(id, pair)
    streams.push(pair)
  }

  accept (side: Side, which: number): void {
    this.#with(side, which, ({ engine }, record) => {
      engine.accept(record)
    })
  }

  /** An application writes to what it has not ended and was not told to be over: the engine must say the same. */
  write (side: Side, which: number, byteLength: number): void {
    this.#with(side, which, ({ engine }, record, model) => {
      const open = !model.directions[side].ended && !model.over[side]

      must((record.send === 'open') === open, 'a stream can be written to until it was ended, or is over')

      if (open) {
        engine.write(record, model.write(side, byteLength), this.#now)
      }
    })
  }

  read (side: Side, which: number, max: number): void {
    this.#withReader(side, which, (engine, record, model) => {
      model.read(side, this.#read(engine, record, max))
    })
  }

  /** Reads, and pushes back what is more than `keep` bytes, in one piece or two, if there is room for it. */
  readTooFar (side: Side, which: number, max: number, keep: number): void {
    this.#withReader(side, which, (engine, record, model) => {
      const bytes = this.#read(engine, record, max)
      const rest = bytes.subarray(keep)

      if (rest.byteLength === 0 || record.receiveQueue.byteLength + rest.byteLength > record.limits.maxReadBufferLength) {
        model.read(side, bytes)
      } else {
        model.read(side, bytes.subarray(0, keep))
        this.pushedBack.set(record, (this.pushedBack.get(record) ?? 0) + rest.byteLength)
        engine.pushBack(record, [rest.subarray(0, keep), rest.subarray(keep)].filter(({ byteLength }) => byteLength > 0), true, this.#now)
      }
    })
  }

  readAll (side: Side, which: number): void {
    this.#withReader(side, which, (engine, record, model) => {
      this.pushedBack.delete(record)

      for (const bytes of readAll(engine, record, this.#now)) {
        model.read(side, bytes)
      }
    })
  }

  /** A reader gives up, and what it has in hand back. */
  readInVain (side: Side, which: number, max: number): void {
    this.#withReader(side, which, (engine, record) => {
      const bytes = engine.read(record, max, this.#now)

      if (bytes !== undefined) {
        engine.giveBack(record, [bytes])
      }
    })
  }

  retain (side: Side, which: number): void {
    this.#with(side, which, ({ engine }, record) => {
      engine.retain(record)
    })
  }

  limit (side: Side, which: number, maxReadBufferLength: number): void {
    this.#with(side, which, ({ engine }, record) => {
      engine.limit(record, { maxReadBufferLength })
    })
  }

  end (side: Side, which: number): void {
    this.#with(side, which, ({ engine }, record, model) => {
      model.directions[side].ended ||= !model.over[side]
      engine.end(record, this.#now)
    })
  }

  closeRead (side: Side, which: number): void {
    this.#with(side, which, ({ engine }, record, model) => {
      model.directions[otherSide(side)].dropped = true
      engine.closeRead(record, this.#now)
    })
  }

  reset (side: Side, which: number, code: number): void {
    this.#with(side, which, ({ engine }, record, model) => {
      if (!model.over[side]) {
        model.resets[side] = code
      } else if (record.receiveQueue.byteLength > 0) {
        // it is over, and what is unread goes as well
        model.directions[otherSide(side)].dropped = true
      }

      engine.reset(record, code, new Error(RESET), this.#now)
    })
  }

  ping (side: Side): void {
    const { engine, pings } = this.#ends[side]

    pings.add(engine.ping(this.#now) as number)
  }

  wait (millis: number): void {
    this.#now += millis

    for (const { engine } of this.#ends) {
      engine.handleTimeout(this.#now)
    }
  }

  transmit (side: Side, max: number): void {
    const { engine, sent } = this.#ends[side]
    const frames = engine.pollTransmit(max, this.#now)

    if (frames !== undefined) {
      must(frames.every(bytes => bytes.byteLength > 0), 'no buffer is empty')
      sent.push(...frames)
    }
  }

  /** The next bytes that a side sent reach the other, `max` at most, in one piece or several. */
  deliver (side: Side, max: number): void {
    const { sent } = this.#ends[side]
    const { engine } = this.#ends[otherSide(side)]

    for (let left = max; left > 0 && sent.length > 0;) {
      const bytes = sent[0].subarray(0, left)

      left -= bytes.byteLength
      sent[0] = sent[0].subarray(bytes.byteLength)

      if (sent[0].byteLength === 0) {
        sent.shift()
      }

      engine.receive(bytes, this.#now)
    }

    this.#look(otherSide(side))
  }

  /** What must be true at any time. */
  check (): void {
    for (const side of SIDES) {
      const { engine, streams } = this.#ends[side]

      this.#look(side)
      must(engine.state === 'open', 'a connection on which nobody does wrong stays open')

      for (const { records: { [side]: ours, [otherSide(side)]: theirs } } of streams) {
        if (ours?.receive === 'open') {
          this.checkStream(ours, theirs)
        }
      }
    }
  }

  /** All arrives and is read, at first with streams as they are, then with all of them ended by those who had not. */
  finish (): void {
    this.#exchange()

    for (const { records } of this.#pairs.values()) {
      this.#checkSettled(records)
    }

    for (const side of SIDES) {
      this.#ends[side].streams.forEach((_, which) => {
        this.end(side, which)
      })
    }

    this.#exchange()

    for (const { model, records } of this.#pairs.values()) {
      model.finish(isRefused(records), records)
    }

    for (const { engine, pings } of this.#ends) {
      must([...engine.streams].length + engine.streamCount.inbound + engine.streamCount.outbound === 0, 'no stream is left behind')
      must(pings.size === 0, 'every ping is answered')
    }
  }

  #read (engine: BaseEngine<Stream, any>, record: Stream, max: number): Uint8Array {
    const bytes = engine.read(record, max, this.#now)

    must(bytes === undefined || (bytes.byteLength > 0 && bytes.byteLength <= max), 'no more is read than was asked for')
    this.pushedBack.set(record, Math.max(0, (this.pushedBack.get(record) ?? 0) - (bytes?.byteLength ?? 0)))

    return bytes ?? new Uint8Array(0)
  }

  #with (side: Side, which: number, act: (end: End<Stream>, record: Stream, model: StreamModel) => void): void {
    const end = this.#ends[side]
    const pair = end.streams[which % end.streams.length]

    if (pair !== undefined) {
      act(end, pair.records[side] as Stream, pair.model)
      this.#look(side)
    }
  }

  /** Nobody reads what was closed for reading: the peer's credit must not depend on it. */
  #withReader (side: Side, which: number, act: (engine: BaseEngine<Stream, any>, record: Stream, model: StreamModel) => void): void {
    this.#with(side, which, ({ engine }, record, model) => {
      if (!model.directions[otherSide(side)].dropped) {
        act(engine, record, model)
      }
    })
  }

  /** An application learns what happened. */
  #look (side: Side): void {
    const { engine, streams, pings } = this.#ends[side]

    for (let record = engine.pollStream(); record !== undefined; record = engine.pollStream()) {
      const edges = takeEdges(record)
      const pair = this.#pairs.get(this.idOf(side, record)) as Pair<Stream>

      if ((edges & Edge.opened) !== 0) {
        must(pair.records[side] === undefined, 'a stream is opened once')
        pair.records[side] = record
        streams.push(pair)
      }

      must(pair.records[side] === record, 'a stream is known by one record')
      must(!pair.model.over[side], 'there is no news of a stream that is over')

      if ((edges & Edge.readable) !== 0 && (edges & Edge.closed) === 0) {
        must(record.receiveQueue.byteLength > 0, 'what is readable can be read')
      }

      if ((edges & Edge.remoteEnded) !== 0) {
        pair.model.onRemoteEnded(side, record)
      }

      if ((edges & Edge.closed) !== 0) {
        pair.model.onClosed(side, record, isRefused(pair.records))
      }
    }

    for (let event = engine.pollEvent(); event !== undefined; event = engine.pollEvent()) {
      must(event.type === 'pong', 'there is no news but pongs')
      pings.delete((event as { id: number }).id)
    }
  }

  #exchange (): void {
    for (let round = 0; round < MANY_ROUNDS; round++) {
      for (const side of SIDES) {
        this.transmit(side, 100_000)
        this.deliver(side, Infinity)
      }

      for (const side of SIDES) {
        this.#ends[side].streams.forEach((_, which) => {
          this.accept(side, which)
          this.readAll(side, which)
        })
      }

      this.check()

      if (!this.#ends.some(({ engine }) => engine.wantsTransmit)) {
        this.wait(HELD_MILLIS)

        if (!this.#ends.some(({ engine }) => engine.wantsTransmit)) {
          return
        }
      }
    }

    throw new Error('there is always more to send')
  }

  /** Nothing is on its way, and nobody waits for anything. */
  #checkSettled (records: Pair<Stream>['records']): void {
    for (const side of SIDES) {
      const writer = records[side]
      const reader = records[otherSide(side)]

      if (writer?.send === 'open' && reader?.receive === 'open') {
        this.checkSettled(writer, reader)
        must(writer.sendQueue.byteLength === 0, 'all is sent to who reads all')
        must(!writer.needsDrain && writer.stalledAt === undefined, 'nobody waits for what has come')
      }
    }
  }
}

/** The peer never heard of it, or had no room for it. */
function isRefused (records: Pair<StreamRecord>['records']): boolean {
  return records.includes(undefined)
}

export class World extends AnyWorld<YamuxStream> {
  protected readonly codes = true

  constructor (client: YamuxOptions, server: YamuxOptions) {
    super(new YamuxEngine('client', resolveConfig(client), 0), new YamuxEngine('server', resolveConfig(server), 0))
  }

  protected idOf (_side: Side, record: YamuxStream): number {
    return record.id
  }

  protected checkStream (ours: YamuxStream, theirs: YamuxStream | undefined): void {
    const { receiveWindow: { available, size }, receiveQueue } = ours

    must(available + receiveQueue.unread <= size + (this.pushedBack.get(ours) ?? 0), 'what may come and what is unread are within the window')
    must((theirs?.sendWindow.available ?? 0) <= available, 'nobody has more credit than was given')
  }

  protected checkSettled (writer: YamuxStream, reader: YamuxStream): void {
    must(writer.sendWindow.available === reader.receiveWindow.available, 'no credit is lost')
  }
}
