/**
 * The numbered weaknesses of @libp2p/yamux 8.0.3, and that ours has none of them. Y1, Y2, Y3 and Y7 are costs and stand
 * in `cost.spec.ts`.
 */
import { expect } from 'aegir/chai'
import { StreamTable } from '../../src/core/stream-table.ts'
import { DATA, FIN, SYN, data, frame, goAway, lineOf, parseFrames, pattern, pong, windowUpdate } from '../support/frames.ts'
import { countReachable } from '../support/garbage.ts'
import { memoryLink } from '../support/memory-link.ts'
import { createMuxer, inboundStream, muxerAndPeer } from '../support/muxers.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { eventOf, noUnhandledRejections, outcomeOf, turn, until } from '../support/waiting.ts'
import type { RudePeer } from '../support/rude-peer.ts'

const KIB = 1_024
const MIB = 1_048_576
const WINDOW = 256 * KIB

function dataSizes (peer: RudePeer, streamId: number): number[] {
  return peer.of(streamId).filter(frame => frame.type === DATA).map(frame => frame.length)
}

describe('faults: weaknesses of @libp2p/yamux', () => {
  noUnhandledRejections()

  it('Y4: a larger initial window is announced in the SYN', async () => {
    const { muxer, peer } = muxerAndPeer({ options: { streamOptions: { initialStreamWindowSize: MIB } } })

    await muxer.createStream()
    expect((await peer.hears('window|SYN 1')).length).to.equal(MIB - WINDOW)
  })

  it('Y4: a larger initial window is announced in the ACK', async () => {
    const setup = muxerAndPeer({ direction: 'inbound', options: { streamOptions: { initialStreamWindowSize: MIB } } })

    await inboundStream(setup, windowUpdate(1, 0, SYN))
    expect((await setup.peer.hears('window|ACK 1')).length).to.equal(MIB - WINDOW)
  })

  it('Y4: our own larger window is no credit to send: the peer\'s is', async () => {
    const { muxer, peer } = muxerAndPeer({ options: { streamOptions: { initialStreamWindowSize: MIB } } })
    const stream = await muxer.createStream()

    stream.send(new Uint8Array(MIB))
    await turn()
    expect(peer.received(1).byteLength).to.equal(WINDOW)
    peer.send(windowUpdate(1, 1_000))
    await turn()
    expect(peer.received(1).byteLength).to.equal(WINDOW + 1_000)
  })

  it('Y4: a larger initial window is there to be used', async () => {
    const setup = muxerAndPeer({ direction: 'inbound', options: { streamOptions: { initialStreamWindowSize: MIB } } })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    await setup.peer.hears('window|ACK 1')

    for (let i = 0; i < 16; i++) {
      setup.peer.send(data(1, 65_536))
    }

    await turn()
    expect(stream.readBufferLength).to.equal(MIB)
    expect(setup.muxer.status).to.equal('open')
  })

  it('Y5: one send of 8 MiB is frames of maxMessageSize at most', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()

    await turn()
    peer.send(windowUpdate(1, 16 * MIB))
    await turn()
    stream.send(new Uint8Array(8 * MIB))
    await until(() => stream.writeBufferLength === 0)
    await turn()

    const sizes = dataSizes(peer, 1)

    expect(Math.max(...sizes)).to.be.at.most(65_536)
    expect(sizes.reduce((sum, size) => sum + size, 0)).to.equal(8 * MIB)
  })

  it('Y5: maxMessageSize of the options holds', async () => {
    const { muxer, peer } = muxerAndPeer({ options: { maxMessageSize: 4 * KIB } })
    const stream = await muxer.createStream()

    stream.send(new Uint8Array(100 * KIB))
    await turn()

    expect(Math.max(...dataSizes(peer, 1))).to.equal(4 * KIB)
    expect(peer.received(1).byteLength).to.equal(100 * KIB)
  })

  it('Y6: no runt frames: only the last of a window is small, and none is 12 bytes', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()

    stream.send(new Uint8Array(4 * WINDOW))

    for (let round = 0; round < 4; round++) {
      await turn()

      const sizes = dataSizes(peer, 1)

      expect(sizes.reduce((sum, size) => sum + size, 0)).to.equal(WINDOW)
      expect(Math.min(...sizes.slice(0, -1))).to.be.at.least(32 * KIB)
      expect(sizes.at(-1)).to.be.above(12)
      expect(sizes).to.have.length.at.most(5)
      peer.frames.length = 0
      peer.send(windowUpdate(1, WINDOW))
    }
  })

  for (const credit of [1, 11, 12, 13]) {
    it(`Y6: credit of ${credit} is used to the last byte, when no more comes`, async () => {
      const clock = new VirtualClock()
      const { muxer, peer } = muxerAndPeer({ clock })
      const stream = await muxer.createStream()

      stream.send(new Uint8Array(WINDOW + 100))
      await turn()
      peer.send(windowUpdate(1, credit))
      await turn()
      await clock.advance(100)
      await turn()
      expect(peer.received(1).byteLength).to.equal(WINDOW + credit)
    })
  }

  it('Y8: credit is granted on consumption, not on receipt', async () => {
    const setup = muxerAndPeer({ direction: 'inbound', clock: new VirtualClock() })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    for (let i = 0; i < 4; i++) {
      setup.peer.send(data(1, 65_536))
    }

    await turn()
    expect(stream.readBufferLength).to.equal(WINDOW)
    expect(setup.peer.granted(1)).to.equal(0)

    stream.addEventListener('message', () => {})
    await turn()
    expect(stream.readBufferLength).to.equal(0)
    expect(setup.peer.granted(1)).to.equal(WINDOW)
  })

  it('Y9: pause() on a fast stream never resets it, however large its window has grown', async () => {
    const clock = new VirtualClock()
    const setup = muxerAndPeer({ direction: 'inbound', clock })
    const { muxer, peer } = setup
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    let received = 0

    const listener = (event: any): void => { received += event.data.byteLength }

    stream.addEventListener('message', listener)

    // a round trip of 50 ms, and a peer that fills every window within it
    peer.pongs = false

    const pinging = muxer.ping()
    const { length } = await peer.hears('ping|SYN', 0)

    clock.skip(50)
    peer.send(pong(length))
    await pinging

    let sent = 0
    const body = pattern(65_536)

    // as much as the peer may
    const fill = (): void => {
      clock.skip(50)

      for (; WINDOW + peer.granted(1) - sent >= body.byteLength; sent += body.byteLength) {
        peer.send(data(1, body))
      }
    }

    await until(() => stream.stats().receiveWindow === 16 * MIB, fill)

    stream.pause()
    fill()
    await turn()
    expect(stream.readBufferLength).to.be.above(8 * MIB)
    expect(stream.readBufferLength).to.be.at.most(16 * MIB)
    expect(stream.status).to.equal('open')

    stream.resume()
    await turn()
    expect(received).to.equal(sent)
    expect(stream.status).to.equal('open')
  })

  it('Y10: a stream paused before its first frame is acknowledged all the same', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })

    setup.muxer.addEventListener('stream', event => { event.detail.pause() })
    setup.peer.send(windowUpdate(1, 0, SYN))
    expect(await setup.peer.hears('window|ACK 1')).to.have.property('length', 0)
  })

  it('Y10: no more than 256 streams of ours are unacknowledged', async () => {
    const { muxer, peer } = muxerAndPeer()

    await Promise.all(Array.from({ length: 256 }, async () => muxer.createStream()))

    const next = muxer.createStream()

    expect(await outcomeOf(next)).to.equal('pending')
    expect(peer.lines.filter(line => line.startsWith('window|SYN'))).to.have.length(256)
    peer.send(windowUpdate(1, 0, 2))
    expect((await next).id).to.equal('513')
  })

  it('Y11: a keep-alive that is not answered ends the connection with an error', async () => {
    const clock = new VirtualClock()
    const { maConn, muxer, peer } = muxerAndPeer({
      clock,
      peer: { pongs: false },
      options: { enableKeepAlive: true, keepAliveInterval: 30_000, keepAliveTimeout: 10_000 }
    })
    const stream = await muxer.createStream()
    const closed = eventOf(stream, 'close')

    await clock.advance(9_999)
    expect(muxer.status).to.equal('open')
    await clock.advance(1)
    expect(await closed).to.have.nested.property('error.name', 'TimeoutError')
    expect(muxer.status).to.equal('closed')
    expect(maConn.status).to.not.equal('open')
    expect(peer.lines.at(-1)).to.equal('goaway 2')
  })

  it('Y11: as long as they are answered, pings go on at every interval', async () => {
    const clock = new VirtualClock()
    const { muxer, peer } = muxerAndPeer({ clock, options: { enableKeepAlive: true, keepAliveInterval: 30_000 } })

    await clock.advance(30_000 * 25)
    expect(peer.lines.filter(line => line.startsWith('ping|SYN'))).to.have.length(26)
    expect(muxer.status).to.equal('open')
  })

  it('Y12: too many early streams leave no zombie connection', async () => {
    const { maConn, muxer, peer } = muxerAndPeer({ direction: 'inbound', options: { maxEarlyStreams: 2 } })

    peer.send(windowUpdate(1, 0, SYN), windowUpdate(3, 0, SYN), windowUpdate(5, 0, SYN))
    await until(() => maConn.status === 'closed')
    expect(muxer.status).to.equal('closed')
    expect(maConn.listeners).to.equal(0)
  })

  it('Y13: GoAway leaves no open connection, and truncation does not look clean', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 10))
    const closed = eventOf(stream, 'close')

    setup.peer.send(goAway(2))
    expect(await closed).to.have.nested.property('error.name', 'GoAwayError')
    await until(() => setup.maConn.status === 'closed')
  })

  it('Y13: a peer that says GoAway(0) and hangs up cuts what had not ended', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 10))
    const closed = eventOf(stream, 'close')

    setup.peer.send(goAway(0))
    await setup.peer.end.close()
    expect(await closed).to.have.nested.property('error.name', 'ConnectionClosedError')
  })

  it('Y14: abort with any error says GoAway with an internal error, not normal termination', async () => {
    const { maConn, muxer } = muxerAndPeer()

    await turn()
    maConn.sends.length = 0
    muxer.abort(new Error('of any kind'))
    expect(parseFrames(maConn.sent).map(lineOf)).to.deep.equal(['goaway 2'])
  })

  it('Y15: streams with data take turns', async () => {
    const { maConn, muxer, peer } = muxerAndPeer({ link: { capacity: 10_000, manual: true } })
    const streams = [await muxer.createStream(), await muxer.createStream(), await muxer.createStream()]

    await turn()
    maConn.flush()

    for (const stream of streams) {
      stream.send(new Uint8Array(200_000))
    }

    await until(() => streams.every(stream => stream.writeBufferLength === 0), () => { maConn.flush() })
    maConn.flush()

    const ids = peer.frames.filter(frame => frame.type === DATA).map(frame => frame.streamId)

    expect(ids.slice(0, 9)).to.deep.equal([1, 3, 5, 1, 3, 5, 1, 3, 5])
  })

  it('Y16: there are figures to look at', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 1_000))

    stream.send(new Uint8Array(500))
    await turn()
    expect(setup.muxer.stats()).to.deep.include({
      bytesReceived: 1_000,
      bytesSent: 500,
      framesReceived: 2,
      framesSent: 2,
      streamsOpened: { inbound: 1, outbound: 0 },
      streamsActive: { inbound: 1, outbound: 0 }
    })
    expect(stream.stats()).to.deep.include({ bytesReceived: 1_000, bytesSent: 500, sendWindow: WINDOW - 500, receiveWindow: WINDOW })
  })

  it('Y17: the decoder keeps nothing but a cut header: a large frame that comes in pieces is passed on as it comes', async () => {
    // a pong would stand in the middle of the frame
    const setup = muxerAndPeer({ direction: 'inbound', peer: { pongs: false } })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const refs: Array<WeakRef<object>> = []
    let received = 0

    stream.addEventListener('message', event => { received += event.data.byteLength })
    setup.peer.end.send(frame({ type: DATA, streamId: 1, length: WINDOW }))
    await turn()

    for (let i = 0; i < 63; i++) {
      const piece = new Uint8Array(4_096)

      refs.push(new WeakRef(piece.buffer))
      setup.peer.end.send(piece)
      await turn()
    }

    setup.peer.end.sends.length = 0
    expect(received).to.equal(63 * 4_096)
    expect(await countReachable(refs)).to.be.at.most(1)
  })

  it('Y18: when the ids are used up nothing is used twice', () => {
    const client = new StreamTable('client', 5)
    const server = new StreamTable('server', 4)

    expect([client.nextId(), client.nextId(), client.nextId(), client.nextId(), client.nextId()]).to.deep.equal([1, 3, 5, undefined, undefined])
    expect([server.nextId(), server.nextId(), server.nextId()]).to.deep.equal([2, 4, undefined])
  })

  it('Y19: no window update after the FIN of the peer, whatever is read then', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    await setup.peer.hears('window|ACK 1')
    setup.peer.frames.length = 0

    for (let i = 0; i < 4; i++) {
      setup.peer.send(data(1, 65_536))
    }

    setup.peer.send(windowUpdate(1, 0, FIN))
    await until(() => stream.remoteWriteStatus === 'closed')
    stream.addEventListener('message', () => {})
    await until(() => stream.readableEnded)
    await stream.close()
    await turn()
    expect(setup.peer.linesOf(1)).to.deep.equal(['window|FIN 1 +0'])
  })

  it('Y19: nor after our own reset', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 65_536), data(1, 65_536), data(1, 65_536))

    await setup.peer.hears('window|ACK 1')
    setup.peer.frames.length = 0
    stream.addEventListener('message', () => { stream.abort(new Error('no more')) })
    await turn()
    setup.peer.send(data(1, 65_536))
    await turn()
    expect(setup.peer.linesOf(1)).to.deep.equal(['window|RST 1 0'])
  })

  it('Y20: two ends that both think they are clients find out at once, and the error says so', async () => {
    const link = memoryLink()

    Object.defineProperty(link.inbound, 'direction', { value: 'outbound' })

    const one = createMuxer(link.outbound)
    const other = createMuxer(link.inbound)
    const stream = await one.createStream()
    const closed = eventOf(stream, 'close')

    await closed
    expect(one.status).to.equal('closed')
    expect(other.status).to.equal('closed')
    await expect(other.ping()).to.eventually.be.rejectedWith('are both ends clients?')
  })
})
