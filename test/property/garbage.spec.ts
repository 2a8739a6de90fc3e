import fc from 'fast-check'
import { takeEdges } from '../../src/core/stream-lanes.ts'
import { resolveConfig } from '../../src/protocols/yamux/config.ts'
import { YamuxEngine } from '../../src/protocols/yamux/engine.ts'
import { cut, pieceLength, runs, sequence, u32 } from '../support/arbitraries.ts'
import { FrameReader, frame, join, pattern } from '../support/frames.ts'
import { RESET, must } from './stream-model.ts'
import type { YamuxStream } from '../../src/protocols/yamux/stream.ts'
import type { Frame } from '../support/frames.ts'

/** Small, so that they are met. */
const BUDGET = 20
const MAX_INBOUND = 4

const BYTES = pattern(400_000)

function bytesOf (length: number): Uint8Array {
  return BYTES.subarray(0, length)
}

const body = fc.oneof(
  fc.constant(0), fc.nat(100), fc.nat(3_000), fc.constantFrom(262_144, 262_145, 300_000)
).map(bytesOf)

/** Frames as a peer may send them: legal by themselves, and often where they stand. */
const validFrame = fc.record({
  type: fc.constantFrom(0, 0, 0, 1, 1, 2, 3),
  flags: fc.constantFrom(0, 0, 0, 1, 1, 2, 4, 8, 3, 5),
  streamId: fc.constantFrom(0, 1, 2, 2, 3, 4, 4, 6, 8, 10, 12, 2 ** 32 - 2),
  length: fc.oneof(fc.constant(0), fc.nat(300_000)),
  body
}).map(({ type, length, ...fields }) => {
  if (type === 0) {
    return frame({ ...fields, type })
  }

  // most connections go on for longer than one GoAway
  return frame({ ...fields, type, streamId: type === 1 ? fields.streamId : 0, length: type === 3 ? 0 : length, body: undefined })
})

/** Frames of which any field may be anything. */
const anyFrame = fc.record({
  version: fc.constantFrom(0, 0, 0, 0, 0, 1, 255),
  type: fc.constantFrom(0, 0, 1, 1, 2, 3, 4, 255),
  flags: fc.oneof(fc.nat(15), fc.nat(0xffff)),
  streamId: fc.oneof(fc.nat(8), u32),
  length: fc.oneof(fc.constant(undefined), fc.nat(300), u32),
  body
}).map(fields => frame(fields))

const mutatedFrame = fc.tuple(validFrame, fc.nat(15), fc.nat(255)).map(([bytes, at, value]) => {
  bytes[at % bytes.byteLength] = value

  return bytes
})

/** What a peer may well send as things are; `Victim` makes the frame of it. */
interface Polite {
  says: 'syn' | 'data' | 'credit' | 'rst' | 'ping' | 'pong'
  which: number
  amount: number
  flags: number
}

const polite: fc.Arbitrary<Polite> = fc.record({
  says: fc.constantFrom('syn', 'syn', 'data', 'data', 'data', 'data', 'credit', 'credit', 'rst', 'ping', 'pong'),
  which: fc.nat(5),
  amount: fc.oneof(fc.constant(0), pieceLength, fc.constant(300_000)),
  flags: fc.constantFrom(0, 0, 0, 0, 2, 4, 6, 8)
})

type Step =
  { receive: Array<Uint8Array | Polite>, piece: number } |
  { act: number, which: number, amount: number } |
  { transmit: number } |
  { millis: number }

function stepsOf (input: fc.Arbitrary<Uint8Array | Polite>): fc.Arbitrary<Step[]> {
  return sequence(fc.oneof(
    { weight: 8, arbitrary: fc.record({ receive: fc.array(input, { minLength: 1, maxLength: 6 }), piece: fc.oneof(pieceLength, fc.constant(Infinity)) }) },
    { weight: 8, arbitrary: fc.record({ act: fc.nat(9), which: fc.nat(5), amount: fc.oneof(pieceLength, fc.constant(400_000)) }) },
    { weight: 3, arbitrary: fc.record({ transmit: fc.oneof(fc.constant(13), fc.nat(200_000)) }) },
    { weight: 1, arbitrary: fc.record({ millis: fc.oneof(fc.nat(100), fc.nat(9_000)) }) }
  ), 80)
}

