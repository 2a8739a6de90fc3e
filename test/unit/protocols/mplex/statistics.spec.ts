import { expect } from 'aegir/chai'
import { MplexDriver, MplexPair } from '../../../support/mplex-engines.ts'
import { data } from '../../../support/mplex-frames.ts'

describe('mplex: statistics', () => {
  it('counts what both sides sent, received, opened and closed', () => {
    const pair = new MplexPair()
    const stream = pair.client.open()

    pair.client.write(stream, new Uint8Array(100))
    pair.client.end(stream)
    pair.exchange()
    pair.server.end(pair.server.theirs(0))
    pair.exchange()

    expect(pair.client.engine.statistics()).to.deep.equal({
      bytesSent: 100,
      bytesReceived: 0,
      bytesQueued: 0,
      stalls: 0,
      stalledMillis: 0,
      framesSent: 3,
      framesReceived: 1,
      windowUpdatesSent: 0,
      windowUpdatesReceived: 0,
      pingsSent: 0,
      pingsReceived: 0,
      streamsOpened: { inbound: 0, outbound: 1 },
      streamsClosed: { inbound: 0, outbound: 1 },
      streamsActive: { inbound: 0, outbound: 0 },
      streamsRefused: { inbound: 0, outbound: 0 },
      streamsReset: { local: 0, remote: 0 }
    })
    expect(pair.server.engine.statistics()).to.deep.include({ bytesReceived: 100, framesSent: 1, framesReceived: 3, streamsOpened: { inbound: 1, outbound: 0 } })
  })

  it('counts what one stream sent and received, and knows no windows', () => {
    const driver = new MplexDriver()
    const stream = driver.inbound(0)

    driver.give(data.opener(0, 10), data.opener(0, 20))
    driver.write(stream, new Uint8Array(5))
    expect(driver.engine.streamStatistics(stream)).to.deep.equal({
      stalls: 0,
      stalledMillis: 0,
      bytesQueued: 5,
      bytesUnread: 30,
      bytesSent: 0,
      bytesReceived: 30,
      framesSent: 0,
      framesReceived: 2
    })
    driver.sent()
    expect(driver.engine.streamStatistics(stream)).to.include({ bytesQueued: 0, bytesSent: 5, framesSent: 1 })
  })
})
