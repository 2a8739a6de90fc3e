import { getEventListeners } from 'node:events'
import { mplex } from '@libp2p/mplex'
import { yamux } from '@libp2p/yamux'
import { expect } from 'aegir/chai'
import { Uint8ArrayList } from 'uint8arraylist'
import { muxedConnection } from '../../../src/index.ts'
import { StreamResetError } from '../../../src/interface/errors.ts'
import { isMuxedStream } from '../../../src/interface/muxer.ts'
import { yamux as ourYamux } from '../../../src/yamux.ts'
import { goAway } from '../../support/frames.ts'
import { memoryLink } from '../../support/memory-link.ts'
import { eventOf, noUnhandledRejections, outcomeOf, recordEvents, turn, uncaughtDuring, until } from '../../support/waiting.ts'
import type { ForeignOptions } from '../../../src/index.ts'
import type { MuxedConnection, MuxedStream } from '../../../src/interface/muxer.ts'
import type { MemoryLink } from '../../support/memory-link.ts'
import type { Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'

interface Half {
  link: MemoryLink
  connection: MuxedConnection
  muxer: StreamMuxer

  /** The peer, as libp2p has it. */
  peer: StreamMuxer
}

function half (factory: StreamMuxerFactory = yamux({ enableKeepAlive: false })(), options: ForeignOptions = {}): Half {
  const link = memoryLink()
  const muxer = factory.createStreamMuxer(link.outbound)

  return {
    link,
    muxer,
    connection: muxedConnection(muxer, { secured: link.outbound, ...options }),
    peer: factory.createStreamMuxer(link.inbound)
  }
}

async function streamPair ({ connection, peer }: Half): Promise<[MuxedStream, Stream]> {
  const inbound = eventOf<CustomEvent<Stream>>(peer, 'stream')
  const ours = await connection.newStream()

  return [ours, (await inbound).detail]
}

const KIB = 1_024

describe('connection: a foreign muxer', () => {
  noUnhandledRejections()

  it('gives streams with the whole surface', async () => {
    const [ours, theirs] = await streamPair(half())

    expect(isMuxedStream(ours)).to.be.true()
    expect(isMuxedStream(theirs)).to.be.false()
    ours.protocol = '/chat/1.0.0'
    expect(ours).to.include({ protocol: '/chat/1.0.0', direction: 'outbound', status: 'open', readStatus: 'readable', writeStatus: 'writable' })
  })

  for (const [name, factory] of Object.entries({ mplex: mplex()(), yamux: yamux({ enableKeepAlive: false })() })) {
    it(`takes no stream for whole that the peer of ${name} had reset before anybody listened`, async () => {
      const link = memoryLink()
      const muxer = factory.createStreamMuxer(link.inbound)
      const early = await factory.createStreamMuxer(link.outbound).createStream()

      early.send(Uint8Array.of(1, 2, 3))
      await until(() => muxer.streams.length === 1)

      const [held] = muxer.streams

      early.abort(new Error('given up'))
      await until(() => held.status === 'reset')

      const connection = muxedConnection(muxer)

      await until(() => connection.stats().streamsReset.remote === 1)
      // as with our own: of what is over only what is whole is given to who asks
      await connection.close()
      expect(await outcomeOf(connection.acceptStream())).to.include({ name: 'MuxerClosedError' })
    })

    it(`takes no stream of ${name} for whole that was cut before it came to us`, async () => {
      const link = memoryLink()
      const muxer = factory.createStreamMuxer(link.outbound)
      const connection = muxedConnection(muxer, { secured: link.outbound })

      factory.createStreamMuxer(link.inbound)

      const create = muxer.createStream.bind(muxer)

      muxer.createStream = async options => {
        const inner = await create(options)

        await turn()
        link.outbound.abort(new Error('cut'))

        return inner
      }

      const stream = await connection.newStream()
      const controller = new AbortController()

      for (const type of ['close', 'end']) {
        stream.addEventListener(type as 'close', () => {}, { signal: controller.signal })
      }

      expect([stream.status, stream.readStatus]).to.deep.equal(['reset', 'closed'])
      expect(await outcomeOf(stream.read())).to.include({ name: 'ConnectionClosedError', origin: 'transport' })
      expect(getEventListeners(controller.signal, 'abort')).to.be.empty()
    })

    it(`tells of streams of ${name} that are aborted with its muxer, by whatever error, as aborted`, async () => {
      const setup = half(factory)
      const [ours] = await streamPair(setup)

      setup.muxer.abort(new StreamResetError('of another connection', { origin: 'remote', code: 7 }))
      expect(ours.status).to.equal('aborted')
      expect(ours.stats().reset).to.deep.equal({ by: 'local' })
    })

    it(`takes no stream for whole that the peer of ${name} resets before it is told of`, async () => {
      const link = memoryLink()
      const muxer = factory.createStreamMuxer(link.inbound)
      const connection = muxedConnection(muxer)
      const peer = factory.createStreamMuxer(link.outbound)
      const first = await peer.createStream()
      const held = connection.acceptStream()

      first.send(Uint8Array.of(1, 2, 3))

      const accepted = await held
      const controller = new AbortController()

      first.abort(new Error('given up'))
      await until(() => accepted.status === 'reset')
      accepted.addEventListener('close', () => {}, { signal: controller.signal })
      expect([accepted.readStatus, accepted.readBufferLength]).to.deep.equal(['closed', 0])
      expect(accepted.stats().reset).to.deep.equal({ by: 'remote' })
      expect(await outcomeOf(accepted.read())).to.include({ name: 'StreamResetError', origin: 'remote' })
      expect(getEventListeners(controller.signal, 'abort')).to.be.empty()
    })
  }

  it('gives the streams that it held before anybody listened', async () => {
    const link = memoryLink()
    const factory = mplex()()
    const muxer = factory.createStreamMuxer(link.inbound)
    const peer = factory.createStreamMuxer(link.outbound)
    const early = await peer.createStream()

    early.send(Uint8Array.of(1, 2, 3))
    await until(() => muxer.streams.length === 1)

    const accepted = await muxedConnection(muxer).acceptStream()

    expect([...await accepted.read({ bytes: 3 })]).to.deep.equal([1, 2, 3])
  })

  it('keeps no buffer for the little of it that is unread', async () => {
    const [ours, theirs] = await streamPair(half(mplex()()))
    const buffers: ArrayBufferLike[] = []

    for (let i = 0; i < 100; i++) {
      theirs.send(new Uint8Array(64 * KIB).subarray(0, 1))
    }

    await until(() => ours.readBufferLength === 100)
    ours.addEventListener('message', event => { buffers.push(...[...event.data as Uint8ArrayList].map(({ buffer }) => buffer)) })
    await until(() => buffers.length > 0)
    expect(buffers.reduce((sum, { byteLength }) => sum + byteLength, 0)).to.be.below(4 * KIB)
  })

  it('over a muxer of ours: leaves what the peer had ended before a cut, and says what it was', async () => {
    const there = half(ourYamux({ enableKeepAlive: false })())
    const [first, second] = [await there.peer.createStream(), await there.peer.createStream()]

    for (const stream of [first, second]) {
      stream.send(Uint8Array.of(1, 2, 3))
      await stream.close()
    }

    await until(() => there.connection.stats().streamsActive.inbound === 2)

    const held = await there.connection.acceptStream()

    there.link.cut(new Error('the cable was cut'))
    await until(() => there.connection.status === 'closed')

    for (const stream of [held, await there.connection.acceptStream()]) {
      expect([...await stream.read({ bytes: 3 })]).to.deep.equal([1, 2, 3])
      expect(await stream.read()).to.be.null()
      expect(stream.stats().reset).to.include({ by: 'transport' })
    }
  })

  for (const how of ['listener', 'reads'] as const) {
    it(`hands over all that the peer had sent and ended before a cut, though the muxer was paused and cannot tell the peer any more: ${how}`, async () => {
      const there = half(undefined, { readHighWaterMark: 64 * KIB })
      const [ours, theirs] = await streamPair(there)
      let received = 0

      for (let i = 0; i < 4; i++) {
        theirs.send(new Uint8Array(60 * KIB))
        await turn()
      }

      await theirs.close()
      await until(() => ours.remoteWriteStatus === 'closed')
      there.link.cut(new Error('the cable was cut'))
      await until(() => ours.status !== 'open')

      const errors = await uncaughtDuring(async () => {
        if (how === 'listener') {
          const ended = eventOf(ours, 'end')

          ours.addEventListener('message', event => { received += event.data.byteLength })
          await ended
        } else {
          for (let data = await ours.read(); data !== null; data = await ours.read()) {
            received += data.byteLength
          }
        }
      })

      expect(errors).to.deep.equal([])
      expect(received).to.equal(240 * KIB)
    })
  }

  it('has the end told, and nothing unread, once it was reset while the muxer was paused', async () => {
    const [ours, theirs] = await streamPair(half(undefined, { readHighWaterMark: KIB }))
    const ended = eventOf(ours, 'end')

    for (let i = 0; i < 4; i++) {
      theirs.send(new Uint8Array(10 * KIB))
      await turn()
    }

    theirs.abort(new Error('enough'))
    await ended
    expect(ours).to.include({ readBufferLength: 0, readStatus: 'closed' })
  })

  it('takes nothing back where nothing is left, however much waits', async () => {
    const [ours, theirs] = await streamPair(half(mplex()()))

    for (let i = 0; i < 40; i++) {
      theirs.send(new Uint8Array(100))
      await turn()
    }

    await ours.read({ bytes: 10 })
    ours.unshift(new Uint8ArrayList())
    ours.push(new Uint8Array(0))
    expect(ours.readBufferLength).to.equal(3_990)
  })

  it('notices a GoAway with an error while no stream is open, whoever waits', async () => {
    const there = half()
    const listeners = there.link.outbound.listenerCount('message')
    const waiting = [there.connection.acceptStream(), there.connection.ping()].map(outcomeOf)

    there.link.inbound.send(goAway(2))

    for (const outcome of await Promise.all(waiting)) {
      expect(outcome).to.have.property('name', 'MuxerClosedError')
    }

    expect(there.link.outbound.listenerCount('message')).to.equal(listeners - 1)
  })

  it('is told who is on either side, and shows it', () => {
    const { connection } = half(undefined, { localPeer: 'us' as any, remotePeer: 'them' as any, remoteAddress: 'there' as any })

    expect(connection).to.include({ protocol: '/yamux/1.0.0', localPeer: 'us', remotePeer: 'them', remoteAddress: 'there', localAddress: undefined })
  })

  it('is paused while too much is unread, and resumed when half of it was read', async () => {
    const there = half(undefined, { readHighWaterMark: 64 * KIB })
    const [ours, theirs] = await streamPair(there)
    const inner = there.muxer.streams[0] as Stream

    theirs.send(new Uint8Array(63 * KIB))
    await until(() => ours.readBufferLength === 63 * KIB)
    expect(inner.readStatus).to.equal('readable')
    theirs.send(new Uint8Array(KIB))
    await until(() => ours.readBufferLength === 64 * KIB)
    await turn()
    expect(inner.readStatus).to.equal('paused')

    await ours.read({ bytes: 31 * KIB })
    expect(inner.readStatus).to.equal('paused')
    await ours.read({ bytes: KIB })
    expect(inner.readStatus).to.equal('readable')
  })

  it('delivers all bytes to a slow reader, with no more unread than the mark and what was granted', async () => {
    const there = half(undefined, { readHighWaterMark: 64 * KIB })
    const [ours, theirs] = await streamPair(there)
    const total = 4 * KIB * KIB
    let received = 0
    let most = 0

    theirs.send(new Uint8Array(total))
    void theirs.close()

    for (let data = await ours.read(); data !== null; data = await ours.read()) {
      received += data.byteLength
      await turn()
      most = Math.max(most, ours.readBufferLength)
    }

    expect(received).to.equal(total)
    // the initial window of @libp2p/yamux is granted again with every frame that came before the pause
    expect(most).to.be.at.most(64 * KIB + 2 * 256 * KIB)
  })

  it('keeps what was unread when the peer had ended and the stream was paused', async () => {
    const [ours, theirs] = await streamPair(half(undefined, { readHighWaterMark: KIB }))
    const ended = eventOf(ours, 'end')

    for (let i = 0; i < 8; i++) {
      theirs.send(new Uint8Array(KIB).fill(i))
      await turn()
    }

    await theirs.close()
    await ours.close()
    await until(() => ours.remoteWriteStatus === 'closed')
    expect(ours.readableEnded).to.be.false()

    for (let i = 0; i < 8; i++) {
      expect((await ours.read({ bytes: KIB }))[0]).to.equal(i)
    }

    expect(await ours.read()).to.be.null()
    await ended
    expect(ours.readStatus).to.equal('closed')
  })

  it('tells its events in order, the end once', async () => {
    const [ours, theirs] = await streamPair(half())
    const events = recordEvents(ours, ['message', 'remoteCloseWrite', 'end', 'close'])

    theirs.send(Uint8Array.of(1))
    await theirs.close()
    await until(() => events.includes('end'))
    await ours.close()
    await until(() => ours.status === 'closed')
    expect(events).to.deep.equal(['message', 'remoteCloseWrite', 'end', 'close'])
  })

  it('holds messages back while our reader pauses it, and takes some back', async () => {
    const [ours, theirs] = await streamPair(half())
    const received: number[] = []

    ours.pause()
    ours.addEventListener('message', event => {
      received.push(...event.data.subarray())
    })
    theirs.send(Uint8Array.of(2))
    await until(() => ours.readBufferLength === 1)
    expect(ours.readStatus).to.equal('paused')
    ours.unshift(Uint8Array.of(1))
    ours.push(Uint8Array.of(3))
    await turn()
    expect(received).to.deep.equal([])
    ours.resume()
    expect(received).to.deep.equal([1, 2, 3])
    await ours.closeRead()
    expect(() => { ours.push(Uint8Array.of(4)) }).to.throw().with.property('name', 'StreamStateError')
  })

  it('goes on closing a stream that somebody gave up closing', async () => {
    const [ours, theirs] = await streamPair(half())

    theirs.pause()

    while (ours.send(new Uint8Array(64 * KIB))) {
      await turn()
    }

    const closing = ours.close({ signal: AbortSignal.abort() })

    await expect(closing).to.eventually.be.rejected().with.property('name', 'AbortError')
    expect(() => ours.send(Uint8Array.of(1))).to.throw().with.property('name', 'StreamStateError')

    const again = ours.close()

    expect(await outcomeOf(again)).to.equal('pending')
    theirs.addEventListener('message', () => {})
    theirs.resume()
    await again
    expect(ours.writeStatus).to.equal('closed')
  })

  it('has a stream reset that comes after the wait for it was given up', async () => {
    const there = half()
    const controller = new AbortController()
    const { promise, resolve } = Promise.withResolvers<void>()
    const create = there.muxer.createStream.bind(there.muxer)

    there.muxer.createStream = async options => {
      await promise

      return create(options)
    }

    const opening = there.connection.newStream({ signal: controller.signal })

    controller.abort(new Error('too slow'))
    await expect(opening).to.eventually.be.rejectedWith('too slow')
    resolve()
    await turn()
    expect(there.muxer.streams).to.have.lengthOf(0)
    expect(there.connection.streams).to.have.lengthOf(0)
  })

  it('notices that the peer has gone away, and closes what is underneath', async () => {
    const there = half()
    const [ours] = await streamPair(there)
    const closed = eventOf(ours, 'close')
    const accepting = there.connection.acceptStream()

    accepting.catch(() => {})
    await there.peer.close()
    expect((await closed).error).to.include({ name: 'ConnectionClosedError', origin: 'transport' })
    await expect(accepting).to.eventually.be.rejected().with.property('name', 'MuxerClosedError')
    expect(there.connection.status).to.equal('closed')
    await until(() => there.link.outbound.status === 'closed')
  })

  it('closes only itself when nothing is known of what is underneath', async () => {
    const there = half(undefined, { secured: undefined })
    const [ours, theirs] = await streamPair(there)

    await Promise.all([ours.close(), theirs.close()])
    await there.connection.close()
    expect(there.muxer.status).to.equal('closed')
    expect(there.link.outbound.status).to.equal('open')
    await expect(there.connection.newStream()).to.eventually.be.rejected().with.property('name', 'MuxerClosedError')
  })

  it('is closed from the first when the muxer was', async () => {
    const there = half()

    await there.muxer.close()

    const connection = muxedConnection(there.muxer)

    expect(connection.status).to.equal('closed')
    expect(await outcomeOf(connection.acceptStream())).to.have.property('name', 'MuxerClosedError')
  })

  it('refuses codes that are none, and takes the others, which go nowhere', async () => {
    const { connection } = half()

    for (const code of [-1, 0.5, 2 ** 32]) {
      await expect(connection.goAway(code)).to.eventually.be.rejected().with.property('name', 'InvalidParametersError')
      await expect(connection.close({ code })).to.eventually.be.rejected().with.property('name', 'InvalidParametersError')
    }

    expect(connection.status).to.equal('open')
    await connection.goAway(0x1006)
    expect(connection.status).to.equal('closed')
  })
})
