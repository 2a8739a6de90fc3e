import { expect } from 'aegir/chai'
import { Reader, Sender } from './kit/apps.ts'
import { createPair, megabits } from './kit/pair.ts'
import type { Pair } from './kit/pair.ts'
import type { YamuxStream } from '../../src/protocols/yamux/stream.ts'

const INTERVAL = 30_000
const TIMEOUT = 10_000

describe('simulation: keep-alive', () => {
  it('should find a path that has gone within an interval and a timeout, and end every stream with the error', () => {
    // whenever between two pings it happens
    for (const after of [5, 1_000, 15_000, 29_995, 30_005, 30_015, 59_999]) {
      const pair = createPair({ link: { latency: 10 } })
      const stream = pair.client.open() as YamuxStream

      pair.clock.advance(after)
      blackhole(pair)
      pair.clock.until('both ends have found out', () => pair.client.closed && pair.server.closed, INTERVAL + TIMEOUT)

      for (const { error, engine } of [pair.client, pair.server]) {
        expect(error).to.have.property('name', 'TimeoutError')
        expect(error).to.have.property('message').that.includes('keepAliveTimeout')
        expect(engine.state).to.equal('closed')
      }

      expect(stream.error).to.equal(pair.client.error)
    }
  })

  it('should find it while streams are full of data to send', () => {
    const pair = createPair({ link: { latency: 10, rate: megabits(10) } })

    readAll(pair)
    pair.client.open(stream => new Sender(pair.client, stream))
    pair.clock.advance(5_000)
    blackhole(pair)
    pair.clock.until('both ends have found out', () => pair.client.closed && pair.server.closed, INTERVAL + TIMEOUT)
    expect(pair.client.error).to.have.property('name', 'TimeoutError')
  })

  it('should keep an idle connection for a day, at one ping of each side every 30 s', () => {
    const pair = createPair({ link: { latency: 100 } })

    pair.clock.advance(86_400_000)
    expect(pair.client.closed || pair.server.closed).to.be.false()
    expect(pair.client.engine.statistics()).to.include({ pingsSent: 2_881, pingsReceived: 2_880 })
    expect(pair.client.engine.roundTrip.last).to.be.closeTo(200, 0.001)
  })

  it('should not end a slow link that is busy because its pongs are late', () => {
    // 13 s for what the server's socket takes, behind which each of its pings and pongs waits
    const rate = 20
    const pair = createPair({ link: { latency: 500, rate, capacity: 262_144 } })
    const roundTrips: number[] = []

    readAll(pair)
    pair.server.onEvent = event => {
      if (event.type === 'pong') {
        roundTrips.push(event.rtt)
      }
    }
    pair.clock.advance(5_000)

    const bulk = pair.server.open(stream => new Sender(pair.server, stream)) as YamuxStream

    pair.clock.advance(240_000)
    expect(pair.client.closed || pair.server.closed).to.be.false()
    expect(pair.client.streams.get(bulk.id)?.bytesReceived).to.be.at.least(0.9 * 240_000 * rate)
    // late enough for the connection to have been given up, had nothing else come
    expect(Math.max(...roundTrips)).to.be.greaterThan(TIMEOUT)
  })

  it('should not end a link that stands still for shorter than the timeout', () => {
    const pair = createPair({ link: { latency: 10 } })

    pair.clock.advance(INTERVAL - 1)
    blackhole(pair)
    pair.clock.advance(TIMEOUT - 100)
    pair.fromClient.resume()
    pair.fromServer.resume()
    pair.clock.advance(INTERVAL + TIMEOUT)
    expect(pair.client.closed || pair.server.closed).to.be.false()
  })

  it('should not end a connection over a ping of the application that was never answered', () => {
    const pair = createPair({ link: { latency: 10 }, clientOptions: { enableKeepAlive: false }, serverOptions: { enableKeepAlive: false } })
    const pongs: number[] = []

    pair.client.onEvent = event => {
      if (event.type === 'pong') {
        pongs.push(event.rtt)
      }
    }
    blackhole(pair)
    pair.client.ping()
    pair.clock.advance(100_000)
    expect(pair.client.closed).to.be.false()

    // and its answer, when it comes, is an answer
    pair.fromClient.resume()
    pair.fromServer.resume()
    pair.clock.advance(1_000)
    expect(pongs).to.have.lengthOf(1)
    expect(pongs[0]).to.be.closeTo(100_020, 1)
  })

  it('should answer each of many pings once, in bulk', () => {
    const pair = createPair({ link: { latency: 10, rate: megabits(10) } })
    const expected = new Set<number>()
    let pongs = 0

    readAll(pair)
    pair.client.open(stream => new Sender(pair.client, stream))
    pair.client.onEvent = event => {
      if (event.type === 'pong' && expected.delete(event.id)) {
        pongs++
      }
    }
    pair.clock.advance(1_000)

    for (let i = 0; i < 500; i++) {
      expected.add(pair.client.ping())
    }

    pair.clock.advance(1_000)
    expect(pongs).to.equal(500)
    expect(pair.server.recorder.pongsOwed).to.equal(0)
  })
})

/** Whatever is sent from now on arrives nowhere, and nobody is told. */
function blackhole (pair: Pair): void {
  pair.fromClient.stop()
  pair.fromServer.stop()
}

function readAll (pair: Pair): void {
  for (const endpoint of [pair.client, pair.server]) {
    endpoint.onStream = stream => {
      stream.attachment = new Reader(endpoint, stream)

      return true
    }
  }
}
