/** Limits on what a stream keeps: unread bytes and unsent bytes, given as options or set at run time. */
import { expect } from 'aegir/chai'
import { Uint8ArrayList } from 'uint8arraylist'
import { FIN, SYN, data, windowUpdate } from '../support/frames.ts'
import { inboundStream, muxerAndPeer } from '../support/muxers.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { eventOf, noUnhandledRejections, turn } from '../support/waiting.ts'

const MIB = 1_048_576

describe('contract: maxWriteBufferLength', () => {
  noUnhandledRejections()

  it('exceeded after send() returned false, resets the stream with StreamBufferError', async () => {
    const { muxer, peer } = muxerAndPeer({ options: { streamOptions: { maxWriteBufferLength: 500_000 } } })
    const stream = await muxer.createStream()
    const closed = eventOf(stream, 'close')

    expect(stream.send(new Uint8Array(400_000))).to.be.false()
    expect(stream.send(new Uint8Array(100_000))).to.be.false()
    expect(stream.status).to.equal('open')
    expect(stream.send(Uint8Array.of(1))).to.be.false()
    expect(stream.status).to.equal('aborted')

    const { error, local } = await closed

    expect(error).to.have.property('name', 'StreamBufferError')
    expect(error.message).to.include('500001 bytes').and.include('maxWriteBufferLength')
    expect(local).to.be.true()
    await peer.hears('window|RST 1')
  })

  it('counts nothing that is no bytes, which is refused', async () => {
    const { muxer } = muxerAndPeer()
    const stream = await muxer.createStream()

    for (const wrong of ['text', ['text'], 7]) {
      expect(() => stream.send(wrong as any)).to.throw()
    }

    expect(() => stream.send('text' as any)).to.throw().with.property('name', 'InvalidParametersError')
    expect(stream.writeBufferLength).to.equal(0)
    expect(muxer.stats().bytesQueued).to.equal(0)
    expect(stream.send(Uint8Array.of(1))).to.be.true()
  })

  it('does not stand in the way of one large send on a stream with room: no send is dropped that was not warned', async () => {
    const { muxer } = muxerAndPeer({ options: { streamOptions: { maxWriteBufferLength: 500_000 } } })
    const stream = await muxer.createStream()

    expect(stream.send(new Uint8Array(MIB))).to.be.false()
    expect(stream.status).to.equal('open')
  })

  it('lowered at run time, as gossipsub does, holds from then on', async () => {
    const { muxer } = muxerAndPeer()
    const stream = await muxer.createStream()

    expect(stream.maxWriteBufferLength).to.equal(Infinity)
    stream.maxWriteBufferLength = 300_000
    stream.send(new Uint8Array(299_999))
    expect(stream.status).to.equal('open')
    stream.send(new Uint8Array(2))
    expect(stream.status).to.equal('aborted')
  })

  it('set to undefined is no limit', async () => {
    const { muxer } = muxerAndPeer({ options: { streamOptions: { maxWriteBufferLength: 300_000 } } })
    const stream = await muxer.createStream()

    stream.maxWriteBufferLength = undefined
    stream.send(new Uint8Array(300_000))
    stream.send(new Uint8Array(300_000))
    expect(stream.maxWriteBufferLength).to.equal(Infinity)
    expect(stream.status).to.equal('open')
  })

  it('set on one stream does not hold for another', async () => {
    const { muxer } = muxerAndPeer()
    const stream = await muxer.createStream()
    const other = await muxer.createStream()

    stream.maxWriteBufferLength = 1
    expect(other.maxWriteBufferLength).to.equal(Infinity)
  })

  it('of 0: every send waits for its drain', async () => {
    const { muxer } = muxerAndPeer({ options: { streamOptions: { maxWriteBufferLength: 0 } } })
    const stream = await muxer.createStream()

    for (let i = 0; i < 3; i++) {
      expect(stream.send(new Uint8Array(10))).to.be.false()
      await stream.onDrain()
    }

    expect(stream.status).to.equal('open')
  })

  it('exceeded in the middle of a list, drops the rest and throws nothing', async () => {
    const { muxer } = muxerAndPeer({ options: { streamOptions: { maxWriteBufferLength: 300_000 } } })
    const stream = await muxer.createStream()

    stream.send(new Uint8Array(300_000))
    expect(stream.send(new Uint8ArrayList(new Uint8Array(10), new Uint8Array(10)))).to.be.false()
    expect(stream.status).to.equal('aborted')
    expect(stream.writeBufferLength).to.equal(0)
  })
})

