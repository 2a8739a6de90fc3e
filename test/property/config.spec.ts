import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { resolveConfig } from '../../src/protocols/yamux/config.ts'
import { runs } from '../support/arbitraries.ts'
import type { YamuxConfig, YamuxOptions } from '../../src/protocols/yamux/config.ts'

/** Any number at all, most of them such as somebody may mean, and often none. */
const number = fc.option(fc.oneof(
  { weight: 1, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.integer() },
  { weight: 1, arbitrary: fc.integer({ min: 1_024, max: 20_000_000 }) },
  { weight: 40, arbitrary: fc.integer({ min: 262_144, max: 1_048_576 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, -1, 1, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER) }
), { nil: undefined, freq: 2 })

function numbers (names: string[]): fc.Arbitrary<Record<string, number | undefined>> {
  return fc.record(Object.fromEntries(names.map(name => [name, number])))
}

const CONNECTION = [
  'maxMessageSize', 'maxBatchLength', 'keepAliveInterval', 'keepAliveTimeout', 'maxInboundStreams', 'maxOutboundStreams',
  'maxEarlyStreams', 'connectionWindowBudget', 'connectionWriteHighWaterMark'
]
const STREAM = [
  'inactivityTimeout', 'maxReadBufferLength', 'maxWriteBufferLength', 'writeHighWaterMark', 'writeStallTimeout',
  'initialStreamWindowSize', 'maxStreamWindowSize'
]
const BUDGETS = ['pings', 'resets', 'refusals', 'unknownStreams', 'emptyFrames']

function resolve (options: YamuxOptions): YamuxConfig | undefined {
  try {
    return resolveConfig(options)
  } catch (err: any) {
    expect(err.name).to.equal('InvalidParametersError')
    // says which option, and what it was
    expect(err.message).to.match(/^[a-zA-Z.]+ must be .*, was (-?[\d.e+-]+|NaN|-?Infinity)/)

    return undefined
  }
}

/** What a config that was accepted always is. */
function check (config: YamuxConfig): void {
  const { stream } = config

  for (const value of [...Object.values(config.budgets), ...Object.values(stream), config.maxBatchLength]) {
    expect(value).to.be.a('number').that.is.not.NaN()
  }

  expect(config.keepAliveInterval).to.be.above(0)
  expect(config.keepAliveTimeout).to.be.above(0)
  expect(config.maxBatchLength).to.be.above(0)
  expect(config.connectionWriteHighWaterMark).to.be.above(0)
  expect(config.maxInboundStreams).to.be.at.least(0)
  expect(config.maxOutboundStreams).to.be.at.least(0)
  expect(config.maxEarlyStreams).to.be.at.least(0)
  expect(config.connectionWindowBudget).to.be.at.least(0)
  expect(Math.min(...Object.values(config.budgets))).to.be.at.least(1)

  expect(stream.maxMessageSize).to.be.within(1_024, 1_048_576)
  expect(stream.initialStreamWindowSize).to.be.within(262_144, 2 ** 32 - 1)
  expect(stream.maxStreamWindowSize).to.be.within(stream.initialStreamWindowSize, 2 ** 32 - 1)
  expect(stream.maxReadBufferLength).to.be.at.least(stream.initialStreamWindowSize)
  expect(stream.inactivityTimeout).to.be.above(0)
  expect(stream.writeStallTimeout).to.be.above(0)
  expect(stream.writeHighWaterMark).to.be.above(0)
  expect(stream.maxWriteBufferLength).to.be.at.least(0)
}

describe('property: yamux options', () => {
  it('are refused by name, or give a config in which everything fits together', () => {
    fc.assert(fc.property(numbers(CONNECTION), numbers(STREAM), numbers(BUDGETS), (connection, streamOptions, budgets) => {
      const config = resolve({ ...connection, streamOptions, budgets })

      if (config !== undefined) {
        check(config)
      }
    }), runs(300))
  })

  it('each alone are refused, or give a config in which everything fits together', () => {
    const one = fc.oneof(
      fc.tuple(fc.constantFrom(...CONNECTION), number).map(([name, value]): YamuxOptions => ({ [name]: value })),
      fc.tuple(fc.constantFrom(...STREAM), number).map(([name, value]): YamuxOptions => ({ streamOptions: { [name]: value } })),
      fc.tuple(fc.constantFrom(...BUDGETS), number).map(([name, value]): YamuxOptions => ({ budgets: { [name]: value } }))
    )

    fc.assert(fc.property(one, options => {
      const config = resolve(options)

      if (config !== undefined) {
        check(config)
      }
    }), runs(500))
  })

  it('that are taken from a config give the same config again', () => {
    fc.assert(fc.property(numbers(STREAM), streamOptions => {
      const config = resolve({ streamOptions })

      if (config !== undefined) {
        expect(resolveConfig({ streamOptions: config.stream }).stream).to.deep.equal(config.stream)
      }
    }), runs(300))
  })

  it('that are undefined are not there', () => {
    const none = (names: string[]): Record<string, undefined> => Object.fromEntries(names.map(name => [name, undefined]))

    expect(resolveConfig({ ...none(CONNECTION), streamOptions: none(STREAM), budgets: none(BUDGETS) })).to.deep.equal(resolveConfig())
  })
})
