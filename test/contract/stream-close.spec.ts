/** The ways in which an application ends a stream: `close()`, `closeRead()`, `abort()`. */
import { expect } from 'aegir/chai'
import { FIN, RST, SYN, data, pattern, windowUpdate } from '../support/frames.ts'
import { inboundStream, muxerAndPeer } from '../support/muxers.ts'
import { eventOf, noUnhandledRejections, outcomeOf, turn, until } from '../support/waiting.ts'

describe('contract: ending a stream', () => {
  noUnhandledRejections()

  it('close() delivers what is queued, FIN behind it', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()
    const bytes = pattern(1_000_000)

    stream.send(bytes)

    const closing = stream.close()

    expect(await outcomeOf(closing)).to.equal('pending')

    for (let i = 0; i < 10; i++) {
      peer.send(windowUpdate(1, 100_000))
      await turn()
    }

    await closing
    await turn()
    expect(peer.received(1)).to.deep.equal(bytes)
    expect(peer.linesOf(1).at(-1)).to.equal('window|FIN 1 +0')
  })

  it('close() of a stream on which nothing was written says so', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()

    await stream.close()
    await turn()
    expect(peer.lines).to.deep.equal(['window|SYN 1 +0', 'window|FIN 1 +0'])
  })

  it('close() a second time is fine, before and after', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()

    await Promise.all([stream.close(), stream.close()])
    await stream.close()
    await turn()
    expect(peer.linesOf(1)).to.deep.equal(['window|SYN 1 +0', 'window|FIN 1 +0'])
  })

  it('close() of a stream that was reset or aborted is fine: there is nothing left to end', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()
    const other = await muxer.createStream()

    peer.send(windowUpdate(1, 0, RST))
    await turn()
    await stream.close()
    other.abort(new Error('enough'))
    await other.close()
    expect(stream.status).to.equal('reset')
    expect(other.status).to.equal('aborted')
  })

  it('close() given up by its signal goes on: the FIN follows when there is credit', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()
    const controller = new AbortController()

    stream.send(new Uint8Array(300_000))
    await turn()

    const closing = stream.close({ signal: controller.signal })

    closing.catch(() => {})
    controller.abort()
    await expect(closing).to.eventually.be.rejected.with.property('name', 'AbortError')
    peer.send(windowUpdate(1, 100_000))
    await until(() => stream.writeStatus === 'closed')
    expect(peer.linesOf(1).at(-1)).to.equal('window|FIN 1 +0')
  })

  for (const [name, end] of [
    ['closing', async (stream: any) => { stream.send(new Uint8Array(300_000)); stream.close().catch(() => {}) }],
    ['closed', async (stream: any) => stream.close()],
    ['aborted', async (stream: any) => { stream.abort(new Error('enough')) }]
  ] as const) {
    it(`send() on a stream that is ${name} throws StreamStateError`, async () => {
      const { muxer } = muxerAndPeer()
      const stream = await muxer.createStream()

      await end(stream)
      expect(() => stream.send(Uint8Array.of(1))).to.throw().with.property('name', 'StreamStateError')
      muxer.abort(new Error('done'))
    })
  }

  it('send() on a stream that the peer has reset throws StreamStateError', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()

    peer.send(windowUpdate(1, 0, RST))
    await turn()
    expect(() => stream.send(Uint8Array.of(1))).to.throw().with.property('name', 'StreamStateError')
  })

  it('onDrain() of a stream that is over rejects', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()

    await stream.close()
    peer.send(windowUpdate(1, 0, FIN))
    await until(() => stream.status === 'closed')
    await expect(stream.onDrain()).to.eventually.be.rejected.with.property('name', 'StreamStateError')
  })

  it('abort() discards what is unsent and unread, and tells the peer by an RST alone', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 1_000))

    await turn()
    setup.peer.frames.length = 0
    stream.send(new Uint8Array(1_000))
    stream.close().catch(() => {})
    stream.abort(new Error('enough'))
    await turn()
    expect(setup.peer.linesOf(1)).to.deep.equal(['window|RST 1 0'])
    expect(stream.readBufferLength).to.equal(0)
    expect(stream.writeBufferLength).to.equal(0)
  })

  it('abort() a second time, or of a stream that is over, changes nothing', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()
    const closed = eventOf(stream, 'close')

    stream.abort(new Error('first'))
    stream.abort(new Error('second'))
    expect((await closed).error).to.have.property('message', 'first')

    const other = await muxer.createStream()

    await other.close()
    peer.send(windowUpdate(3, 0, FIN))
    await until(() => other.status === 'closed')
    other.abort(new Error('too late'))
    await turn()
    expect(other.status).to.equal('closed')
    expect(peer.lines).to.not.include('window|RST 3 0')
  })

  it('closeRead() drops what is unread and what comes; our own half goes on', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 1_000))
    let received = 0

    await stream.closeRead()
    await stream.closeRead()
    stream.addEventListener('message', event => { received += event.data.byteLength })
    setup.peer.send(data(1, 1_000))
    stream.send(pattern(10))
    await turn()
    expect(received).to.equal(0)
    expect(stream.readBufferLength).to.equal(0)
    expect(setup.peer.received(1)).to.deep.equal(pattern(10))
  })

  it('closeRead() does not leave the writer of the peer without credit', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    for (let i = 0; i < 4; i++) {
      setup.peer.send(data(1, 65_536))
    }

    await turn()
    await stream.closeRead()
    await turn()
    expect(setup.peer.granted(1)).to.equal(262_144)
  })

  it('closeRead() after close(): data of the peer is answered by an RST', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    await stream.close()
    await stream.closeRead()
    await turn()
    expect(stream.status).to.equal('open')
    setup.peer.send(data(1, 10))
    await until(() => stream.status !== 'open')
    await turn()
    expect(setup.peer.linesOf(1).at(-1)).to.equal('window|RST 1 0')
    expect(stream.status).to.equal('closed')
  })

  it('closeRead() of a stream that is over is fine', async () => {
    const { muxer } = muxerAndPeer()
    const stream = await muxer.createStream()

    stream.abort(new Error('enough'))
    await stream.closeRead()
    await turn()
    expect(stream.status).to.equal('aborted')
  })

  it('pause() and resume() of a stream that reads no more throw StreamStateError', async () => {
    const { muxer } = muxerAndPeer()
    const stream = await muxer.createStream()

    await stream.closeRead()
    expect(() => { stream.pause() }).to.throw().with.property('name', 'StreamStateError')
    expect(() => { stream.resume() }).to.throw().with.property('name', 'StreamStateError')
  })
})
