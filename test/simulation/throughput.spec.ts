import { expect } from 'aegir/chai'
import { Reader, Sender, SlowReader, together } from './kit/apps.ts'
import { createPair, megabits } from './kit/pair.ts'
import type { App, Endpoint } from './kit/endpoint.ts'
import type { Pair, PairOptions } from './kit/pair.ts'
import type { YamuxStream } from '../../src/protocols/yamux/stream.ts'

const INITIAL = 262_144
const MAX = 16_777_216

describe('simulation: throughput and windows', () => {
  it('should fill a path of 60 ms and 1 Gbit/s within two seconds', () => {
    const bulk = startBulk({ link: { latency: 30, rate: megabits(1_000) } })

    bulk.pair.clock.advance(2_000)
    expect(bulk.used(1_000)).to.be.at.least(0.95)

    const [{ receiveWindow }] = bulk.received

    // twice what is on the way, as half of it is answered at a time
    expect(receiveWindow.size).to.be.at.least(2 * 60 * megabits(1_000)).and.at.most(MAX)
  })

  it('should fill a path of 20 ms and 100 Mbit/s within two seconds, with no larger window than that takes', () => {
    const bulk = startBulk({ link: { latency: 10, rate: megabits(100) } })

    bulk.pair.clock.advance(2_000)
    expect(bulk.used(2_000)).to.be.at.least(0.95)
    expect(bulk.received[0].receiveWindow.size).to.be.greaterThan(INITIAL).and.at.most(8 * 20 * megabits(100))
  })

  it('should fill a long path with the data of twenty streams, none of which needs to grow', () => {
    const bulk = startBulk({ link: { latency: 10, rate: megabits(100) } }, 20)

    bulk.pair.clock.advance(2_000)
    expect(bulk.used(2_000)).to.be.at.least(0.95)
    expect(bulk.received.map(stream => stream.receiveWindow.size)).to.deep.equal(new Array(20).fill(INITIAL))
  })

  it('should fill a path in both directions at once', () => {
    const pair = createPair({ link: { latency: 10, rate: megabits(100) } })
    const readers: Reader[] = []
    const both = (endpoint: Endpoint, stream: YamuxStream): App => {
      const reader = new Reader(endpoint, stream)

      readers.push(reader)

      return together(reader, new Sender(endpoint, stream))
    }

    pair.server.onStream = stream => {
      stream.attachment = both(pair.server, stream)

      return true
    }
    pair.client.open(stream => both(pair.client, stream))

    pair.clock.advance(2_000)

    const before = readers.map(reader => reader.read)

    pair.clock.advance(2_000)
    expect(readers).to.have.lengthOf(2)

    for (const [index, reader] of readers.entries()) {
      expect((reader.read - before[index]) / (2_000 * megabits(100))).to.be.at.least(0.95)
    }
  })

  it('should not grow a window on a path of 0.2 ms that 256 KiB already fill', () => {
    const bulk = startBulk({ link: { latency: 0.1, rate: megabits(1_000) } })

    bulk.pair.clock.advance(1_000)
    expect(bulk.used(200)).to.be.at.least(0.95)
    expect(bulk.received[0].receiveWindow.size).to.equal(INITIAL)
  })

  it('should grow a window on a path of 0.2 ms only as far as half of it goes within a millisecond', () => {
    const bulk = startBulk({ link: { latency: 0.1, rate: megabits(10_000) } })

    bulk.pair.clock.advance(50)
    expect(bulk.used(50)).to.be.at.least(0.95)

    // two round trips are less than that: event loops may be as late
    const largestThatDoubles = 2 * megabits(10_000)

    expect(bulk.received[0].receiveWindow.size).to.be.greaterThan(INITIAL).and.at.most(2 * largestThatDoubles)
  })

  it('should not grow the window of a reader who is slower than the path', () => {
    const pair = createPair({ link: { latency: 30, rate: megabits(1_000) } })
    const received: YamuxStream[] = []

    pair.server.onStream = stream => {
      received.push(stream)
      stream.attachment = new SlowReader(pair.server, stream, pair.clock, 10_000, 10)

      return true
    }
    pair.client.open(stream => new Sender(pair.client, stream))
    pair.clock.advance(10_000)
    expect(received[0].receiveWindow.size).to.equal(INITIAL)
    expect(received[0].bytesReceived).to.be.greaterThan(9_000_000)
  })

  it('should share the budget of a connection among 20 streams, never exceed it, and have it back at the end', () => {
    const connectionWindowBudget = 4 * 1_048_576
    const total = 80 * 1_048_576
    const pair = createPair({
      link: { latency: 30, rate: megabits(1_000) },
      serverOptions: { connectionWindowBudget }
    })
    let most = 0

    pair.server.onStream = stream => {
      stream.attachment = new Reader(pair.server, stream)
      pair.server.end(stream)

      return true
    }
    pair.clock.onStep = () => {
      let grown = 0

      for (const stream of pair.server.engine.streams) {
        grown += stream.receiveWindow.size - INITIAL
      }

      most = Math.max(most, grown)
      expect(grown).to.be.at.most(connectionWindowBudget)
    }

    for (let round = 0; round < 3; round++) {
      most = 0

      for (let i = 0; i < 20; i++) {
        pair.client.open(stream => new Sender(pair.client, stream, total / 20))
      }

      pair.clock.until('all streams have ended', () => pair.server.streams.size === 20 * (round + 1) && pair.server.engine.streamCount.inbound === 0, 60_000)

      // what an earlier round kept for itself would be missing here
      expect(most).to.equal(connectionWindowBudget)
    }
  })

  it('should give the growth of a window back however the stream ends', () => {
    const pair = createPair({
      link: { latency: 30, rate: megabits(1_000) },
      serverOptions: { connectionWindowBudget: 2_097_152 }
    })
    const ends: Array<(stream: YamuxStream) => void> = [
      stream => { pair.server.reset(stream) },
      stream => { pair.client.reset(pair.client.streams.get(stream.id) as YamuxStream) },
      stream => {
        pair.server.closeRead(stream)
        pair.server.end(stream)
      }
    ]

    pair.server.onStream = stream => {
      stream.attachment = new Reader(pair.server, stream)

      return true
    }

    for (const end of ends) {
      const sent = pair.client.open(stream => new Sender(pair.client, stream)) as YamuxStream

      pair.clock.until('the window took the whole budget', () => pair.server.streams.get(sent.id)?.receiveWindow.size === INITIAL + 2_097_152, 60_000)
      end(pair.server.streams.get(sent.id) as YamuxStream)
      pair.clock.until('the stream is over', () => sent.closed && pair.server.engine.streamCount.inbound === 0, 1_000)
    }
  })

  it('should not take the delay behind a full socket for distance, also when no ping ever met an idle path', () => {
    const bulk = startBulk({ link: { latency: 10, rate: megabits(10), capacity: 131_072 } }, 1, 0)

    bulk.pair.clock.advance(60_000)
    expect(bulk.received[0].receiveWindow.size).to.equal(INITIAL)
    expect(bulk.used(10_000)).to.be.at.least(0.95)
  })

  it('should not take the delay of pongs behind bulk for distance', () => {
    const bulk = startBulk({
      link: { latency: 10, rate: megabits(10) },
      clientOptions: { keepAliveInterval: 5_000 },
      serverOptions: { keepAliveInterval: 5_000 }
    })

    bulk.pair.clock.advance(30_000)

    const { last, min } = bulk.pair.server.engine.roundTrip

    // the pong waited behind what the client's socket had taken
    expect(last).to.be.greaterThan(80)
    expect(min).to.be.at.most(20.1)
    expect(bulk.received[0].receiveWindow.size).to.equal(INITIAL)
    expect(bulk.used(10_000)).to.be.at.least(0.95)
  })
})

interface Bulk {
  pair: Pair
  received: YamuxStream[]

  /** Lets so much time go by, and returns which part of the link was used. */
  used(millis: number): number
}

/** So many streams from the client to the server, as fast as they go. */
function startBulk (options: PairOptions, streams = 1, idleMillis = 200): Bulk {
  const pair = createPair(options)
  const received: YamuxStream[] = []

  // time for the first pings: real nodes negotiate a protocol before there is bulk
  pair.clock.advance(idleMillis)

  pair.server.onStream = stream => {
    received.push(stream)
    stream.attachment = new Reader(pair.server, stream)

    return true
  }

  for (let i = 0; i < streams; i++) {
    pair.client.open(stream => new Sender(pair.client, stream))
  }

  return {
    pair,
    received,
    used (millis) {
      const before = pair.server.engine.statistics().bytesReceived

      pair.clock.advance(millis)

      return (pair.server.engine.statistics().bytesReceived - before) / (millis * (options.link?.rate ?? Infinity))
    }
  }
}
