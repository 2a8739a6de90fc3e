import { expect } from 'aegir/chai'
import { Asker, Echo, Reader, Sender, SlowReader, flowFrom, together } from './kit/apps.ts'
import { createMplexPair } from './kit/mplex.ts'
import { megabits } from './kit/pair.ts'
import { pattern } from './kit/pattern.ts'
import { withSeed } from './kit/random.ts'
import type { MplexEndpoint } from './kit/mplex.ts'
import type { AnyPair } from './kit/pair.ts'
import type { Random } from './kit/random.ts'
import type { MplexStream } from '../../src/protocols/mplex/stream.ts'

function readAll (endpoint: MplexEndpoint): Reader[] {
  const readers: Reader[] = []

  endpoint.onStream = stream => {
    const reader = new Reader(endpoint, stream)

    readers.push(reader)
    stream.attachment = reader

    return true
  }

  return readers
}

describe('simulation: mplex', () => {
  it('should use a link of 100 Mbit/s and 50 ms to the full, whatever the distance', () => {
    const rate = megabits(100)
    const pair = createMplexPair({ link: { latency: 50, rate } })
    const readers = readAll(pair.server)

    pair.client.open(stream => new Sender(pair.client, stream))
    pair.clock.advance(5_000)
    expect(readers[0].read / ((5_000 - 50) * rate)).to.be.at.least(0.98)
  })

  it('should make the writer wait for the transport: no more is queued than its high-water mark and one write', () => {
    const pair = createMplexPair({ link: { latency: 10, rate: megabits(1) } })
    let most = 0

    readAll(pair.server)

    const sent = pair.client.open(stream => new Sender(pair.client, stream)) as MplexStream

    pair.clock.onStep = () => {
      most = Math.max(most, sent.sendQueue.byteLength)
    }
    pair.clock.advance(20_000)
    expect(most).to.be.at.least(262_144).and.below(262_144 + 65_536)
    expect(sent.bytesSent).to.be.greaterThan(2_000_000)
  })

  it('should share a link fairly among ten writers', () => {
    const pair = createMplexPair({ link: { latency: 5, rate: megabits(100) } })
    const readers = readAll(pair.server)

    for (let i = 0; i < 10; i++) {
      pair.client.open(stream => new Sender(pair.client, stream))
    }

    pair.clock.advance(2_000)

    const read = readers.map(reader => reader.read)

    expect(Math.min(...read) / Math.max(...read)).to.be.at.least(0.9)
  })

  it('should echo a small message beside bulk as soon as what the transport has taken is through', () => {
    const rate = megabits(100)
    // in packets: by 64 KiB at once it would be by chance whether a second batch finds room
    const pair = createMplexPair({ link: { latency: 5, rate, capacity: 65_536, chop: () => 1_460 } })
    let asker: Asker | undefined

    pair.server.onStream = stream => {
      stream.attachment = stream.wireId === 0 ? new Reader(pair.server, stream) : new Echo(pair.server, stream)

      return true
    }
    pair.client.open(stream => new Sender(pair.client, stream))
    pair.client.open(stream => {
      asker = new Asker(pair.client, stream, pair.clock, 64, 50)

      return asker
    })
    pair.clock.advance(10_000)

    const times = asker?.times ?? []

    expect(times.length).to.be.greaterThan(50)
    // the way there and back, a batch and one message of bulk
    expect(Math.max(...times)).to.be.at.most(10 + 2 * 65_536 / rate + 1)
  })

  it('should reset a stream whose reader is slow at its limit, and let the others flow at full rate', () => {
    const rate = megabits(100)
    const limit = 1_000_000
    const pair = createMplexPair({ link: { latency: 10, rate }, serverOptions: { maxStreamBufferSize: limit } })
    const slow = pair.client.open(stream => new Sender(pair.client, stream)) as MplexStream
    const fast = pair.client.open(stream => new Sender(pair.client, stream)) as MplexStream
    let most = 0

    pair.server.onStream = stream => {
      stream.attachment = stream.wireId === slow.wireId
        ? new SlowReader(pair.server, stream, pair.clock, 4_096, 200)
        : new Reader(pair.server, stream)

      return true
    }
    pair.clock.onStep = () => {
      most = Math.max(most, ...[...pair.server.streams.values()].map(stream => stream.receiveQueue.byteLength))
    }
    pair.clock.until('the writer knows', () => slow.closed, 5_000)
    expect(most).to.be.within(limit - 65_536, limit)
    expect(slow.error).to.include({ name: 'StreamResetError', origin: 'remote' })
    expect([...pair.server.streams.values()].find(stream => stream.wireId === slow.wireId)?.error).to.have.property('name', 'StreamBufferError')

    const before = fast.bytesSent

    pair.clock.advance(5_000)
    expect((fast.bytesSent - before) / (5_000 * rate)).to.be.at.least(0.98)
    expect(pair.server.closed).to.be.false()
  })

  it('should open, echo and close 5,000 streams from both sides at once, with the same ids', () => {
    const pair = createMplexPair({ link: { latency: 5, rate: megabits(100), capacity: 4_096 } })
    const done = { client: 0, server: 0 }

    for (const name of ['client', 'server'] as const) {
      const endpoint = pair[name]
      const openOne = (): void => {
        endpoint.open(stream => {
          const reader = new Reader(endpoint, stream)

          return {
            onEdges (edges) {
              reader.onEdges(edges)

              if (stream.closed && done[name] < 2_500) {
                expect(stream.error).to.equal(undefined)
                expect(reader.ended).to.be.true()
                done[name]++
                pair.clock.schedule(openOne, 0)
              }
            }
          }
        })

        for (const stream of endpoint.engine.streams) {
          if (!stream.inbound && stream.send === 'open') {
            endpoint.write(stream, Uint8Array.of(1))
            endpoint.end(stream)
          }
        }
      }

      endpoint.onStream = stream => {
        stream.attachment = {
          onEdges: () => {
            if (stream.receive === 'ended' && stream.send === 'open') {
              endpoint.read(stream)
              endpoint.end(stream)
            }
          }
        }

        return true
      }

      for (let i = 0; i < 100; i++) {
        openOne()
      }
    }

    pair.clock.until('all are done', () => done.client === 2_500 && done.server === 2_500, 60_000)
    expect([pair.client.error, pair.server.error]).to.deep.equal([undefined, undefined])
    expect(pair.client.engine.statistics().streamsReset).to.deep.equal({ local: 0, remote: 0 })
  })

  it('should not deadlock when both write 1 MiB before they read, over a link that takes 1 KiB', () => {
    const total = 1_048_576
    const pair = createMplexPair({ link: { latency: 1, rate: 10_000, capacity: 1_024 } })
    const readers: Reader[] = []
    const use = (endpoint: MplexEndpoint, stream: MplexStream): ReturnType<typeof together> => {
      const reader = new Reader(endpoint, stream)

      readers.push(reader)

      return together(reader, new Sender(endpoint, stream, total))
    }

    pair.server.onStream = stream => {
      stream.attachment = use(pair.server, stream)

      return true
    }
    pair.client.open(stream => use(pair.client, stream))
    pair.clock.until('both have read everything', () => readers.length === 2 && readers.every(reader => reader.ended), 10_000)
    expect(readers.map(reader => reader.read)).to.deep.equal([total, total])
  })

  for (const from of ['client', 'server'] as const) {
    const pipe = from === 'client' ? 'fromClient' : 'fromServer'

    it(`should end every stream that had not ended, and none that had, wherever the bytes from the ${from} stop`, () => {
      const whole = converse().pair
      const kinds = { clean: 0, cut: 0 }

      whole.clock.advance(1_000)

      const total = whole[pipe].arrived

      expect(total).to.be.greaterThan(90)

      for (let lifetime = 1; lifetime <= total; lifetime++) {
        const { pair, readers } = converse()

        pair[pipe].lifetime = lifetime
        pair.clock.until('both ends know', () => pair.client.closed && pair.server.closed, 1_000)

        for (const stream of [...pair.client.streams.values(), ...pair.server.streams.values()]) {
          expect(stream.closed).to.be.true()

          if (stream.error === undefined) {
            kinds.clean++
            expect([stream.send, stream.receive, readers.get(stream)?.ended]).to.deep.equal(['ended', 'ended', true])
          } else {
            kinds.cut++
            expect(stream.error).to.have.property('name', 'ConnectionClosedError')
          }
        }
      }

      expect(kinds.clean).to.be.greaterThan(10)
      expect(kinds.cut).to.be.greaterThan(10)
    })
  }

  it('should carry every byte to its place over links of any shape', () => {
    for (let seed = 1; seed <= 50; seed++) {
      withSeed(seed, random => {
        carryAll(random)
      })
    }
  })
})

