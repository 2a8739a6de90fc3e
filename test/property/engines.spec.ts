import fc from 'fast-check'
import { pieceLength, runs } from '../support/arbitraries.ts'
import { step } from './steps.ts'
import { World } from './world.ts'
import type { Side } from './stream-model.ts'

const side = fc.constantFrom<Side>(0, 1)
const which = fc.nat(5)

/** Writes and reads that fill and empty windows of a quarter of a megabyte, among many small ones. */
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
  step<World>(1, 'limit', side, which, fc.constantFrom(1_000, 100_000, 1_000_000)),
  step<World>(3, 'end', side, which),
  step<World>(2, 'closeRead', side, which),
  step<World>(1, 'reset', side, which, fc.nat(3)),
  step<World>(2, 'ping', side),
  step<World>(2, 'wait', fc.nat(50)),
  step<World>(10, 'transmit', side, fc.integer({ min: 1, max: 300_000 })),
  step<World>(12, 'deliver', side, amount)
), { maxLength: 120, size: 'max' })

const options = fc.record({
  maxMessageSize: fc.constantFrom(1_024, 65_536, 1_048_576),
  maxInboundStreams: fc.constantFrom(2, 1_000, 1_000),
  connectionWindowBudget: fc.constantFrom(0, 300_000, 67_108_864),
  connectionWriteHighWaterMark: fc.constantFrom(1, 100_000, 4_194_304),
  streamOptions: fc.record({
    initialStreamWindowSize: fc.constantFrom(262_144, 262_144, 300_001, 1_048_576),
    maxStreamWindowSize: fc.constantFrom(1_048_576, 16_777_216),
    writeHighWaterMark: fc.constantFrom(1, 10_000, 262_144)
  })
})

describe('property: two yamux engines', () => {
  it('carry every byte to its place and end every stream as it was ended, whatever two applications do', function () {
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
})
