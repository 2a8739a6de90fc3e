import { expect } from 'aegir/chai'
import { Edge } from '../../src/core/stream-record.ts'
import { Echo, Reader, Sender, SlowReader, together } from './kit/apps.ts'
import { createPair, megabits } from './kit/pair.ts'
import type { App, Endpoint } from './kit/endpoint.ts'
import type { Pair } from './kit/pair.ts'
import type { YamuxState } from '../../src/protocols/yamux/state.ts'
import type { YamuxStream } from '../../src/protocols/yamux/stream.ts'

describe('simulation: many streams', () => {
  it('should open, echo and close 10,000 streams through a backlog of 256', () => {
    const pair = createPair({ link: { latency: 5, rate: megabits(100) } })
    const client = openMany(pair, pair.client, 10_000)

    echoAll(pair.server)
    pair.clock.until('all streams were echoed', () => client.echoed === 10_000, 60_000)
    expect(client.waited).to.be.greaterThan(0)
    expectNothingLeft(pair)
  })

  it('should open streams from both sides at once', () => {
    const pair = createPair({ link: { latency: 5, rate: megabits(100), capacity: 4_096 } })
    const client = openMany(pair, pair.client, 2_000)
    const server = openMany(pair, pair.server, 2_000)

    echoAll(pair.client)
    echoAll(pair.server)
    pair.clock.until('all streams were echoed', () => client.echoed === 2_000 && server.echoed === 2_000, 60_000)
    expect(pair.client.engine.statistics().streamsOpened).to.deep.equal({ inbound: 2_000, outbound: 2_000 })
    expectNothingLeft(pair)
  })

  it('should use the whole backlog, wait at its end, and go on as soon as one stream is accepted', () => {
    const pair = createPair({ link: { latency: 5 } })
    const accepted: YamuxStream[] = []
    let available = 0

    pair.server.onStream = stream => {
      accepted.push(stream)

      return false
    }
    pair.client.onEvent = event => {
      available += event.type === 'available' ? 1 : 0
    }

    for (let i = 0; i < 256; i++) {
      expect(pair.client.open()).to.not.equal(undefined)
    }

    expect(pair.client.open()).to.equal(undefined)
    pair.clock.advance(1_000)
    expect(available).to.equal(0)
    expect(pair.client.open()).to.equal(undefined)

    pair.server.accept(accepted[0])
    pair.clock.advance(10)
    expect(available).to.equal(1)
    expect(pair.client.open()).to.not.equal(undefined)
    expect(pair.client.open()).to.equal(undefined)
    pair.clock.advance(10)
    expect(pair.client.recorder.mostUnacknowledged).to.equal(256)
  })

  it('should refuse what is beyond the limit of the other side, and take more once streams have ended', () => {
    const pair = createPair({ link: { latency: 5 }, serverOptions: { maxInboundStreams: 10 } })

    pair.server.onStream = stream => {
      stream.attachment = new Echo(pair.server, stream)

      return true
    }

    const streams = new Array(25).fill(0).map(() => pair.client.open() as YamuxStream)

    pair.clock.advance(10)
    expect(streams.filter(stream => stream.closed).map(stream => stream.error?.name)).to.deep.equal(new Array(15).fill('StreamResetError'))
    expect(pair.server.engine.statistics().streamsRefused.inbound).to.equal(15)

    for (const stream of streams.slice(0, 10)) {
      pair.client.end(stream)
    }

    pair.clock.advance(100)
    expect(pair.server.engine.streamCount.inbound).to.equal(0)

    const again = pair.client.open() as YamuxStream

    pair.clock.advance(100)
    expect(again.closed).to.be.false()
  })

  it('should keep the data of 500 streams apart', () => {
    const pair = createPair({ link: { latency: 5, rate: megabits(1_000), capacity: 10_000 } })
    const total = 20_000
    const readers: Reader[] = []

    pair.server.onStream = stream => {
      const reader = new Reader(pair.server, stream)

      readers.push(reader)
      stream.attachment = together(reader, new Sender(pair.server, stream, total))

      return true
    }

    const open = (): void => {
      for (let stream = pair.client.open(use); stream !== undefined && pair.client.streams.size < 500;) {
        stream = pair.client.open(use)
      }
    }
    const use = (stream: YamuxStream): App => {
      const reader = new Reader(pair.client, stream)

      readers.push(reader)

      return together(reader, new Sender(pair.client, stream, total))
    }

    pair.client.onEvent = event => {
      if (event.type === 'available' && pair.client.streams.size < 500) {
        open()
      }
    }
    open()
    pair.clock.until('all was read at both ends', () => readers.length === 1_000 && readers.every(reader => reader.ended), 60_000)
    expect(new Set(readers.map(reader => reader.read))).to.deep.equal(new Set([total]))
    expectNothingLeft(pair)
  })

  it('should lose none of 1,000 streams whose readers take their time, however much waits for them', () => {
    const pair = createPair({ link: { latency: 5, rate: megabits(1_000) } })
    const total = 65_536
    const readers: Reader[] = []
    let most = 0

    pair.server.onStream = stream => {
      readers.push(new Hesitant(pair.server, stream, pair.clock, 8_192, 1_000))
      stream.attachment = readers.at(-1)

      return true
    }

    const open = (): void => {
      while (pair.client.streams.size < 1_000 && pair.client.open(stream => new Sender(pair.client, stream, total)) !== undefined) {
        // as many as are let
      }
    }

    pair.client.onEvent = event => {
      if (event.type === 'available') {
        open()
      }
    }
    pair.clock.onStep = () => {
      most = Math.max(most, (pair.server.engine as unknown as { connection: YamuxState }).connection.kept.bytes)
    }
    open()
    pair.clock.until('all was read', () => readers.length === 1_000 && readers.every(reader => reader.ended), 60_000)
    expect(new Set(readers.map(reader => reader.read))).to.deep.equal(new Set([total]))
    // ten times what may wait on streams that nobody has begun to read
    expect(most).to.be.at.least(41_943_040)
    expect(pair.server.engine.statistics().streamsReset.local).to.equal(0)
  })
})

