import { expect } from 'aegir/chai'
import { Echo, Reader, Sender, flowFrom, together } from './kit/apps.ts'
import { createPair } from './kit/pair.ts'
import { pattern } from './kit/pattern.ts'
import type { Endpoint } from './kit/endpoint.ts'
import type { Pair } from './kit/pair.ts'
import type { YamuxStream } from '../../src/protocols/yamux/stream.ts'

/** Bytes each stream carries each way. */
const TOTAL = 40

interface Conversation {
  pair: Pair

  /** Of both ends, each with what it read. */
  readers: Map<YamuxStream, Reader>
  finished(): boolean
}

describe('simulation: death of the link', () => {
  for (const from of ['client', 'server'] as const) {
    it(`should end every stream that had not ended, and none that had, wherever the bytes from the ${from} stop`, () => {
      const whole = converse()

      whole.pair.clock.until('the conversation is over', whole.finished, 1_000)

      const total = whole.pair[from === 'client' ? 'fromClient' : 'fromServer'].arrived
      const kinds = { clean: 0, cut: 0 }

      expect(total).to.be.greaterThan(150)

      for (let cut = 1; cut <= total; cut++) {
        const { pair, readers } = converse()

        pair[from === 'client' ? 'fromClient' : 'fromServer'].lifetime = cut
        pair.clock.until('both ends know', () => pair.client.closed && pair.server.closed, 1_000)

        for (const endpoint of [pair.client, pair.server]) {
          expectDead(endpoint)

          for (const stream of endpoint.streams.values()) {
            expectEnded(stream, readers.get(stream), kinds)
          }
        }
      }

      // both happened, at one cut or another
      expect(kinds.clean).to.be.greaterThan(10)
      expect(kinds.cut).to.be.greaterThan(10)
    })
  }

  it('should end everything when nothing ever arrives', () => {
    const { pair } = converse()

    pair.cut()
    expectDead(pair.client)
    expectDead(pair.server)
    expect([...pair.client.streams.values()].map(stream => stream.error?.name)).to.deep.equal(new Array(3).fill('ConnectionClosedError'))
    expect(pair.server.streams.size).to.equal(0)
  })

  it('should say what cut the connection, to each stream', () => {
    const { pair } = converse()
    const cause = new Error('read ECONNRESET')

    pair.clock.advance(1)
    pair.cut(cause)

    for (const endpoint of [pair.client, pair.server]) {
      expect(endpoint.error).to.include({ name: 'ConnectionClosedError', origin: 'transport', scope: 'connection', cause })
    }

    for (const stream of pair.client.streams.values()) {
      expect(stream.error).to.equal(pair.client.error)
    }
  })

  it('should let what had arrived before the end be read after it', () => {
    const pair = createPair({ link: { latency: 5 } })
    const readers: Reader[] = []

    pair.server.onStream = stream => {
      const reader = new Reader(pair.server, stream)

      reader.paused = true
      readers.push(reader)
      stream.attachment = reader

      return true
    }
    pair.client.open(stream => new Sender(pair.client, stream, 1_000))
    pair.client.open(stream => new Sender(pair.client, stream, 100_000))
    pair.fromClient.lifetime = 50_000
    pair.clock.until('both ends know', () => pair.client.closed && pair.server.closed, 1_000)

    for (const reader of readers) {
      reader.resume()
    }

    // the first had ended before the cut, the second is known not to have
    expect(readers.map(reader => reader.ended)).to.deep.equal([true, false])
    expect(readers[0].read).to.equal(1_000)
    expect(readers[1].read).to.be.greaterThan(40_000)
    expect(readers.map(({ stream }) => stream.receive)).to.deep.equal(['ended', 'reset'])
  })

  it('should take an end between two frames, with no stream open, for the end that it is', () => {
    const pair = createPair({ link: { latency: 5 } })
    const stream = pair.client.open(stream => new Sender(pair.client, stream, 10)) as YamuxStream

    pair.server.onStream = inbound => {
      inbound.attachment = new Echo(pair.server, inbound)

      return true
    }
    pair.clock.until('the stream is over at both ends', () => stream.closed && pair.server.streams.get(stream.id)?.closed === true, 1_000)
    pair.fromClient.end()
    pair.clock.until('the server knows', () => pair.server.closed, 1_000)
    expect(pair.server.error).to.equal(undefined)
  })
})

/**
 * Three streams, on each of which the server writes a message and ends. The client does the same on the first, ends the
 * second at once, and never ends the third.
 */
function converse (): Conversation {
  // little at a time, so that frames arrive one after the other, and streams end so
  const pair = createPair({ link: { latency: 1, rate: 100, capacity: 64 } })
  const readers = new Map<YamuxStream, Reader>()
  const read = (endpoint: Endpoint, stream: YamuxStream): Reader => {
    const reader = new Reader(endpoint, stream)

    readers.set(stream, reader)

    return reader
  }

  pair.server.onStream = stream => {
    stream.attachment = together(read(pair.server, stream), new Sender(pair.server, stream, TOTAL))

    return true
  }
  pair.client.open(stream => together(read(pair.client, stream), new Sender(pair.client, stream, TOTAL)))
  pair.client.open(stream => together(read(pair.client, stream), new Sender(pair.client, stream, 0)))

  const last = pair.client.open(stream => read(pair.client, stream)) as YamuxStream

  pair.client.write(last, pattern(flowFrom(pair.client, last), 0, TOTAL))

  return {
    pair,
    readers,
    finished: () => readers.size === 6 && [...readers.values()].every(reader => reader.ended || (reader.endpoint === pair.server && reader.read === TOTAL))
  }
}

function expectEnded (stream: YamuxStream, reader: Reader | undefined, kinds: { clean: number, cut: number }): void {
  const isFromClient = reader?.endpoint.name === 'server'
  const total = isFromClient && stream.id === 3 ? 0 : TOTAL

  expect(stream.closed).to.be.true()

  if (reader?.ended === true) {
    expect(reader.read).to.equal(total)
    expect(isFromClient && stream.id === 5).to.be.false()
  }

  if (stream.error === undefined) {
    kinds.clean++
    expect([stream.send, stream.receive, reader?.ended]).to.deep.equal(['ended', 'ended', true])
  } else {
    kinds.cut++
    expect(stream.error).to.have.property('name', 'ConnectionClosedError')
    expect([stream.send, stream.receive]).to.include('reset')
  }
}

/** Nothing is left, and whatever an application still asks for does no harm. */
function expectDead (endpoint: Endpoint): void {
  const { engine, now } = endpoint

  expect(engine.state).to.equal('closed')
  expect(endpoint.error).to.have.property('name', 'ConnectionClosedError')
  expect([...engine.streams]).to.deep.equal([])
  expect(engine.wantsTransmit).to.be.false()
  expect(engine.pollTransmit(1_000_000, now)).to.equal(undefined)
  expect(engine.pollTimeout()).to.equal(undefined)
  expect(() => engine.open(now)).to.throw().with.property('name', 'MuxerClosedError')

  for (const stream of endpoint.streams.values()) {
    const { error, send, receive } = stream

    engine.read(stream, Infinity, now)
    engine.end(stream)
    engine.closeRead(stream, now)
    engine.reset(stream, 1, new Error('too late'))
    expect({ error: stream.error, send: stream.send, receive: stream.receive }).to.deep.equal({ error, send, receive })
  }

  expect(engine.pollTransmit(1_000_000, now)).to.equal(undefined)
}