describe('contract: writeHighWaterMark', () => {
  noUnhandledRejections()

  it('says when send() returns false, and drain comes when less than half of it is left', async () => {
    const { muxer, peer } = muxerAndPeer({ options: { streamOptions: { writeHighWaterMark: 10_000 } } })
    const stream = await muxer.createStream()

    // the window is used up first
    stream.send(new Uint8Array(262_144))
    await turn()
    expect(stream.send(new Uint8Array(9_999))).to.be.true()
    expect(stream.send(Uint8Array.of(1))).to.be.false()
    peer.send(windowUpdate(1, 4_000))
    await turn()
    expect(stream.writableNeedsDrain).to.be.true()
    peer.send(windowUpdate(1, 1_000))
    await stream.onDrain()
    expect(stream.writeBufferLength).to.equal(5_000)
  })
})

describe('contract: maxReadBufferLength', () => {
  noUnhandledRejections()

  it('holds how far the window grows, so that a paused stream is not reset', async () => {
    const setup = muxerAndPeer({
      direction: 'inbound',
      clock: new VirtualClock(),
      options: { streamOptions: { maxReadBufferLength: 300_000 } }
    })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    expect(stream.maxReadBufferLength).to.equal(300_000)
    stream.pause()

    for (let i = 0; i < 4; i++) {
      setup.peer.send(data(1, 65_536))
    }

    await turn()
    expect(stream.readBufferLength).to.equal(262_144)
    expect(stream.status).to.equal('open')
    expect(setup.peer.granted(1)).to.equal(0)
  })

  it('lowered at run time, holds as soon as what was granted has been read', async () => {
    const setup = muxerAndPeer({ direction: 'inbound', clock: new VirtualClock() })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const body = new Uint8Array(16_384)
    let sent = 0
    let received = 0

    // as much as the peer may
    const fill = async (): Promise<void> => {
      for (let left = 262_144 + setup.peer.granted(1) - sent; left >= body.byteLength; left -= body.byteLength) {
        setup.peer.send(data(1, body))
        sent += body.byteLength
      }

      await turn()
    }

    stream.maxReadBufferLength = 65_536
    await fill()
    expect(stream.readBufferLength).to.equal(262_144, 'what was granted may come')
    expect(stream.status).to.equal('open')

    for (let round = 0; round < 10; round++) {
      for await (const chunk of stream) {
        received += chunk.byteLength

        if (stream.readBufferLength === 0) {
          break
        }
      }

      await fill()
      expect(stream.readBufferLength).to.be.at.most(65_536)
      expect(stream.readBufferLength).to.be.above(0)
    }

    expect(received).to.be.above(262_144)
    expect(stream.stats().receiveWindow).to.equal(65_536)
    expect(stream.status).to.equal('open')
  })
})

describe('contract: what is unread on all streams', () => {
  noUnhandledRejections()

  it('dropped of a stream that is over is an error for its reader, and not an end', async () => {
    const setup = muxerAndPeer({ direction: 'inbound', options: { budgets: { unstartedBytes: 262_144 } } })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const other = await inboundStream(setup, windowUpdate(3, 0, SYN))
    const events: string[] = []

    stream.pause()
    other.pause()
    await Promise.all([stream.close(), other.close()])

    setup.peer.send(data(1, 100_000, FIN), data(3, 50_000, FIN))
    await turn()

    for (const type of ['message', 'end', 'close'] as const) {
      stream.addEventListener(type, (event: any) => { events.push(`${type} ${event.error?.name ?? ''}`) })
    }

    expect([stream.status, stream.readBufferLength]).to.deep.equal(['closed', 100_000])

    const last = await inboundStream(setup, windowUpdate(5, 0, SYN))

    last.pause()
    setup.peer.send(data(5, 200_000))
    await turn()

    expect(events).to.deep.equal(['end ', 'close StreamBufferError'])
    expect([stream.status, stream.readStatus, stream.readBufferLength]).to.deep.equal(['aborted', 'closed', 0])
    await expect(stream.read()).to.eventually.be.rejectedWith('option budgets.unstartedBytes').with.property('name', 'StreamBufferError')
    expect([other.readBufferLength, last.readBufferLength]).to.deep.equal([50_000, 200_000])
    expect(await other.read({ bytes: 50_000 })).to.have.lengthOf(50_000)
  })

  it('of a stream that is over goes when it is reset', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const ended = eventOf(stream, 'end')

    stream.pause()
    await stream.close()
    setup.peer.send(data(1, 1_000, FIN))
    await turn()
    stream.reset(7)
    await ended
    expect(stream.readBufferLength).to.equal(0)
    await expect(stream.read()).to.eventually.be.rejected.with.property('code', 7)
    await turn()
    expect(setup.peer.linesOf(1)).to.not.include('window|RST 1 7')
  })
})