/** Takes what is there first, and then its time: as a loop does that has something to do for each piece. */
class Hesitant extends SlowReader {
  override onEdges (edges: number): void {
    if (this.read === 0) {
      this.readSome(8_192)
    }

    super.onEdges(edges)
  }
}

interface Many {
  echoed: number

  /** How often the backlog was full. */
  waited: number
}

/** Opens so many streams, as fast as it may with 500 at a time; each says its id, and waits for the echo. */
function openMany (pair: Pair, endpoint: Endpoint, count: number): Many {
  const many: Many = { echoed: 0, waited: 0 }
  let opened = 0

  const openSome = (): void => {
    while (opened < count && opened - many.echoed < 500) {
      if (endpoint.open(use) === undefined) {
        many.waited++
        return
      }

      opened++
    }
  }

  const use = (stream: YamuxStream): App => {
    const message = new Uint8Array(new Uint32Array([stream.id]).buffer)
    const answer: number[] = []

    pair.clock.schedule(() => {
      endpoint.write(stream, message)
      endpoint.end(stream)
    }, 0)

    return {
      onEdges (edges) {
        while (stream.receiveQueue.byteLength > 0) {
          answer.push(...endpoint.read(stream) as Uint8Array)
        }

        if ((edges & Edge.closed) !== 0) {
          expect(stream.error).to.equal(undefined)
          expect(answer).to.deep.equal([...message])
          many.echoed++
          openSome()
        }
      }
    }
  }

  endpoint.onEvent = event => {
    if (event.type === 'available') {
      openSome()
    }
  }
  openSome()

  return many
}

function echoAll (endpoint: Endpoint): void {
  endpoint.onStream = stream => {
    stream.attachment = new Echo(endpoint, stream)

    return true
  }
}

function expectNothingLeft (pair: Pair): void {
  pair.clock.advance(1_000)

  for (const { engine, recorder, error } of [pair.client, pair.server]) {
    expect(error).to.equal(undefined)
    expect(engine.streamCount).to.deep.equal({ inbound: 0, outbound: 0 })
    expect(engine.wantsTransmit).to.be.false()
    expect(engine.statistics().streamsReset).to.deep.equal({ local: 0, remote: 0 })
    expect(recorder.unacknowledged).to.equal(0)
    expect(recorder.mostUnacknowledged).to.be.at.most(256)
  }
}