function mostly (rude: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array | Polite> {
  return fc.oneof({ weight: 40, arbitrary: polite }, { weight: 1, arbitrary: rude })
}

/** One engine, its application, and a peer of which nothing good is known. */
class Victim {
  readonly engine: YamuxEngine
  readonly #known: YamuxStream[] = []
  readonly #reader = new FrameReader()
  #now = 0
  #nextId = 0

  constructor () {
    this.engine = new YamuxEngine('client', resolveConfig({
      maxInboundStreams: MAX_INBOUND,
      budgets: { pings: BUDGET, resets: BUDGET, refusals: BUDGET, unknownStreams: BUDGET, emptyFrames: BUDGET }
    }), 0)
  }

  run (step: Step): void {
    const before = this.engine.state

    if ('receive' in step) {
      for (const input of step.receive) {
        for (const bytes of cut(input instanceof Uint8Array ? input : this.#frameOf(input), [step.piece])) {
          this.engine.receive(bytes, this.#now)
        }

        this.#look()
      }
    } else if ('transmit' in step) {
      this.#transmit(step.transmit)
    } else if ('millis' in step) {
      this.#now += step.millis
      this.engine.handleTimeout(this.#now)
    } else {
      this.#act(step.act, this.#known[step.which % Math.max(1, this.#known.length)], step.amount)
    }

    this.#look()
    must(before === 'open' || this.engine.state !== 'open', 'nothing that ended opens again')
    this.#check()
  }

  #frameOf ({ says, which, amount, flags }: Polite): Uint8Array {
    const stream = this.#known[which % Math.max(1, this.#known.length)]

    if (says === 'ping' || says === 'pong') {
      return frame({ type: 2, flags: says === 'ping' ? 1 : 2, length: says === 'ping' ? amount : which })
    } else if (says === 'syn' || stream === undefined) {
      this.#nextId += 2

      return frame({ type: 1, flags: 1 | flags, streamId: this.#nextId, length: amount })
    } else if (says === 'rst') {
      return frame({ type: 1, flags: 8, streamId: stream.id, length: amount })
    }

    return says === 'data'
      ? frame({ type: 0, flags, streamId: stream.id, body: bytesOf(Math.min(amount, stream.receiveWindow.available)) })
      : frame({ type: 1, flags, streamId: stream.id, length: amount })
  }

  /** All that an application may do, to streams that may be over. */
  #act (act: number, stream: YamuxStream | undefined, amount: number): void {
    const { engine } = this

    if (act === 0 || stream === undefined) {
      if (engine.state === 'open' && engine.streamCount.outbound < 3) {
        this.#open()
      }
    } else if (act <= 2) {
      engine.accept(stream)
    } else if (act <= 4 && stream.send === 'open') {
      engine.write(stream, bytesOf(amount), this.#now)
    } else if (act <= 6) {
      engine.read(stream, amount, this.#now)
    } else if (act === 7) {
      engine.end(stream)
    } else if (act === 8) {
      engine.closeRead(stream, this.#now)
    } else {
      engine.reset(stream, 1, new Error(RESET))
    }
  }

  #open (): void {
    try {
      this.#known.push(this.engine.open(this.#now) as YamuxStream)
    } catch (err: any) {
      must(err.name === 'MuxerClosedError', 'a stream is refused only to who was told that there are no more')
    }
  }

  #look (): void {
    for (let stream = this.engine.pollStream(); stream !== undefined; stream = this.engine.pollStream()) {
      takeEdges(stream)

      if (!this.#known.includes(stream)) {
        this.#known.push(stream)
      }
    }

    while (this.engine.pollEvent() !== undefined) {
      // what they say is for other tests to look at
    }
  }

  /** What we send is right whatever we received. */
  #transmit (max: number): void {
    const bytes = join(...this.engine.pollTransmit(max, this.#now) ?? [])

    for (const sent of this.#reader.push(bytes)) {
      this.#checkFrame(sent)
    }
  }

  #checkFrame ({ version, type, flags, streamId, length, body }: Frame): void {
    must(version === 0 && type <= 3, 'we send frames that there are')
    must([0, 1, 2, 4, 8].includes(flags), 'we send one flag at most')
    must(type >= 2 ? streamId === 0 : streamId > 0, 'we send frames of a stream for a stream, and others for none')
    must(type !== 0 || (flags === 0 && length > 0 && length <= 65_536 && body.byteLength === length), 'we send data without flags, and never none')
  }

  #check (): void {
    const { engine } = this
    const { inbound, outbound } = engine.streamCount
    const streams = [...engine.streams]

    must(streams.length === inbound + outbound && inbound <= MAX_INBOUND, 'there are as many streams as are counted')
    must(engine.state !== 'closed' || streams.length === 0, 'no stream outlives its connection')

    must(streams.every(stream => !stream.closed), 'what is over is not in the table')

    for (const { error, receive, receiveQueue, receiveWindow } of this.#known) {
      must(receiveQueue.byteLength <= receiveWindow.size, 'no more is unread than the window')
      must(receive !== 'open' || receiveQueue.byteLength + receiveWindow.available <= receiveWindow.size, 'no more may come than there is room for')
      must(error?.message !== RESET || receiveQueue.byteLength === 0, 'nothing is kept for a stream that we have reset')
    }
  }

  /** A connection that is over has one thing to say, and then none. */
  end (): void {
    const { engine } = this

    engine.receiveEnd(undefined)
    this.#look()
    this.#check()
    must(engine.state === 'closed', 'the end of the connection is the end')
    this.#transmit(1)
    must(!engine.wantsTransmit && engine.pollTransmit(100_000, this.#now) === undefined, 'after the last word there is none')
    engine.receive(pattern(1_000), this.#now)
    engine.handleTimeout(this.#now + 1e9)
    this.#look()
    must(engine.pollTimeout() === undefined, 'a connection that is over waits for nothing')
  }
}

function survives (steps: Step[]): void {
  const victim = new Victim()

  for (const step of steps) {
    victim.run(step)
  }

  victim.end()
}

describe('property: a yamux engine and a peer that may send anything', () => {
  for (const [what, input] of [
    ['random bytes', fc.uint8Array({ maxLength: 300 })],
    ['frames that it may send', polite],
    ['and then a frame in the wrong place', mostly(validFrame)],
    ['and then a frame of which a byte was changed', mostly(mutatedFrame)],
    ['and then a frame with any fields', mostly(anyFrame)]
  ] as const) {
    it(`never throws, keeps what it was granted and no more, and sends only what is right: ${what}`, function () {
      this.timeout(60_000)
      fc.assert(fc.property(stepsOf(input), survives), runs(100))
    })
  }
})
