import { expect } from 'aegir/chai'
import { resolveConfig, resolveStreamConfig } from '../../../../src/protocols/yamux/config.ts'
import type { YamuxOptions, YamuxStreamOptions } from '../../../../src/protocols/yamux/config.ts'

const REFUSED: Array<[string, YamuxOptions, string]> = [
  ['a keep-alive without a pause', { keepAliveInterval: 0 }, 'keepAliveInterval must be more than 0, was 0'],
  ['a keep-alive that leaves no time to answer', { keepAliveTimeout: -1 }, 'keepAliveTimeout must be more than 0, was -1'],
  ['numbers that are none', { keepAliveInterval: NaN }, 'keepAliveInterval must be more than 0, was NaN'],
  ['a negative number of inbound streams', { maxInboundStreams: -1 }, 'maxInboundStreams must be at least 0, was -1: it is a number of things'],
  ['a negative number of outbound streams', { maxOutboundStreams: -1 }, 'maxOutboundStreams must be at least 0'],
  ['a negative number of early streams', { maxEarlyStreams: -1 }, 'maxEarlyStreams must be at least 0'],
  ['a negative budget for windows', { connectionWindowBudget: -1 }, 'connectionWindowBudget must be at least 0'],
  ['a budget that allows nothing', { budgets: { pings: 0 } }, 'budgets.pings must be at least 1, was 0: with nothing allowed no peer could use the connection'],
  ['a budget that is no whole number', { budgets: { tinyFrames: 1.5 } }, 'budgets.tinyFrames must be a whole number, was 1.5'],
  ['less room for unread bytes on all streams than their windows may grow to', { budgets: { unreadBytes: 67_108_864 } }, 'budgets.unreadBytes must be at least 67371008, was 67108864: the peer is granted that much'],
  ['less room for unread bytes than the window of one stream that nobody has begun to read', { budgets: { unstartedBytes: 262_143 } }, 'budgets.unstartedBytes must be at least 262144, was 262143: the peer is granted that much'],
  ['frames that are mostly header', { maxMessageSize: 1_023 }, 'maxMessageSize must be at least 1024, was 1023: headers would be a large part'],
  ['frames that rust-yamux and jvm-libp2p refuse', { maxMessageSize: 1_048_577 }, 'maxMessageSize must be at most 1048576, was 1048577: rust-yamux and jvm-libp2p end the connection'],
  ['batches without room for data', { maxBatchLength: 12 }, 'maxBatchLength must be at least 1024, was 12'],
  ['a window below the protocol\'s own', { streamOptions: { initialStreamWindowSize: 262_143 } }, 'streamOptions.initialStreamWindowSize must be at least 262144, was 262143: the protocol grants that much'],
  ['a window of more than 32 bits', { streamOptions: { initialStreamWindowSize: 2 ** 32 } }, 'streamOptions.initialStreamWindowSize must be at most 4294967295, was 4294967296: windows have 32 bits'],
  ['a largest window of more than 32 bits', { streamOptions: { maxStreamWindowSize: 2 ** 32 } }, 'streamOptions.maxStreamWindowSize must be at most 4294967295'],
  ['a largest window below the initial one', { streamOptions: { initialStreamWindowSize: 400_000, maxStreamWindowSize: 300_000 } }, 'streamOptions.maxStreamWindowSize must be at least 400000, was 300000: windows start at initialStreamWindowSize'],
  ['less room for unread bytes than is granted', { streamOptions: { maxReadBufferLength: 1_000 } }, 'streamOptions.maxReadBufferLength must be at least 262144, was 1000: a peer may fill the initial window'],
  ['a window that is no whole number', { streamOptions: { initialStreamWindowSize: 300_000.5 } }, 'streamOptions.initialStreamWindowSize must be a whole number'],
  ['a limit that is no number', { maxMessageSize: '70000' as any }, 'maxMessageSize must be a whole number'],
  ['more early streams than streams', { maxEarlyStreams: 2_000, maxInboundStreams: 10 }, 'maxEarlyStreams must be at most 10'],
  ['a high-water mark that cannot be reached', { streamOptions: { writeHighWaterMark: 1_048_576, maxWriteBufferLength: 1_000 } }, 'streamOptions.writeHighWaterMark must be at most 1000'],
  ['a negative write buffer', { streamOptions: { maxWriteBufferLength: -1 } }, 'streamOptions.maxWriteBufferLength must be at least 0'],
  ['a high-water mark of 0 for all streams', { connectionWriteHighWaterMark: 0 }, 'connectionWriteHighWaterMark must be more than 0'],
  ['a high-water mark of 0', { streamOptions: { writeHighWaterMark: 0 } }, 'streamOptions.writeHighWaterMark must be more than 0'],
  ['a negative inactivity timeout', { streamOptions: { inactivityTimeout: -1 } }, 'streamOptions.inactivityTimeout must be more than 0, was -1'],
  ['a negative write-stall timeout', { streamOptions: { writeStallTimeout: -1 } }, 'streamOptions.writeStallTimeout must be more than 0, was -1']
]

