import { expect } from 'aegir/chai'
import { Asker, Echo, Reader, Sender } from './kit/apps.ts'
import { createPair, megabits } from './kit/pair.ts'
import { DATA } from './kit/recorder.ts'
import type { Pair } from './kit/pair.ts'
import type { YamuxStream } from '../../src/protocols/yamux/stream.ts'

// what a socket takes before it asks to wait: two frames, and it is asked again when half of it has gone
const CAPACITY = 131_072
const FRAMES_IN_FRONT = 4

describe('simulation: fairness', () => {
  it('should not let a message of 64 bytes wait for more than a few frames of bulk on another stream', () => {
    const pair = readingPair(10, megabits(100))

    pair.server.onStream = stream => {
      stream.attachment = stream.id === 1 ? new Reader(pair.server, stream) : undefined

      return true
    }
    pair.client.open(stream => new Sender(pair.client, stream))

    const inFront = sendMessages(pair)

    pair.clock.advance(10_000)
    expect(inFront).to.have.lengthOf.at.least(200)
    expect(Math.max(...inFront)).to.be.greaterThan(0).and.at.most(FRAMES_IN_FRONT * 65_548)
  })

  it('should answer messages in little more than a round trip while bulk goes both ways', () => {
    const rate = megabits(100)
    const pair = readingPair(10, rate)
    let asker: Asker | undefined

    pair.client.open(stream => new Sender(pair.client, stream))
    pair.server.open(stream => new Sender(pair.server, stream))
    pair.client.onStream = stream => {
      stream.attachment = new Reader(pair.client, stream)

      return true
    }
    pair.server.onStream = stream => {
      stream.attachment = stream.id === 1 ? new Reader(pair.server, stream) : new Echo(pair.server, stream)

      return true
    }
    pair.client.open(stream => {
      asker = new Asker(pair.client, stream, pair.clock, 64, 10)

      return asker
    })

    pair.clock.advance(10_000)

    const times = asker?.times ?? []

    expect(times).to.have.lengthOf.at.least(100)
    expect(Math.max(...times)).to.be.at.most(20 + 2 * FRAMES_IN_FRONT * 65_536 / rate + 1)
  })

  it('should let 100 streams share a link to within a tenth', () => {
    const pair = readingPair(10, megabits(1_000))

    for (let i = 0; i < 100; i++) {
      pair.client.open(stream => new Sender(pair.client, stream))
    }

    pair.clock.advance(3_000)

    const shares = [...pair.server.streams.values()].map(stream => stream.bytesReceived)

    expect(shares).to.have.lengthOf(100)
    expect(Math.min(...shares)).to.be.at.least(0.9 * Math.max(...shares))
    expect(Math.max(...shares)).to.be.greaterThan(1_000_000)
  })

  it('should give a stream that begins late its share at once', () => {
    const pair = readingPair(10, megabits(100))

    for (let i = 0; i < 9; i++) {
      pair.client.open(stream => new Sender(pair.client, stream))
    }

    pair.clock.advance(5_000)

    const late = pair.client.open(stream => new Sender(pair.client, stream)) as YamuxStream

    pair.clock.advance(1_000)
    expect(pair.server.streams.get(late.id)?.bytesReceived).to.be.at.least(0.9 * 1_000 * megabits(100) / 10)
  })

  it('should send the data of an urgent stream before that of others', () => {
    const pair = readingPair(10, megabits(100))
    const ordinary = [1, 2, 3].map(() => pair.client.open(stream => new Sender(pair.client, stream)) as YamuxStream)

    pair.clock.advance(1_000)

    const total = 5_000_000
    const before = ordinary.reduce((sum, stream) => sum + stream.bytesSent, 0)
    const urgent = pair.client.open(stream => new Sender(pair.client, stream, total), { urgency: 0 }) as YamuxStream
    const begun = pair.clock.now()

    pair.clock.until('the urgent stream has sent all', () => urgent.send === 'ended', 60_000)

    // until its window has grown to what the path takes, others use what it cannot; then they have one turn in 32
    expect(pair.clock.now() - begun).to.be.at.most(1.35 * total / megabits(100))
    expect(ordinary.reduce((sum, stream) => sum + stream.bytesSent, 0) - before).to.be.at.most(0.35 * total)
  })

  it('should not starve the least urgent stream, nor those between', () => {
    const pair = readingPair(0.1, megabits(100))
    const streams = [0, 0, 3, 5, 7].map(urgency => pair.client.open(stream => new Sender(pair.client, stream), { urgency }) as YamuxStream)

    pair.clock.advance(10_000)

    for (const stream of streams) {
      // one turn in 32, which three levels share
      expect(stream.bytesSent / (10_000 * megabits(100))).to.be.at.least(0.9 / 32 / 3)
    }
  })

  it('should send pings and resets before the data that waits', () => {
    const pair = readingPair(10, megabits(10))
    const bulk = pair.client.open(stream => new Sender(pair.client, stream)) as YamuxStream
    const other = pair.client.open() as YamuxStream
    let pong = 0

    pair.clock.advance(5_000)
    pair.client.onEvent = event => {
      pong = event.type === 'pong' ? event.rtt : pong
    }

    const dataFrames = countDataFrames(pair, bulk)

    pair.client.ping()
    pair.client.reset(other, 7)
    pair.clock.until('the reset has arrived', () => pair.server.streams.get(other.id)?.closed === true, 1_000)
    expect(dataFrames()).to.be.at.most(FRAMES_IN_FRONT)
    pair.clock.until('the pong has come', () => pong > 0, 1_000)
    expect(pong).to.be.at.most(20 + FRAMES_IN_FRONT * 65_536 / megabits(10))
  })
})

/** A server that reads all it is sent. */
function readingPair (latency: number, rate: number): Pair {
  const pair = createPair({ link: { latency, rate, capacity: CAPACITY } })

  pair.server.onStream = stream => {
    stream.attachment = new Reader(pair.server, stream)

    return true
  }
  pair.clock.advance(100)

  return pair
}

/** How many data frames of the stream have reached the server since. */
function countDataFrames (pair: Pair, stream: YamuxStream): () => number {
  let count = 0

  pair.server.recorder.onReceived = frame => {
    count += frame.type === DATA && frame.streamId === stream.id ? 1 : 0
  }

  return () => count
}

/** Writes a message every 37 ms, and notes how many bytes went over the link between that and its frame. */
function sendMessages (pair: Pair): number[] {
  const inFront: number[] = []
  const stream = pair.client.open() as YamuxStream
  let offset = pair.fromClient.sent
  let gone = 0

  pair.client.recorder.onSent = frame => {
    if (frame.type === DATA && frame.streamId === stream.id) {
      inFront.push(offset - gone)
    }

    offset += 12 + (frame.type === DATA ? frame.length : 0)
  }

  const write = (): void => {
    gone = pair.fromClient.sent - pair.fromClient.queued
    pair.client.write(stream, new Uint8Array(64))
    pair.clock.schedule(write, 37)
  }

  pair.clock.schedule(write, 100)

  return inFront
}
