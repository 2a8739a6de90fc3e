import { expect } from 'aegir/chai'
import { mplex } from '../../../../src/mplex.ts'
import { resolveConfig } from '../../../../src/protocols/mplex/config.ts'
import type { MplexOptions } from '../../../../src/protocols/mplex/config.ts'

describe('mplex: config', () => {
  it('has the defaults that its options name', () => {
    const config = resolveConfig()

    expect(config).to.include({ maxInboundStreams: 1_000, maxOutboundStreams: 1_000, maxEarlyStreams: 1_000, acceptBacklog: 256, maxBatchLength: 65_446, connectionWriteHighWaterMark: 3_145_728 })
    expect(config.stream).to.deep.equal({
      inactivityTimeout: 120_000,
      maxMessageSize: 65_536,
      maxReadBufferLength: 4_194_304,
      maxWriteBufferLength: Infinity,
      writeHighWaterMark: 262_144,
      writeStallTimeout: Infinity
    })
    expect(config.budgets.unreadBytes).to.equal(5_242_880)
    expect(config.budgets.unstartedBytes).to.equal(4_194_304)
  })

  it('takes the limit of unread bytes by either name, the more exact one first', () => {
    expect(resolveConfig({ maxStreamBufferSize: 1_000 }).stream.maxReadBufferLength).to.equal(1_000)
    expect(resolveConfig({ streamOptions: { maxReadBufferLength: 2_000 } }).stream.maxReadBufferLength).to.equal(2_000)
    expect(resolveConfig({ maxStreamBufferSize: 1_000, streamOptions: { maxReadBufferLength: 2_000 } }).stream.maxReadBufferLength).to.equal(2_000)
    expect(resolveConfig({ maxStreamBufferSize: 1_000 }).budgets.unreadBytes).to.equal(1_250)
    expect(resolveConfig({ maxStreamBufferSize: 1_001 }).budgets.unreadBytes).to.equal(1_252)
    expect(resolveConfig({ maxStreamBufferSize: Infinity }).budgets).to.include({ unreadBytes: Infinity, unstartedBytes: Infinity })
  })

  it('takes every option of @libp2p/mplex', () => {
    const options: Parameters<typeof import('@libp2p/mplex').mplex>[0] = { maxMessageSize: 1_048_576, maxUnprocessedMessageQueueSize: 1, disconnectThreshold: 1 }

    expect(mplex(options)().protocol).to.equal('/mplex/6.7.0')
    expect(resolveConfig(options).stream.maxMessageSize).to.equal(1_048_576)
  })

  const wrong: Array<[MplexOptions, string]> = [
    [{ maxStreamBufferSize: 0 }, 'maxStreamBufferSize must be at least 1, was 0: nothing could be received'],
    [{ maxStreamBufferSize: 1.5 }, 'maxStreamBufferSize must be a whole number'],
    [{ maxMessageSize: 1_048_577 }, 'maxMessageSize must be at most 1048576, was 1048577: peers end the connection over longer messages'],
    [{ maxMessageSize: 1_023 }, 'maxMessageSize must be at least 1024'],
    [{ budgets: { unreadBytes: 4_194_303 } }, 'budgets.unreadBytes must be at least 4194304'],
    [{ maxInboundStreams: -1 }, 'maxInboundStreams must be at least 0'],
    [{ streamOptions: { inactivityTimeout: -1 } }, 'inactivityTimeout must be more than 0']
  ]

  for (const [options, message] of wrong) {
    it(`refuses ${JSON.stringify(options)}, and says why`, () => {
      expect(() => { mplex(options) }).to.throw(message).with.property('name', 'InvalidParametersError')
    })
  }
})