describe('yamux: options', () => {
  it('has defaults for all', () => {
    expect(resolveConfig()).to.deep.equal({
      enableKeepAlive: true,
      keepAliveInterval: 30_000,
      keepAliveTimeout: 10_000,
      maxInboundStreams: 1_000,
      maxOutboundStreams: 1_000,
      maxEarlyStreams: 1_000,
      maxBatchLength: 65_446,
      connectionWriteHighWaterMark: 3_145_728,
      acceptBacklog: 256,
      connectionWindowBudget: 67_108_864,
      budgets: {
        pings: 10_000,
        replies: 10_000,
        resets: 10_000,
        provokedResets: 10_000,
        refusals: 10_000,
        unknownStreams: 10_000,
        emptyFrames: 10_000,
        tinyFrames: 10_000_000,
        unreadBytes: 134_217_728,
        unreadPieces: 65_536,
        streamPieces: 16_384,
        pinnedBytes: 4_194_304,
        unstartedBytes: 3_145_728
      },
      stream: {
        inactivityTimeout: 120_000,
        maxMessageSize: 65_536,
        maxReadBufferLength: 16_777_216,
        maxWriteBufferLength: Infinity,
        writeHighWaterMark: 262_144,
        writeStallTimeout: 30_000,
        initialStreamWindowSize: 262_144,
        maxStreamWindowSize: 16_777_216
      }
    })
  })

  it('takes undefined for what is not given', () => {
    const options: YamuxOptions = {
      enableKeepAlive: undefined,
      keepAliveInterval: undefined,
      maxMessageSize: undefined,
      budgets: { pings: undefined },
      streamOptions: { initialStreamWindowSize: undefined, inactivityTimeout: undefined }
    }

    expect(resolveConfig(options)).to.deep.equal(resolveConfig())
  })

  for (const [name, options, message] of REFUSED) {
    it(`refuses ${name}, and says why`, () => {
      expect(() => resolveConfig(options)).to.throw(message).with.property('name', 'InvalidParametersError')
    })
  }

  it('lets windows grow to a larger initial window when nobody says how far', () => {
    const { stream } = resolveConfig({ streamOptions: { initialStreamWindowSize: 33_554_432 } })

    expect(stream).to.include({ maxStreamWindowSize: 33_554_432, maxReadBufferLength: 33_554_432 })
  })

  it('lets as much be unread as a window holds, unless somebody says otherwise', () => {
    expect(resolveConfig({ streamOptions: { maxStreamWindowSize: 1_000_000 } }).stream.maxReadBufferLength).to.equal(1_000_000)
    expect(resolveConfig({ streamOptions: { maxStreamWindowSize: 1_000_000, maxReadBufferLength: 500_000 } }).stream)
      .to.include({ maxStreamWindowSize: 1_000_000, maxReadBufferLength: 500_000 })
  })

  it('takes 0 for never, where a time is meant', () => {
    expect(resolveConfig({ streamOptions: { inactivityTimeout: 0, writeStallTimeout: 0 } }).stream)
      .to.include({ inactivityTimeout: Infinity, writeStallTimeout: Infinity })
  })

  it('lays the options of one stream over those of its connection', () => {
    const base = resolveConfig({ maxMessageSize: 2_048, streamOptions: { inactivityTimeout: 5, maxReadBufferLength: 400_000 } }).stream
    const options: YamuxStreamOptions = { writeStallTimeout: 7 }

    expect(resolveStreamConfig(base, options)).to.deep.equal({ ...base, writeStallTimeout: 7 })
    expect(resolveStreamConfig(base)).to.deep.equal(base)
  })
})
