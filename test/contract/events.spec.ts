/** Which events a stream dispatches, in which order, and what they say. */
import { expect } from 'aegir/chai'
import { FIN, RST, SYN, data, windowUpdate } from '../support/frames.ts'
import { inboundStream, muxedPair, muxerAndPeer, openPair } from '../support/muxers.ts'
import { eventOf, noUnhandledRejections, recordEvents, turn, until } from '../support/waiting.ts'
import type { MuxedStream } from '../../src/connection/stream.ts'
import type { StreamCloseEvent } from '@libp2p/interface'

function eventsOf (stream: MuxedStream): string[] {
  return recordEvents(stream, ['message', 'remoteCloseWrite', 'end', 'drain', 'idle', 'close'], event => {
    if (event.type === 'message') {
      return `message ${event.data.byteLength}`
    }

    return event.type === 'close' ? `close ${event.local} ${event.error?.name}` : event.type
  })
}

describe('contract: events', () => {
  noUnhandledRejections()

  it('data and FIN in one delivery: message, remoteCloseWrite, end', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const events = eventsOf(stream)

    setup.peer.send(data(1, 10), windowUpdate(1, 0, FIN))
    await turn()
    expect(events).to.deep.equal(['message 10', 'remoteCloseWrite', 'end'])
  })

  it('data and FIN one after the other: message, remoteCloseWrite, end', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const events = eventsOf(stream)

    setup.peer.send(data(1, 10))
    await turn()
    setup.peer.send(windowUpdate(1, 0, FIN))
    await turn()
    expect(events).to.deep.equal(['message 10', 'remoteCloseWrite', 'end'])
  })

  it('FIN while paused: remoteCloseWrite, then the message and end after resume()', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const events = eventsOf(stream)

    stream.pause()
    setup.peer.send(data(1, 10), windowUpdate(1, 0, FIN))
    await turn()
    expect(events).to.deep.equal(['remoteCloseWrite'])
    expect(stream.readableEnded).to.be.false()

    // in the same tick, as libp2p's own streams
    stream.resume()
    expect(events).to.deep.equal(['remoteCloseWrite', 'message 10', 'end'])
    expect(stream.readableEnded).to.be.true()
  })

  it('both ends closed: close comes last, without an error', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const events = eventsOf(stream)

    setup.peer.send(data(1, 10), windowUpdate(1, 0, FIN))
    await turn()
    await stream.close()
    await turn()
    expect(events).to.deep.equal(['message 10', 'remoteCloseWrite', 'end', 'close undefined undefined'])
  })

  it('the remote closes after we did: remoteCloseWrite, end, close', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const events = eventsOf(stream)

    await stream.close()
    setup.peer.send(windowUpdate(1, 0, FIN))
    await turn()
    expect(events).to.deep.equal(['remoteCloseWrite', 'end', 'close undefined undefined'])
  })

  it('the remote closes after we did, with data: the stream is closed, what is unread is delivered when somebody listens', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const closed = recordEvents(stream, ['remoteCloseWrite', 'end', 'close'])

    await stream.close()
    setup.peer.send(data(1, 10, FIN))
    await turn()
    expect(closed).to.deep.equal(['remoteCloseWrite', 'close'])

    const events = eventsOf(stream)

    await turn()
    expect(events).to.deep.equal(['message 10', 'end'])
  })

  it('an abort of ours: end, close with the error, local', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 10))
    const error = new Error('enough')
    const closed = eventOf<StreamCloseEvent>(stream, 'close')

    stream.pause()

    const events = eventsOf(stream)

    stream.abort(error)
    await turn()
    expect(events).to.deep.equal(['end', 'close true Error'])
    expect((await closed).error).to.equal(error)
  })

  it('an abort of ours with unsent data: idle comes first', async () => {
    const { muxer } = muxerAndPeer()
    const stream = await muxer.createStream()

    stream.send(new Uint8Array(300_000))
    await turn()

    const events = eventsOf(stream)

    stream.abort(new Error('enough'))
    await turn()
    expect(events).to.deep.equal(['idle', 'end', 'close true Error'])
  })

  it('a reset by the remote: end, close with StreamResetError, not local', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const events = eventsOf(stream)
    const closed = eventOf<StreamCloseEvent>(stream, 'close')

    setup.peer.send(windowUpdate(1, 4_711, RST))
    await turn()
    expect(events).to.deep.equal(['end', 'close false StreamResetError'])
    expect((await closed).error).to.include({ scope: 'stream', origin: 'remote', code: 4_711 })
  })

  it('a reset by the remote with unread data: close, and end only when it was read', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    stream.pause()

    const events = eventsOf(stream)

    setup.peer.send(data(1, 10), windowUpdate(1, 0, RST))
    await turn()
    expect(events).to.deep.equal(['close false StreamResetError'])
    stream.resume()
    expect(events).to.deep.equal(['close false StreamResetError', 'message 10', 'end'])
  })

  it('data and reset in one delivery: the data is delivered first', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const events = eventsOf(stream)

    setup.peer.send(data(1, 10), windowUpdate(1, 0, RST))
    await turn()
    expect(events).to.deep.equal(['message 10', 'end', 'close false StreamResetError'])
  })

  it('the transport is cut: end, close with ConnectionClosedError, not local', async () => {
    const { link, muxer } = muxerAndPeer()
    const stream = await muxer.createStream()
    const events = eventsOf(stream)

    link.cut(new Error('ECONNRESET'))
    await turn()
    expect(events).to.deep.equal(['end', 'close false ConnectionClosedError'])
  })

  it('our closeRead(): end, at once, and only once', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 10))

    await turn()

    const events = recordEvents(stream, ['end', 'remoteCloseWrite', 'close'])

    await stream.closeRead()
    expect(events).to.deep.equal(['end'])
    setup.peer.send(windowUpdate(1, 0, FIN))
    await stream.close()
    await turn()
    expect(events).to.deep.equal(['end', 'remoteCloseWrite', 'close'])
  })

  it('a small send: idle once it was handed to the transport, no drain', async () => {
    const { muxer } = muxerAndPeer()
    const stream = await muxer.createStream()
    const events = eventsOf(stream)

    expect(stream.send(new Uint8Array(10))).to.be.true()
    expect(events).to.deep.equal([])
    await turn()
    expect(events).to.deep.equal(['idle'])
  })

  it('a send beyond the high-water mark: one drain when there is room again, idle when nothing is left', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()
    const events = eventsOf(stream)

    expect(stream.send(new Uint8Array(524_288))).to.be.false()
    await turn()
    expect(events).to.deep.equal([])
    expect(stream.writableNeedsDrain).to.be.true()

    peer.send(windowUpdate(1, 200_000))
    await turn()
    expect(events).to.deep.equal(['drain'])
    expect(stream.writableNeedsDrain).to.be.false()

    peer.send(windowUpdate(1, 200_000))
    await turn()
    expect(events).to.deep.equal(['drain', 'idle'])
  })

  it('no drain when the listener of idle has filled the queue again', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()

    stream.addEventListener('idle', () => { stream.send(new Uint8Array(524_288)) }, { once: true })

    const events = recordEvents(stream, ['drain'])

    stream.send(new Uint8Array(262_144))
    await turn()
    expect(stream.writableNeedsDrain).to.be.true()
    expect(events).to.deep.equal([])
    peer.send(windowUpdate(1, 524_288))
    await turn()
    expect(events).to.deep.equal(['drain'])
  })

  it('the muxer closes: the streams of the remote end without an error once both have closed', async () => {
    const pair = muxedPair()
    const [, inbound] = await openPair(pair)
    const events = eventsOf(inbound)

    inbound.addEventListener('remoteCloseWrite', () => { inbound.close().catch(() => {}) })
    await pair.dialer.close()
    await until(() => inbound.status === 'closed')
    expect(events).to.deep.equal(['remoteCloseWrite', 'end', 'close undefined undefined'])
  })

  it('an early stream is announced before any event of its own', async () => {
    const { muxer, peer } = muxerAndPeer({ direction: 'inbound' })
    const events: string[] = []

    peer.send(windowUpdate(1, 0, SYN), data(1, 10), windowUpdate(1, 0, FIN))
    await turn()
    muxer.addEventListener('stream', event => {
      events.push('stream')
      event.detail.addEventListener('message', message => { events.push(`message ${message.data.byteLength}`) })
      event.detail.addEventListener('end', () => { events.push('end') })
    })
    await turn()
    expect(events).to.deep.equal(['stream', 'message 10', 'end'])
  })

  it('what came with the SYN is delivered to a listener that is attached when the stream is announced', async () => {
    const { muxer, peer } = muxerAndPeer({ direction: 'inbound' })
    const events: string[] = []

    muxer.addEventListener('stream', event => {
      recordEvents(event.detail, ['message', 'remoteCloseWrite', 'end'], ({ type }) => {
        events.push(type)

        return type
      })
    })
    peer.send(windowUpdate(1, 0, SYN), data(1, 10), windowUpdate(1, 0, FIN))
    await turn()
    expect(events).to.deep.equal(['message', 'remoteCloseWrite', 'end'])
  })
})
