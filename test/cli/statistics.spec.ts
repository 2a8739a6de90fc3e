import { streamPair } from '@libp2p/utils'
import { expect } from 'aegir/chai'
import { MuxerRecord, muxerStatistics, streamStatistics } from '../../src/cli/statistics.ts'
import { formatTable } from '../../src/cli/table.ts'
import type { StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'

describe('cli/statistics', () => {
  it('reads what there is', () => {
    expect(muxerStatistics({ stats: () => ({ framesSent: 1, bytesReceived: 0, rttMillis: NaN, framesReceived: '2' }) })).to.deep.equal({
      framesSent: 1,
      framesReceived: undefined,
      bytesSent: undefined,
      bytesReceived: 0,
      rttMillis: undefined
    })
    expect(muxerStatistics({ stats: () => ({ rtt: { last: 1, min: 1, smoothed: 2 } }) }).rttMillis).to.equal(2)
    expect(streamStatistics({ stats: () => ({ receiveWindow: 5, maxReceiveWindow: 9 }) }).receiveWindow).to.equal(9)
    expect(streamStatistics({ stats: () => ({ receiveWindow: 5 }) }).receiveWindow).to.equal(5)
  })

  it('takes a muxer without statistics', () => {
    for (const muxer of [undefined, null, {}, { stats: 1 }, { stats: () => undefined }, { stats: () => 1 }]) {
      expect(muxerStatistics(muxer).framesSent).to.be.undefined()
      expect(streamStatistics(muxer).receiveWindow).to.be.undefined()
    }
  })

  it('finds the muxer of a stream, and forgets closed muxers', async () => {
    const [stream, other] = await streamPair()
    const record = new MuxerRecord()
    const muxers: StreamMuxer[] = []
    const factory = record.watch(() => ({
      protocol: '/x',
      createStreamMuxer: () => muxers[muxers.push({ status: 'open', streams: [] } as unknown as StreamMuxer) - 1]
    }) as StreamMuxerFactory)({})

    factory.createStreamMuxer(stream)
    factory.createStreamMuxer(stream)
    muxers[1].streams.push(stream)

    expect(record.muxerOf(stream)).to.equal(muxers[1])
    expect(record.muxerOf(other)).to.be.undefined()

    muxers[1].status = 'closed'
    factory.createStreamMuxer(stream)
    expect(record.muxerOf(stream)).to.be.undefined()

    stream.abort(new Error('over'))
    other.abort(new Error('over'))
  })

  it('aligns a table', () => {
    expect(formatTable([['a', '1'], ['long', '2', '3'], ['b', '']])).to.equal('  a     1\n  long  2  3\n  b')
    expect(formatTable([])).to.equal('')
  })
})
