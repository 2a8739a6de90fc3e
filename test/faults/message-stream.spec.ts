/**
 * The faults of `AbstractMessageStream` and of what is built on it (@libp2p/utils 7.4.1), and that our streams do not
 * have them. Each test is named after the fault.
 */
import { byteStream } from '@libp2p/utils'
import { expect } from 'aegir/chai'
import all from 'it-all'
import { Uint8ArrayList } from 'uint8arraylist'
import { FIN, SYN, data, pattern, windowUpdate } from '../support/frames.ts'
import { inboundStream, muxedPair, muxerAndPeer, openPair } from '../support/muxers.ts'
import { eventOf, noUnhandledRejections, outcomeOf, recordEvents, turn, uncaughtDuring, until } from '../support/waiting.ts'

const MIB = 1_048_576

describe('faults: AbstractMessageStream', () => {
  noUnhandledRejections()

  it('A1: onDrain() waits every time, not only the first', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()
    const chunk = new Uint8Array(262_144)

    for (let round = 0; round < 3; round++) {
      expect(stream.send(chunk)).to.be.false()

      if (round > 0) {
        // the first window is for the first chunk: from then on only credit makes room
        const drained = stream.onDrain()

        expect(await outcomeOf(drained)).to.equal('pending')
        expect(stream.writableNeedsDrain).to.be.true()
        peer.send(windowUpdate(1, chunk.byteLength))
        await drained
      } else {
        await stream.onDrain()
      }

      expect(stream.writableNeedsDrain).to.be.false()
    }

    await muxer.close()
  })

  it('A2: for await has backpressure: a slow consumer holds its window while the sender has 64 MiB to send', async () => {
    const pair = muxedPair({ link: { record: false }, options: { streamOptions: { maxStreamWindowSize: 262_144 } } })
    const [outbound, inbound] = await openPair(pair)
    const total = 64 * MIB
    let sent = 0
    let taken = 0

    const writing = (async () => {
      while (sent < total) {
        sent += 65_536

        if (!outbound.send(new Uint8Array(65_536))) {
          await outbound.onDrain()
        }
      }

      await outbound.close()
    })()

    for await (const chunk of inbound) {
      taken += chunk.byteLength
      await turn()
      expect(inbound.readBufferLength).to.be.at.most(262_144)
      // the windows, what the writer may queue, and the chunk in hand
      expect(sent - taken).to.be.at.most(262_144 + 262_144 + 65_536)

      if (taken >= 8 * MIB) {
        break
      }
    }

    expect(taken).to.be.at.least(8 * MIB)
    outbound.abort(new Error('seen enough'))
    await expect(writing).to.eventually.be.rejectedWith('seen enough')
  })

  it('A3: an iterator over a paused stream loses nothing when the remote closes', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    stream.pause()

    const reading = all(stream)

    setup.peer.send(data(1, 1_000), windowUpdate(1, 0, FIN))

    const received = new Uint8ArrayList(...await reading)

    expect(received.subarray()).to.deep.equal(pattern(1_000))
  })

  it('A4: an iterator attached after the FIN of the remote delivers the bytes and ends', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 1_000), windowUpdate(1, 0, FIN))

    await until(() => stream.remoteWriteStatus === 'closed')

    const received = new Uint8ArrayList(...await all(stream))

    expect(received.subarray()).to.deep.equal(pattern(1_000))
    expect(stream.status).to.equal('open', 'our own half is still ours')
  })

  // byteStream buffers up to 4 MiB of what it is given and never pauses: that is in @libp2p/utils, out of our reach. What
  // is ours is that whoever reads by iterator, or pauses, is not forced into it
  it('A5: a stream that nobody reads is not aborted, as byteStream would at 4 MiB: it keeps its window, and the sender waits', async () => {
    const pair = muxedPair()
    const [outbound, inbound] = await openPair(pair)

    expect(outbound.send(new Uint8Array(8 * MIB))).to.be.false()
    await turn()

    expect(inbound.readBufferLength).to.equal(262_144)
    expect(outbound.writeBufferLength).to.equal(8 * MIB - 262_144)

    const bytes = byteStream(inbound)
    const received = await bytes.read({ bytes: 8 * MIB / 4 })

    expect(received.byteLength).to.equal(2 * MIB)
    expect(inbound.status).to.equal('open')
  })

  it('A6: the error of the transport reaches every stream: truncation does not look like a clean close', async () => {
    const { link, muxer } = muxerAndPeer()
    const stream = await muxer.createStream()
    const closed = eventOf(stream, 'close')

    link.cut(new Error('ECONNRESET'))

    const event = await closed

    expect(event.error).to.have.property('name', 'ConnectionClosedError')
    expect(event.error).to.have.nested.property('cause.message', 'ECONNRESET')
    await expect(all(stream)).to.eventually.be.rejected.with.property('name', 'ConnectionClosedError')
  })

  it('A6: also when the transport ends cleanly while a stream has not', async () => {
    const { link, muxer } = muxerAndPeer()
    const stream = await muxer.createStream()
    const closed = eventOf(stream, 'close')

    link.cut()

    expect((await closed).error).to.have.property('name', 'ConnectionClosedError')
  })

  it('A8: after a close() that a blocked writer held up, abort() still ends everything', async () => {
    const { muxer, maConn } = muxerAndPeer()
    const stream = await muxer.createStream()
    const closed = eventOf(stream, 'close')

    // more than the window, which the peer never widens
    stream.send(new Uint8Array(MIB))
    await turn()

    await expect(muxer.close({ signal: AbortSignal.abort(new Error('not in time')) })).to.eventually.be.rejectedWith('not in time')
    expect(muxer.status).to.equal('closing')
    expect(stream.status).to.equal('open')

    muxer.abort(new Error('enough'))

    expect(muxer.status).to.equal('closed')
    expect(stream.status).to.equal('aborted')
    expect(await closed).to.have.nested.property('error.message', 'enough')
    expect(maConn.status).to.equal('aborted')
  })

  it('A8: after a close() of a stream that ran into its signal, abort() still ends the stream', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()

    stream.send(new Uint8Array(MIB))
    await turn()
    await expect(stream.close({ signal: AbortSignal.abort(new Error('not in time')) })).to.eventually.be.rejectedWith('not in time')
    expect(stream.writeStatus).to.equal('closing')

    const closed = eventOf(stream, 'close')

    stream.abort(new Error('enough'))
    expect(await closed).to.have.property('local', true)
    await peer.hears('window|RST 1')
    expect(stream).to.have.property('status', 'aborted')
  })

  it('A11: bytes that are pushed back are delivered in a microtask, and never after the stream is over', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const events = recordEvents(stream, ['message', 'end', 'close'])

    stream.push(Uint8Array.of(1))
    await Promise.resolve()
    expect(events).to.deep.equal(['message'])

    stream.unshift(Uint8Array.of(2))
    stream.abort(new Error('over'))
    await turn()
    expect(events).to.deep.equal(['message', 'end', 'close'])
  })

  // noise's own buffer has no limit, out of our reach: what is ours is never to give it more once it has said no
  it('A12: nothing is handed to a transport that said it is full, control frames included', async () => {
    const { maConn, muxer, peer } = muxerAndPeer({ link: { capacity: 1_000, manual: true } })
    const stream = await muxer.createStream()

    await turn()
    maConn.flush()
    stream.send(new Uint8Array(200_000))
    await turn()
    expect(maConn.writableNeedsDrain).to.be.true()

    const { sendCalls } = maConn

    muxer.addEventListener('stream', () => {})

    // streams to acknowledge, one to open, a ping, more data
    for (let id = 0; id < 100; id++) {
      peer.send(windowUpdate(2 + 2 * id, 0, SYN))
    }

    peer.end.flush()
    await muxer.createStream()
    stream.send(new Uint8Array(200_000))
    muxer.ping().catch(() => {})
    await turn()

    expect(maConn.sendCalls).to.equal(sendCalls)
    expect(maConn.sendsWhileFull).to.equal(0)
    muxer.abort(new Error('done'))
  })

  it('A12: what is written after false is bounded by maxWriteBufferLength', async () => {
    const { muxer } = muxerAndPeer({ options: { streamOptions: { maxWriteBufferLength: MIB } } })
    const stream = await muxer.createStream()
    const closed = eventOf(stream, 'close')
    let sent = 0

    while (stream.status === 'open') {
      stream.send(new Uint8Array(65_536))
      sent += 65_536
    }

    expect(sent).to.be.at.most(MIB + 65_536)
    expect(await closed).to.have.nested.property('error.name', 'StreamBufferError')
    expect(stream.writeBufferLength).to.equal(0)
  })

  it('A13: a stream that the peer resets while a full transport drains throws nothing out of our microtasks', async () => {
    const { maConn, muxer, peer } = muxerAndPeer({ link: { capacity: 1_000, manual: true } })

    const errors = await uncaughtDuring(async () => {
      const stream = await muxer.createStream()

      stream.send(new Uint8Array(400_000))
      await turn()

      const closed = stream.close()

      closed.catch(() => {})
      peer.send(windowUpdate(1, 7, 8))
      peer.end.flush()
      maConn.flush()
      await turn()
      maConn.flush()
      await expect(closed).to.eventually.be.rejected.with.property('name', 'StreamResetError')
    })

    expect(errors).to.deep.equal([])
  })
})
