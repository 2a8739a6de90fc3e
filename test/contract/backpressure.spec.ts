/** Backpressure that is real: what is kept is bounded on both sides, however much is offered and however slow the reader. */
import { expect } from 'aegir/chai'
import { DATA, SYN, frame, pong, windowUpdate } from '../support/frames.ts'
import { inboundStream, muxedPair, muxerAndPeer, openPair } from '../support/muxers.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { noUnhandledRejections, turn, until } from '../support/waiting.ts'
import type { MuxedStream } from '../../src/connection/stream.ts'
import type { WithPeer } from '../support/muxers.ts'

const KIB = 1_024
const MIB = 1_048_576
const GIB = 1_073_741_824
const CHUNK = 64 * KIB

/** The same 64 KiB again and again: a gigabyte passes, and none of it is memory. */
const BODY = new Uint8Array(CHUNK)

/** A peer that sends as much as it was granted, at once, and no more than `total`. */
class Flood {
  sent = 0
  readonly #setup: WithPeer
  readonly #total: number
  #granted = 256 * KIB

  constructor (setup: WithPeer, total: number) {
    this.#setup = setup
    this.#total = total
    setup.peer.onFrame = ({ type, streamId, length }) => {
      this.#granted += streamId === 1 && type !== DATA ? length : 0
    }
  }

  /** Credit that was not used. */
  get outstanding (): number {
    return this.#granted - this.sent
  }

  /** Offers what it may; returns when all of it has arrived. */
  async offer (): Promise<void> {
    const { peer } = this.#setup

    while (this.outstanding >= CHUNK && this.sent < this.#total) {
      peer.end.send(frame({ type: DATA, streamId: 1, length: CHUNK }))
      peer.end.send(BODY)
      this.sent += CHUNK
    }

    await turn()
  }
}

async function flooded (initialStreamWindowSize: number, total: number, clock = new VirtualClock(), maxStreamWindowSize = initialStreamWindowSize): Promise<WithPeer & { flood: Flood, stream: MuxedStream }> {
  const setup = muxerAndPeer({
    direction: 'inbound',
    clock,
    options: { streamOptions: { initialStreamWindowSize, maxStreamWindowSize, maxReadBufferLength: Math.max(16 * MIB, initialStreamWindowSize) } },
    // pongs would stand in the middle of frames
    peer: { pongs: false },
    link: { record: false }
  })
  const flood = new Flood(setup, total)
  const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

  await turn()

  return { ...setup, flood, stream }
}

