import fc from 'fast-check'
import { takeEdges } from '../../src/core/stream-lanes.ts'
import { resolveConfig } from '../../src/protocols/mplex/config.ts'
import { MplexEngine } from '../../src/protocols/mplex/engine.ts'
import { cut, pieceLength, runs, sequence } from '../support/arbitraries.ts'
import { join } from '../support/frames.ts'
import { MessageReader, header, message } from '../support/mplex-frames.ts'
import { step } from './steps.ts'
import { must } from './stream-model.ts'
import { AnyWorld } from './world.ts'
import type { Side } from './stream-model.ts'
import type { MplexOptions } from '../../src/protocols/mplex/config.ts'
import type { MplexStream } from '../../src/protocols/mplex/stream.ts'
import type { Id, Message } from '../support/mplex-frames.ts'

/** Nothing that is read late enough to overflow: that is what `limits.spec.ts` looks at. */
class World extends AnyWorld<MplexStream> {
  protected readonly codes = false

  constructor (client: MplexOptions, server: MplexOptions) {
    super(new MplexEngine(resolveConfig(client), 0), new MplexEngine(resolveConfig(server), 0))
  }

  protected idOf (side: Side, { wireId, inbound }: MplexStream): number {
    return Number(wireId) * 2 + (inbound ? 1 - side : side)
  }

  protected checkStream ({ receiveQueue, bytesReceived }: MplexStream): void {
    must(receiveQueue.byteLength <= bytesReceived, 'no more is unread than was received')
  }

  protected checkSettled ({ bytesSent }: MplexStream, { bytesReceived }: MplexStream): void {
    must(bytesSent === bytesReceived, 'all that was sent was received')
  }
}

const side = fc.constantFrom<Side>(0, 1)
const which = fc.nat(5)
const amount = fc.oneof({ weight: 3, arbitrary: pieceLength }, { weight: 1, arbitrary: fc.integer({ min: 100_000, max: 600_000 }) })

const steps = fc.array(fc.oneof(
  step<World>(3, 'open', side, fc.nat(7)),
  step<World>(2, 'accept', side, which),
  step<World>(10, 'write', side, which, fc.oneof({ weight: 9, arbitrary: amount }, { weight: 1, arbitrary: fc.constant(0) })),
  step<World>(6, 'read', side, which, amount),
  step<World>(2, 'readAll', side, which),
  step<World>(2, 'readTooFar', side, which, amount, pieceLength),
  step<World>(2, 'readInVain', side, which, amount),
  step<World>(2, 'retain', side, which),
  step<World>(3, 'end', side, which),
  step<World>(2, 'closeRead', side, which),
  step<World>(1, 'reset', side, which, fc.nat(3)),
  step<World>(2, 'wait', fc.nat(50)),
  step<World>(10, 'transmit', side, fc.integer({ min: 1, max: 300_000 })),
  step<World>(12, 'deliver', side, amount)
), { maxLength: 120, size: 'max' })

const options = fc.record({
  maxMessageSize: fc.constantFrom(1_024, 65_536, 1_048_576),
  maxInboundStreams: fc.constantFrom(2, 1_000, 1_000),
  maxStreamBufferSize: fc.constant(Infinity),
  connectionWriteHighWaterMark: fc.constantFrom(1, 100_000, 4_194_304),
  streamOptions: fc.record({ writeHighWaterMark: fc.constantFrom(1, 10_000, 262_144) })
})

const MAX_INBOUND = 4
const MAX_UNREAD = 2_000
const MAX_ALL = 5_000

const id: fc.Arbitrary<Id> = fc.oneof({ weight: 8, arbitrary: fc.nat(6) }, { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 60n - 1n }) })
const legal = fc.tuple(fc.constantFrom(0, 0, 1, 2, 2, 2, 2, 3, 4, 5, 6), id, fc.oneof(fc.constant(0), fc.nat(50), fc.nat(3_000))).map(([flag, id, length]) => message(flag, id, length))
const mutated = fc.tuple(legal, fc.nat(5), fc.nat(255)).map(([bytes, at, value]) => {
  bytes[at % bytes.byteLength] = value

  return bytes
})
const anyHeader = fc.tuple(fc.nat(7), id, fc.oneof(fc.nat(3_000_000), fc.bigInt({ min: 0n, max: 2n ** 64n }))).map(([flag, id, length]) => header(flag, id, length))

/** One engine, its application, and a peer of which nothing good is known. */
class Victim {
  readonly engine = new MplexEngine(resolveConfig({
    maxInboundStreams: MAX_INBOUND,
    maxStreamBufferSize: MAX_UNREAD,
    budgets: { unreadBytes: MAX_ALL, unreadPieces: 100 }
  }), 0)

  readonly #known: MplexStream[] = []
  readonly #reader = new MessageReader()

