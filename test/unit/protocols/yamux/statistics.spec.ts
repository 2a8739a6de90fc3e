import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { ACK, FIN, RST, SYN, data, pattern, ping, pong, windowUpdate } from '../../../support/frames.ts'
import type { YamuxStream } from '../../../../src/protocols/yamux/stream.ts'

describe('yamux: statistics', () => {
  it('count from nothing', () => {
    expect(new EngineDriver().engine.statistics()).to.deep.equal({
      bytesSent: 0,
      bytesReceived: 0,
      bytesQueued: 0,
      stalls: 0,
      stalledMillis: 0,
      framesSent: 0,
      framesReceived: 0,
      windowUpdatesSent: 0,
      windowUpdatesReceived: 0,
      pingsSent: 0,
      pingsReceived: 0,
      streamsOpened: { inbound: 0, outbound: 0 },
      streamsClosed: { inbound: 0, outbound: 0 },
      streamsActive: { inbound: 0, outbound: 0 },
      streamsRefused: { inbound: 0, outbound: 0 },
      streamsReset: { local: 0, remote: 0 }
    })
  })

  it('count payload without headers, and frames of every kind', () => {
    const link = new EngineDriver('client', { maxInboundStreams: 2 })
    const stream = link.open()

    link.write(stream, pattern(70_000))
    link.give(windowUpdate(1, 0, ACK), windowUpdate(2, 0, SYN), data(2, 200_000), windowUpdate(4, 0, SYN), windowUpdate(6, 0, SYN), ping(1))
    link.read(link.accept(2))
    link.sent()
    link.now += 25
    link.give(pong(0), windowUpdate(4, 0, RST))
    link.reset(stream)
    link.sent()

    expect(link.engine.statistics()).to.deep.equal({
      bytesSent: 70_000,
      bytesReceived: 200_000,
      bytesQueued: 0,
      stalls: 0,
      stalledMillis: 0,
      // SYN, two of data, ACK, credit, a pong, a ping and the next, and the RSTs of a refused and of a reset stream
      framesSent: 10,
      framesReceived: 8,
      windowUpdatesSent: 1,
      windowUpdatesReceived: 3,
      pingsSent: 2,
      pingsReceived: 1,
      streamsOpened: { inbound: 2, outbound: 1 },
      streamsClosed: { inbound: 1, outbound: 1 },
      streamsActive: { inbound: 1, outbound: 0 },
      streamsRefused: { inbound: 1, outbound: 0 },
      streamsReset: { local: 1, remote: 1 },
      rtt: { last: 25, min: 25, smoothed: 25 }
    })
  })

  it('of a stream count its own, and show both windows', () => {
    const link = new EngineDriver()
    const [stream, other] = [link.outbound(), link.outbound()]

    link.write(stream, pattern(70_000))
    link.write(other, pattern(5))
    link.sent()
    link.give(data(1, 100), data(1, 0, FIN))

    expect(link.engine.streamStatistics(stream)).to.deep.equal({
      bytesSent: 70_000,
      bytesReceived: 100,
      framesSent: 2,
      framesReceived: 2,
      bytesQueued: 0,
      bytesUnread: 100,
      stalls: 0,
      stalledMillis: 0,
      sendWindow: 262_144 - 70_000,
      receiveWindow: 262_144
    })
    expect(link.engine.streamStatistics(other)).to.include({ bytesSent: 5, framesSent: 1, bytesReceived: 0 })
  })

  it('tell what waits, how often it had to, and for how long until credit came', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.write(stream, pattern(300_000))
    link.sent()
    link.now += 40
    expect(link.engine.statistics()).to.include({ bytesQueued: 300_000 - 262_144, stalls: 1, stalledMillis: 0 })

    link.give(windowUpdate(1, 100_000))
    link.sent()
    expect(link.engine.statistics()).to.include({ bytesQueued: 0, stalls: 1, stalledMillis: 40 })
    expect(link.engine.streamStatistics(stream)).to.include({ bytesQueued: 0, stalls: 1, stalledMillis: 40 })
  })

  it('tell of a stall while it is under way, up to the time that is asked for', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.write(stream, pattern(300_000))
    link.sent()
    expect(link.engine.statistics(link.now + 70)).to.include({ stalls: 1, stalledMillis: 70 })
    expect(link.engine.streamStatistics(stream, link.now + 70)).to.include({ stalls: 1, stalledMillis: 70 })
    expect(link.engine.streamStatistics(stream)).to.include({ stalledMillis: 0 })
  })

  for (const [end, by] of Object.entries({
    'our reset': (link, stream) => { link.engine.reset(stream, 0, undefined, link.now) },
    'the reset of the peer': (link, stream) => { link.give(windowUpdate(stream.id, 0, RST)) },
    'the time limit': link => { link.engine.handleTimeout(link.now) },
    'the end of the connection': link => { link.engine.close(0, undefined, link.now) },
    'the end of the path': link => { link.engine.receiveEnd(undefined, link.now) }
  } satisfies Record<string, (link: EngineDriver, stream: YamuxStream) => void>)) {
    it(`keep the time of a stall that ended by ${end}`, () => {
      const link = new EngineDriver('client', { streamOptions: { writeStallTimeout: 50 } })
      const stream = link.outbound()

      link.write(stream, pattern(300_000))
      link.sent()
      link.now += 60
      by(link, stream)
      expect(stream.closed).to.be.true()
      expect(link.engine.streamStatistics(stream, link.now + 1_000)).to.include({ stalls: 1, stalledMillis: 60 })
      expect(link.engine.statistics(link.now + 1_000)).to.include({ stalls: 1, stalledMillis: 60 })
    })
  }

  it('count streams that nobody got as refused, and not as reset', () => {
    const link = new EngineDriver()

    link.give(windowUpdate(2, 0, SYN))

    const [stream] = link.engine.streams

    link.engine.refuse(stream, 7, new Error('full'))
    link.engine.refuse(stream, 7, new Error('full'))
    expect(link.engine.statistics()).to.deep.include({
      streamsRefused: { inbound: 1, outbound: 0 },
      streamsReset: { local: 0, remote: 0 }
    })
  })

  it('count the streams that were not opened for want of room', () => {
    const link = new EngineDriver('client', { maxOutboundStreams: 1 })

    link.open()
    expect(() => link.open()).to.throw().with.property('name', 'TooManyOutboundProtocolStreamsError')
    expect(link.engine.statistics().streamsRefused).to.deep.equal({ inbound: 0, outbound: 1 })
  })

  it('know the least, the last and the smoothed round trip', () => {
    const link = new EngineDriver().measure(80).measure(160)

    expect(link.engine.statistics().rtt).to.deep.equal({ last: 160, min: 80, smoothed: 90 })
  })

  it('can be turned into JSON', () => {
    const statistics = new EngineDriver().measure(80).engine.statistics()

    expect(JSON.parse(JSON.stringify(statistics))).to.deep.equal(statistics)
  })
})
