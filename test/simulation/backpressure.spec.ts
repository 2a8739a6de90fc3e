import { expect } from 'aegir/chai'
import { Reader, Sender, SlowReader, flowFrom, together } from './kit/apps.ts'
import { createPair, megabits } from './kit/pair.ts'
import { pattern } from './kit/pattern.ts'
import type { App, Endpoint } from './kit/endpoint.ts'
import type { Pair } from './kit/pair.ts'
import type { YamuxStream } from '../../src/protocols/yamux/stream.ts'

const INITIAL = 262_144
const HOUR = 3_600_000
const PATIENT = { streamOptions: { inactivityTimeout: Infinity, writeStallTimeout: Infinity } }

describe('simulation: backpressure', () => {
  it('should hold no more than its window for a slow reader, while another stream flows at full rate', () => {
    const rate = megabits(100)
    const pair = createPair({ link: { latency: 10, rate } })
    const slow = pair.client.open(stream => new Sender(pair.client, stream)) as YamuxStream
    const fast = pair.client.open(stream => new Sender(pair.client, stream)) as YamuxStream
    let most = 0

    pair.server.onStream = stream => {
      stream.attachment = stream.id === slow.id
        ? new SlowReader(pair.server, stream, pair.clock, 4_096, 200)
        : new Reader(pair.server, stream)

      return true
    }
    pair.clock.onStep = () => {
      most = Math.max(most, pair.server.streams.get(slow.id)?.receiveQueue.byteLength ?? 0)
    }

    pair.clock.advance(5_000)

    const before = fast.bytesSent

    pair.clock.advance(20_000)
    expect(most).to.equal(INITIAL)
    expect((fast.bytesSent - before) / (20_000 * rate)).to.be.at.least(0.95)
    expect(slow.bytesSent).to.be.at.most(INITIAL + 25_000 / 200 * 4_096)
    expect(slow.error).to.equal(undefined)
  })

  it('should not let a writer who heeds write() queue more than its high-water mark and the piece that went over it', () => {
    const pair = createPair({ link: { latency: 10, rate: megabits(10) } })
    const sent = pair.client.open(stream => new Sender(pair.client, stream)) as YamuxStream
    let most = 0

    pair.server.onStream = stream => {
      stream.attachment = new SlowReader(pair.server, stream, pair.clock, 100_000, 500)

      return true
    }
    pair.clock.onStep = () => {
      most = Math.max(most, sent.sendQueue.byteLength)
    }

    pair.clock.advance(60_000)
    expect(most).to.be.at.least(262_144).and.below(262_144 + 65_536)
    expect(sent.bytesSent).to.be.greaterThan(5_000_000)
  })

  it('should not reset a paused reader within an hour, and lose nothing of what it reads then', () => {
    const pair = createPair({ link: { latency: 10, rate: megabits(100) }, clientOptions: PATIENT })
    const total = 10_000_000
    let reader: Reader | undefined

    pair.client.open(stream => new Sender(pair.client, stream, total))
    pair.server.onStream = stream => {
      reader = new Reader(pair.server, stream)
      reader.paused = true
      stream.attachment = reader

      return true
    }

    pair.clock.advance(HOUR)
    expect(reader?.stream.error).to.equal(undefined)
    expect(reader?.stream.receiveQueue.byteLength).to.equal(INITIAL)

    reader?.resume()
    pair.clock.until('all was read', () => reader?.ended === true, 10_000)
    expect(reader?.read).to.equal(total)
  })

  it('should end a writer that gets no credit for 30 s with a TimeoutError, and tell the reader', () => {
    const pair = createPair({ link: { latency: 10, rate: megabits(100) } })
    const sent = pair.client.open(stream => new Sender(pair.client, stream)) as YamuxStream

    pair.clock.until('the window is used up', () => sent.stalledAt !== undefined, 1_000)

    const stalledAt = pair.clock.now()

    pair.clock.advance(29_999)
    expect(sent.closed).to.be.false()
    // it is looked at no more often than a timeout has parts
    pair.clock.until('the writer was ended', () => sent.closed, 1_000)
    expect(pair.clock.now() - stalledAt).to.be.at.least(30_000)
    expect(sent.error).to.have.property('name', 'TimeoutError')
    expect(sent.error).to.have.property('message').that.includes('writeStallTimeout')

    const received = pair.server.streams.get(sent.id)

    pair.clock.until('the reader knows', () => received?.closed === true, 100)
    expect(received?.error).to.have.property('name', 'StreamResetError')
    // what was granted before is still there to be read
    expect(received?.receiveQueue.byteLength).to.equal(INITIAL)
  })

  it('should not take a writer that is slow for one that is stalled', () => {
    const pair = createPair({ link: { latency: 10, rate: 20 } })
    const total = 2_000_000
    let reader: Reader | undefined

    pair.server.onStream = stream => {
      reader = new Reader(pair.server, stream)
      stream.attachment = reader

      return true
    }
    // half a window takes 6.5 s, and what the socket has taken stands in front of it
    pair.client.open(stream => new Sender(pair.client, stream, total))
    pair.clock.until('all was read', () => reader?.ended === true, 110_000)
    expect(reader?.read).to.equal(total)
  })

  it('should end a stream on which nothing happens for 120 s, at both ends, and leave the others alone', () => {
    const pair = createPair({ link: { latency: 10 } })
    const idle = pair.client.open() as YamuxStream
    const busy = pair.client.open() as YamuxStream
    let written = 0
    const tick = (): void => {
      pair.client.write(busy, pattern(flowFrom(pair.client, busy), written++, 1))
      pair.clock.schedule(tick, 60_000)
    }

    pair.server.onStream = stream => {
      stream.attachment = new Reader(pair.server, stream)

      return true
    }
    tick()
    pair.clock.advance(119_999)
    expect(idle.closed).to.be.false()
    pair.clock.advance(4_000)
    expect(idle.error).to.have.property('name', 'TimeoutError')
    expect(idle.error).to.have.property('message').that.includes('inactivityTimeout')
    expect(pair.server.streams.get(idle.id)?.closed).to.be.true()

    pair.clock.advance(600_000)
    expect(busy.closed).to.be.false()
    expect(pair.server.streams.get(busy.id)?.closed).to.be.false()
  })

  it('should not deadlock when both write 1 MiB before they read, over a link that takes 1 KiB', () => {
    const total = 1_048_576
    const pair = createPair({ link: { latency: 1, rate: 10_000, capacity: 1_024 } })
    const readers: Reader[] = []
    const use = (endpoint: Endpoint, stream: YamuxStream): App => {
      const reader = new Reader(endpoint, stream)

      // all of it at once, whatever write() says
      endpoint.write(stream, pattern(flowFrom(endpoint, stream), 0, total))
      endpoint.end(stream)
      readers.push(reader)

      return reader
    }

    pair.server.onStream = stream => {
      stream.attachment = use(pair.server, stream)

      return true
    }
    pair.client.open(stream => use(pair.client, stream))
    pair.clock.until('both have read everything', () => readers.length === 2 && readers.every(reader => reader.ended), 10_000)
    expect(readers.map(reader => reader.read)).to.deep.equal([total, total])
    expect(pair.client.engine.streamCount).to.deep.equal({ inbound: 0, outbound: 0 })
  })

  it('should let both send 1 MiB before either reads a byte, when the windows are that large', () => {
    const total = 1_048_576
    const options = { streamOptions: { initialStreamWindowSize: total } }
    const pair = createPair({ link: { latency: 1, rate: 10_000, capacity: 1_024 }, clientOptions: options, serverOptions: options })
    const readers = openBothWays(pair, total)

    pair.clock.until('both have sent everything', () => readers.length === 2 && readers.every(({ stream }) => stream.send === 'ended'), 10_000)
    // what is on its way arrives as well: a batch takes 13 ms
    pair.clock.advance(20)
    expect(readers.map(({ stream }) => stream.receiveQueue.byteLength)).to.deep.equal([total, total])

    for (const reader of readers) {
      reader.resume()
    }

    expect(readers.map(reader => [reader.read, reader.ended])).to.deep.equal([[total, true], [total, true]])
  })
})

/** One stream, on which each end sends so much and does not read. */
function openBothWays (pair: Pair, total: number): Reader[] {
  const readers: Reader[] = []
  const use = (endpoint: Endpoint, stream: YamuxStream): App => {
    const reader = new Reader(endpoint, stream)

    reader.paused = true
    readers.push(reader)

    return together(reader, new Sender(endpoint, stream, total))
  }

  pair.server.onStream = stream => {
    stream.attachment = use(pair.server, stream)

    return true
  }
  pair.client.open(stream => use(pair.client, stream))

  return readers
}