describe('contract: backpressure', () => {
  noUnhandledRejections()

  it('a writer that awaits onDrain() never has more than the high-water mark and one chunk queued, over 64 MiB', async () => {
    const pair = muxedPair({ link: { capacity: 200_000, record: false } })
    const [outbound, inbound] = await openPair(pair)
    let received = 0
    let most = 0

    inbound.addEventListener('message', event => { received += event.data.byteLength })

    for (let sent = 0; sent < 64 * MIB; sent += CHUNK) {
      if (!outbound.send(BODY)) {
        most = Math.max(most, outbound.writeBufferLength)
        await outbound.onDrain()
        expect(outbound.writableNeedsDrain).to.be.false()
      }

      most = Math.max(most, outbound.writeBufferLength)
    }

    await outbound.close()
    await until(() => received === 64 * MIB)
    expect(most).to.be.at.most(256 * KIB + CHUNK)
    expect(most).to.be.at.least(256 * KIB)
  })

  it('a writer that looks at the returned false alone, too', async () => {
    const pair = muxedPair({ link: { capacity: 200_000, record: false }, options: { streamOptions: { writeHighWaterMark: 100_000 } } })
    const [outbound, inbound] = await openPair(pair)
    let received = 0
    let sent = 0
    let most = 0

    const write = (): void => {
      while (sent < 16 * MIB) {
        sent += CHUNK

        const more = outbound.send(BODY)

        most = Math.max(most, outbound.writeBufferLength)

        if (!more) {
          return
        }
      }
    }

    inbound.addEventListener('message', event => { received += event.data.byteLength })
    outbound.addEventListener('drain', write)
    write()
    await until(() => received === 16 * MIB)
    expect(most).to.be.at.most(100_000 + CHUNK)
  })

  it('a writer that awaits onDrain() is held back by a reader that does not read', async () => {
    const [outbound, inbound] = await openPair(muxedPair())
    let sent = 0

    while (outbound.send(BODY)) {
      sent += CHUNK
      await turn()
    }

    expect(sent + CHUNK).to.be.at.most(256 * KIB + 256 * KIB + CHUNK)
    await turn()
    expect(inbound.readBufferLength).to.equal(256 * KIB)
    expect(outbound.writableNeedsDrain).to.be.true()
  })

  for (const [name, window] of [['256 KiB', 256 * KIB], ['1 MiB', MIB], ['16 MiB', 16 * MIB]] as const) {
    it(`for await, a chunk at a time on demand, holds at most its window of ${name} while a peer offers 1 GiB`, async function () {
      this.timeout(60_000)

      const { flood, stream } = await flooded(window, GIB)
      const iterator = stream[Symbol.asyncIterator]()
      let taken = 0
      let most = 0

      while (taken < GIB) {
        await flood.offer()
        most = Math.max(most, stream.readBufferLength)
        // what is unread and what may still come are the window, never more
        expect(stream.readBufferLength + flood.outstanding).to.be.at.most(window)
        taken += (await iterator.next()).value?.byteLength ?? 0
      }

      expect(flood.sent).to.equal(GIB)
      expect(taken).to.equal(GIB)
      expect(most).to.equal(window)
      expect(stream.status).to.equal('open')
      expect(stream.stats().receiveWindow).to.equal(window)
    })

    it(`pause() at a window of ${name}: never a reset, and everything arrives after resume()`, async () => {
      const { flood, stream } = await flooded(window, 64 * MIB)
      let received = 0

      stream.addEventListener('message', event => { received += event.data.byteLength })

      for (let round = 0; received + stream.readBufferLength < 64 * MIB; round++) {
        stream.pause()

        const before = received

        for (let i = 0; i < 5; i++) {
          await flood.offer()
        }

        expect(received).to.equal(before)
        // less than half of the window may still be owed
        expect(stream.readBufferLength).to.be.at.most(window).and.at.least(Math.min(window / 2, 64 * MIB - received))
        expect(stream.status).to.equal('open')
        stream.resume()
        expect(stream.readBufferLength).to.equal(0)
        await turn()
      }

      stream.resume()
      await flood.offer()
      expect(received).to.equal(64 * MIB)
      expect(stream.status).to.equal('open')
    })
  }

  it('a window that grows is the bound while it grows, and no more than its limit', async () => {
    const clock = new VirtualClock()
    const { flood, muxer, peer, stream } = await flooded(256 * KIB, GIB, clock, 16 * MIB)

    // the path is 100 ms long
    const pinging = muxer.ping()
    const { length } = await peer.hears('ping|SYN', 0)

    clock.skip(100)
    peer.send(pong(length))
    expect(await pinging).to.equal(100)

    const sizes = new Set<number>()
    const iterator = stream[Symbol.asyncIterator]()

    for (let taken = 0; taken < 256 * MIB;) {
      if (stream.readBufferLength === 0) {
        // all of it was read, and the peer waits for the credit that is on its way
        clock.skip(100)
        await flood.offer()
      }

      const { receiveWindow = 0 } = stream.stats()

      sizes.add(receiveWindow)
      expect(stream.readBufferLength + flood.outstanding).to.be.at.most(receiveWindow)
      taken += (await iterator.next()).value?.byteLength ?? 0
    }

    expect([...sizes]).to.deep.equal([0.25, 0.5, 1, 2, 4, 8, 16].map(size => size * MIB))
  })

  it('windows that grow share the budget of their connection', async () => {
    const clock = new VirtualClock()
    const setup = muxerAndPeer({
      direction: 'inbound',
      clock,
      options: { connectionWindowBudget: MIB },
      peer: { pongs: false },
      link: { record: false }
    })
    const streams: MuxedStream[] = []
    const credit = new Map<number, number>()

    setup.peer.onFrame = ({ type, streamId, length }) => {
      if (type !== DATA && streamId > 0) {
        credit.set(streamId, (credit.get(streamId) ?? 256 * KIB) + length)
      }
    }

    for (let i = 0; i < 4; i++) {
      streams.push(await inboundStream(setup, windowUpdate(2 * i + 1, 0, SYN)))
      streams[i].addEventListener('message', () => {})
    }

    await turn()

    const pinging = setup.muxer.ping()
    const { length } = await setup.peer.hears('ping|SYN', 0)

    clock.skip(100)
    setup.peer.send(pong(length))
    await pinging

    for (let round = 0; round < 100; round++) {
      clock.skip(100)

      for (const stream of streams) {
        const id = Number(stream.id)

        for (let left = credit.get(id) ?? 256 * KIB; left >= CHUNK; left -= CHUNK) {
          setup.peer.end.send(frame({ type: DATA, streamId: id, length: CHUNK }))
          setup.peer.end.send(BODY)
          credit.set(id, left - CHUNK)
        }
      }

      await turn()

      const total = streams.reduce((sum, stream) => sum + (stream.stats().receiveWindow ?? 0), 0)

      expect(total).to.be.at.most(4 * 256 * KIB + MIB)
    }

    const total = streams.reduce((sum, stream) => sum + (stream.stats().receiveWindow ?? 0), 0)

    expect(total).to.equal(4 * 256 * KIB + MIB)
  })

  it('credit comes back for what was taken, not before', async () => {
    const { flood, stream } = await flooded(256 * KIB, GIB)
    const iterator = stream[Symbol.asyncIterator]()

    await flood.offer()
    expect(flood.outstanding).to.equal(0)
    await iterator.next()
    await turn()
    expect(flood.outstanding).to.equal(0, 'a quarter of the window was taken')
    await iterator.next()
    await turn()
    expect(flood.outstanding).to.equal(128 * KIB, 'half of it was')
    await turn()
    expect(flood.outstanding).to.equal(128 * KIB)
  })
})