function carryAll (random: Random): void {
  const pair = createMplexPair({
    link: { latency: random.int(0, 50), rate: random.magnitude(100, 100_000), capacity: random.magnitude(64, 1_000_000), chop: () => random.magnitude(1, 100_000) }
  })
  const readers: Reader[] = []
  const totals: number[] = []
  const send = (endpoint: MplexEndpoint, stream: MplexStream): ReturnType<typeof together> => {
    const reader = new Reader(endpoint, stream)
    const total = random.magnitude(1, 100_000)

    readers.push(reader)
    totals.push(total)

    return together(reader, new Sender(endpoint, stream, total))
  }

  for (const endpoint of [pair.client, pair.server]) {
    endpoint.onStream = stream => {
      stream.attachment = send(endpoint, stream)

      return true
    }

    for (let i = random.int(1, 10); i > 0; i--) {
      endpoint.open(stream => send(endpoint, stream))
    }
  }

  pair.clock.until('everything was read', () => pair.client.engine.streamCount.outbound + pair.server.engine.streamCount.outbound === 0, 1_000_000)
  pair.clock.advance(1_000)
  expect(readers.every(reader => reader.ended)).to.be.true()
  expect(readers.reduce((sum, { read }) => sum + read, 0)).to.equal(totals.reduce((sum, total) => sum + total, 0))
}

/**
 * Three streams, on each of which the server writes a message and ends. The client does the same on the first, ends the
 * second at once, and never ends the third.
 */
function converse (): { pair: AnyPair<MplexEndpoint>, readers: Map<MplexStream, Reader> } {
  // little at a time, so that messages arrive one after the other, and streams end so
  const pair = createMplexPair({ link: { latency: 1, rate: 100, capacity: 64 } })
  const readers = new Map<MplexStream, Reader>()
  const read = (endpoint: MplexEndpoint, stream: MplexStream): Reader => {
    const reader = new Reader(endpoint, stream)

    readers.set(stream, reader)

    return reader
  }

  pair.server.onStream = stream => {
    stream.attachment = together(read(pair.server, stream), new Sender(pair.server, stream, 40))

    return true
  }
  pair.client.open(stream => together(read(pair.client, stream), new Sender(pair.client, stream, 40)))
  pair.client.open(stream => together(read(pair.client, stream), new Sender(pair.client, stream, 0)))

  const last = pair.client.open(stream => read(pair.client, stream)) as MplexStream

  pair.client.write(last, pattern(flowFrom(pair.client, last), 0, 20))
  // by then the others have ended
  pair.clock.schedule(() => {
    if (last.send === 'open') {
      pair.client.write(last, pattern(flowFrom(pair.client, last), 20, 20))
    }
  }, 50)

  return { pair, readers }
}