  receive (bytes: Uint8Array, piece: number): void {
    for (const part of cut(bytes, [piece])) {
      this.engine.receive(part, 0)
      this.#look()
    }
  }

  /** All that an application may do, to streams that may be over. */
  act (act: number, which: number, amount: number): void {
    const { engine } = this
    const stream = this.#known[which % Math.max(1, this.#known.length)] as MplexStream | undefined

    if (act === 0 || stream === undefined) {
      if (engine.state === 'open' && engine.streamCount.outbound < 3) {
        this.#known.push(engine.open(0))
      }
    } else if (act <= 2 && stream.send === 'open') {
      engine.write(stream, new Uint8Array(amount), 0)
    } else if (act <= 4) {
      engine.read(stream, amount + 1, 0)
    } else if (act === 5) {
      engine.end(stream)
    } else if (act === 6) {
      engine.closeRead(stream, 0)
    } else if (act === 7) {
      engine.reset(stream, 0, new Error('enough'))
    } else {
      this.#transmit(amount + 1)
    }

    this.#look()
  }

  end (): void {
    this.engine.receiveEnd(undefined)
    this.#look()
    this.#transmit(1_000_000)
    must(this.engine.state === 'closed' && !this.engine.wantsTransmit, 'after the end there is nothing to say')
  }

  /** What we send is right whatever we received. */
  #transmit (max: number): void {
    for (const sent of this.#reader.push(...this.engine.pollTransmit(max, 0) ?? [])) {
      this.#checkMessage(sent)
    }

    must(this.#reader.pending === 0, 'we send whole messages')
  }

  #checkMessage ({ flag, body }: Message): void {
    must(flag <= 6 && body.byteLength <= 65_536, 'we send messages that there are')
    must(flag === 0 || (flag <= 2) === (body.byteLength > 0), 'we send bytes as data, and as nothing else')
  }

  #look (): void {
    const { engine } = this

    for (let stream = engine.pollStream(); stream !== undefined; stream = engine.pollStream()) {
      takeEdges(stream)

      if (!this.#known.includes(stream)) {
        this.#known.push(stream)
      }
    }

    while (engine.pollEvent() !== undefined) {
      // what they say is for other tests to look at
    }

    const streams = [...engine.streams]
    const unread = streams.map(({ receiveQueue }) => receiveQueue.byteLength)

    must(engine.streamCount.inbound <= MAX_INBOUND, 'no more streams are open than may be')
    must(unread.every(bytes => bytes <= MAX_UNREAD), 'no stream keeps more than it may')
    must(unread.reduce((sum, bytes) => sum + bytes, 0) <= MAX_ALL, 'no more is kept on all streams than may be')
    must(streams.reduce((sum, { receiveQueue }) => sum + receiveQueue.pieces, 0) <= 100, 'no more pieces are kept than may be')
    must(streams.every(stream => !stream.closed), 'what is over is not in the table')
  }
}

type Deed = { bytes: Uint8Array, piece: number } | { act: number, which: number, amount: number }

function deeds (input: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Deed[]> {
  return sequence(fc.oneof(
    fc.record({ bytes: fc.array(input, { minLength: 1, maxLength: 8 }).map(parts => join(...parts)), piece: fc.oneof(pieceLength, fc.constant(1_000_000)) }),
    fc.record({ act: fc.nat(9), which: fc.nat(5), amount: fc.nat(3_000) })
  ), 60)
}

describe('property: mplex', () => {
  it('two engines carry every byte to its place and end every stream as it was ended, whatever two applications do', function () {
    this.timeout(60_000)

    fc.assert(fc.property(options, options, steps, (client, server, steps) => {
      const world = new World(client, server)

      for (const step of steps) {
        step.run(world)
        world.check()
      }

      world.finish()
    }), runs(1_000))
  })

  for (const [what, input] of [
    ['random bytes', fc.uint8Array({ minLength: 1, maxLength: 300 })],
    ['messages that it may send', legal],
    ['messages, and one of which a byte was changed', fc.oneof({ weight: 30, arbitrary: legal }, { weight: 1, arbitrary: mutated })],
    ['messages, and headers that say anything', fc.oneof({ weight: 30, arbitrary: legal }, { weight: 1, arbitrary: anyHeader })]
  ] as const) {
    it(`never throws, keeps no more than its limits, and sends only what is right: ${what}`, function () {
      this.timeout(60_000)
      fc.assert(fc.property(deeds(input), deeds => {
        const victim = new Victim()

        for (const deed of deeds) {
          if ('bytes' in deed) {
            victim.receive(deed.bytes, deed.piece)
          } else {
            victim.act(deed.act, deed.which, deed.amount)
          }
        }

        victim.end()
      }), runs(200))
    })
  }
})
