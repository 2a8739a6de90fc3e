/**
 * What one message costs (js-libp2p's streams and yamux 8.0.3), as counts: of calls, buffers, frames and events. Times
 * are for the benchmarks.
 */
import { expect } from 'aegir/chai'
import { DATA, SYN, WINDOW_UPDATE, data, parseFrames, windowUpdate } from '../support/frames.ts'
import { inboundStream, muxerAndPeer } from '../support/muxers.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { noUnhandledRejections, turn } from '../support/waiting.ts'
import type { MuxedConnection } from '../../src/connection/connection.ts'
import type { MuxedStream } from '../../src/connection/stream.ts'

async function openStreams (muxer: MuxedConnection, count: number): Promise<MuxedStream[]> {
  const streams: MuxedStream[] = []

  for (let i = 0; i < count; i++) {
    streams.push(await muxer.createStream())
  }

  await turn()

  return streams
}

describe('faults: cost of a message', () => {
  noUnhandledRejections()

  it('2.3: ten sends of 4000 bytes in one tick are one call of maConn.send with one buffer', async () => {
    const { maConn, muxer, peer } = muxerAndPeer()
    const [stream] = await openStreams(muxer, 1)

    maConn.sends.length = 0

    for (let i = 0; i < 10; i++) {
      stream.send(new Uint8Array(4_000))
    }

    await turn()

    expect(maConn.sends).to.have.length(1)
    expect(maConn.sends[0]).to.have.length(1)
    expect(peer.received(1)).to.have.property('byteLength', 40_000)
  })

  it('2.3: small messages of a hundred streams are one contiguous buffer', async () => {
    const { maConn, muxer } = muxerAndPeer()
    const streams = await openStreams(muxer, 100)

    maConn.sends.length = 0

    for (const stream of streams) {
      stream.send(new Uint8Array(64))
    }

    await turn()

    expect(maConn.sends).to.have.length(1)
    expect(maConn.sends[0]).to.have.length(1)
    expect(parseFrames(...maConn.sends[0])).to.have.length(100)
  })

  it('2.3: one send of 64 KiB is one call and no more than a header and the payload, uncopied but for the 72 bytes that a segment has no room for', async () => {
    const { maConn, muxer } = muxerAndPeer()
    const [stream] = await openStreams(muxer, 1)
    const payload = new Uint8Array(65_536)

    maConn.sends.length = 0
    stream.send(payload)
    await turn()

    expect(maConn.sends).to.have.length(1)
    expect(maConn.sends[0].map(({ byteLength }) => byteLength)).to.deep.equal([12 + 72, 65_464])
    expect(maConn.sends[0][1].buffer).to.equal(payload.buffer)
  })

  it('2.3: however many messages a delivery has, the clock is asked as often as for one', async () => {
    const clock = new VirtualClock()
    const setup = muxerAndPeer({ direction: 'inbound', clock })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const now = clock.now.bind(clock)
    let looks = 0
    let messages = 0

    async function looksFor (count: number): Promise<number> {
      looks = 0
      setup.peer.send(new Uint8Array(await new Blob(Array.from({ length: count }, () => data(1, 100))).arrayBuffer()))
      await turn()

      return looks
    }

    await turn()
    stream.addEventListener('message', () => { messages++ })
    clock.now = () => {
      looks++

      return now()
    }

    expect(await looksFor(10)).to.equal(await looksFor(1))
    expect(messages).to.equal(11)
  })

  it('2.3: however many messages are sent in a turn, the clock is asked no more often than for three', async () => {
    const clock = new VirtualClock()
    const { muxer } = muxerAndPeer({ clock })
    const [stream] = await openStreams(muxer, 1)
    const now = clock.now.bind(clock)
    let looks = 0

    async function looksFor (count: number): Promise<number> {
      looks = 0

      for (let i = 0; i < count; i++) {
        stream.send(new Uint8Array(100))
      }

      await turn()

      return looks
    }

    clock.now = () => {
      looks++

      return now()
    }

    const few = await looksFor(3)

    expect(few).to.be.above(0)
    expect(await looksFor(100)).to.equal(few)
  })

  it('2.3: what is asked after frames were made has a time of its own', async () => {
    const clock = new VirtualClock()
    const { muxer } = muxerAndPeer({ clock })
    const [stream] = await openStreams(muxer, 1)

    stream.send(new Uint8Array(100))
    stream.send(new Uint8Array(100))
    await turn()

    const before = stream.record.activeAt

    clock.skip(50)
    stream.send(new Uint8Array(100))
    await turn()
    expect(stream.record.activeAt).to.equal(before + 50)
  })

  it('2.3: no event is made for those who do not listen', async () => {
    const { muxer, peer } = muxerAndPeer()
    const [stream] = await openStreams(muxer, 1)
    const dispatched: string[] = []
    const { dispatchEvent } = stream

    stream.dispatchEvent = event => {
      dispatched.push(event.type)

      return dispatchEvent.call(stream, event)
    }

    for (let i = 0; i < 10; i++) {
      stream.send(new Uint8Array(100))
      await turn()
    }

    peer.send(data(1, 100))
    await turn()

    expect(dispatched).to.deep.equal([])
  })

  it('2.3: an idle stream keeps nothing queued on either side', async () => {
    const { muxer } = muxerAndPeer()
    const [stream] = await openStreams(muxer, 1)

    expect(stream.listenerCount('close')).to.equal(0)
    expect(stream.listenerCount('drain')).to.equal(0)
    expect(stream.readBufferLength).to.equal(0)
    expect(stream.writeBufferLength).to.equal(0)
  })

  it('Y1: a frame for one of a thousand streams touches no other', async () => {
    const setup = muxerAndPeer({ options: { maxOutboundStreams: 1_000 } })
    const { muxer, peer } = setup
    const streams: MuxedStream[] = []

    for (let i = 0; i < 1_000; i++) {
      streams.push(await muxer.createStream())
      await turn()
      peer.send(windowUpdate(2 * i + 1, 0, 2))
      await turn()
    }

    let looks = 0

    // a search reads the id
    const get = (): number => looks++

    for (const stream of streams) {
      Object.defineProperty(stream.record, 'id', { get })
      Object.defineProperty(stream, 'id', { get })
    }

    const target = streams[999]
    let received = 0

    target.addEventListener('message', event => { received += event.data.byteLength })

    for (let i = 0; i < 10; i++) {
      peer.send(data(1_999, 100))
    }

    await turn()
    expect(received).to.equal(1_000)
    expect(looks).to.equal(0)
  })

  it('Y1: the list of streams is not searched, nor made again, while none comes or goes', async () => {
    const { muxer, peer } = muxerAndPeer()
    const streams = await openStreams(muxer, 10)
    const list = muxer.streams

    streams[0].addEventListener('message', () => {})
    peer.send(data(1, 100))
    streams[1].send(new Uint8Array(10))
    await turn()
    expect(muxer.streams).to.equal(list)

    streams[0].abort(new Error('gone'))
    await turn()
    expect(muxer.streams).to.have.length(9)
  })

  it('Y2: nothing is formatted for a log that is off', async () => {
    const { muxer, peer } = muxerAndPeer()
    const [stream] = await openStreams(muxer, 1)
    let calls = 0
    const count = (): void => { calls++ }

    // every frame of yamux 8.0.3 makes an object and two arrays for a trace that nobody reads
    Object.defineProperty(muxer, 'log', { value: Object.assign(count, { trace: count, error: count, newScope: () => count, enabled: false }) })
    stream.addEventListener('message', () => {})

    for (let i = 0; i < 100; i++) {
      stream.send(new Uint8Array(100))
      peer.send(data(1, 100))
      await turn()
    }

    expect(calls).to.equal(0)
  })

  it('Y3: header and payload of a small frame are one buffer, and frames of one tick one call', async () => {
    const { maConn, muxer } = muxerAndPeer()
    const [first, second] = await openStreams(muxer, 2)

    maConn.sends.length = 0
    first.send(new Uint8Array(100))
    second.send(new Uint8Array(100))
    second.close().catch(() => {})
    first.send(new Uint8Array(100))
    await turn()

    expect(maConn.sends.map(buffers => buffers.length)).to.deep.equal([1])
    expect(parseFrames(...maConn.sends[0])).to.have.length(4)
  })

  it('Y7: a hundred messages of 10 bytes are answered by no window update', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    let received = 0

    stream.addEventListener('message', event => { received += event.data.byteLength })
    await turn()
    setup.peer.frames.length = 0

    for (let i = 0; i < 100; i++) {
      setup.peer.send(data(1, 10))
      await turn()
    }

    expect(received).to.equal(1_000)
    expect(setup.peer.frames).to.deep.equal([])
  })

  it('Y7: credit comes back in halves of the window', async () => {
    const setup = muxerAndPeer({ direction: 'inbound', clock: new VirtualClock() })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    stream.addEventListener('message', () => {})
    await turn()
    setup.peer.frames.length = 0

    for (let i = 0; i < 64; i++) {
      setup.peer.send(data(1, 16_384))
      await turn()
    }

    const updates = setup.peer.frames.filter(frame => frame.type === WINDOW_UPDATE)

    expect(updates).to.have.length(8)
    expect(updates.every(frame => frame.length === 131_072)).to.be.true()
    expect(setup.peer.frames.some(frame => frame.type === DATA)).to.be.false()
  })
})
