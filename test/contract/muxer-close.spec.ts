/** The ends of a connection that our own side brings about: `close()` and `abort()`. */
import { expect } from 'aegir/chai'
import all from 'it-all'
import { Uint8ArrayList } from 'uint8arraylist'
import { FIN, RST, SYN, data, parseFrames, lineOf, pattern, windowUpdate } from '../support/frames.ts'
import { inboundStream, muxedPair, muxerAndPeer, openPair } from '../support/muxers.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { eventOf, noUnhandledRejections, outcomeOf, turn, until } from '../support/waiting.ts'
import type { MuxedConnection } from '../../src/yamux.ts'
import type { StreamCloseEvent } from '@libp2p/interface'

describe('contract: close() and abort() of the muxer', () => {
  noUnhandledRejections()

  it('close() delivers what was written on many streams, in either direction of the pair', async () => {
    const pair = muxedPair({ link: { capacity: 100_000, chop: 30_000 } })
    const reading: Array<Promise<Uint8Array>> = []

    pair.listener.addEventListener('stream', event => {
      reading.push(all(event.detail).then(chunks => new Uint8ArrayList(...chunks).subarray()))
    })

    for (let i = 0; i < 20; i++) {
      const stream = await pair.dialer.createStream()

      stream.send(pattern(400_000, i))
    }

    await pair.dialer.close()
    expect(pair.link.outbound.status).to.equal('closed')

    const received = await Promise.all(reading)

    expect(received).to.have.length(20)
    received.forEach((bytes, i) => {
      expect(bytes).to.deep.equal(pattern(400_000, i))
    })
    expect(pair.listener.status).to.equal('closed')
  })

  it('close() says GoAway as the very last frame, and closes the connection after it', async () => {
    const { maConn, muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()

    stream.send(pattern(1_000))
    await muxer.close()
    expect(maConn.status).to.equal('closed')
    expect(peer.streamLines).to.deep.equal(['window|SYN 1 +0', 'data 1 1000', 'window|FIN 1 +0', 'goaway 0'])
    expect(peer.lines.at(-1)).to.equal('goaway 0')
    expect(peer.framesAtEnd).to.equal(peer.frames.length)
  })

  it('close() says the reason that it was given', async () => {
    const { muxer, peer } = muxerAndPeer()

    await muxer.close({ reason: 2 })
    expect(peer.goAways).to.deep.equal([2])
  })

  it('close() a second time is fine: at once, and after', async () => {
    const { muxer, peer } = muxerAndPeer()

    await Promise.all([muxer.close(), muxer.close()])
    await muxer.close()
    expect(peer.goAways).to.deep.equal([0])
  })

  it('close() of both sides at once is fine', async () => {
    const pair = muxedPair()
    const [outbound, inbound] = await openPair(pair)

    outbound.send(pattern(100))
    inbound.send(pattern(200))
    await Promise.all([pair.dialer.close(), pair.listener.close()])
    expect(outbound.readBufferLength).to.equal(200)
    expect(inbound.readBufferLength).to.equal(100)
    expect(outbound.status).to.equal('closed')
    expect(inbound.status).to.equal('closed')
    expect(pair.link.outbound.status).to.equal('closed')
  })

  it('close() opens no stream meanwhile, but takes what the peer opened before it knew', async () => {
    const { muxer, peer } = muxerAndPeer({ peer: { pongs: false }, clock: new VirtualClock() })
    const inbound = eventOf(muxer, 'stream')
    const closing = muxer.close()

    peer.send(windowUpdate(2, 0, SYN), data(2, 'late'))
    expect((await (await inbound).detail.read()).byteLength).to.equal(4)
    await expect(muxer.createStream()).to.eventually.be.rejected.with.property('name', 'MuxerClosedError')
    expect(await outcomeOf(closing)).to.equal('pending')
    muxer.abort(new Error('done'))
    await closing.catch(() => {})
  })

  it('close() gives up when next to nothing was taken for five minutes, whatever the peer says and opens meanwhile', async () => {
    const clock = new VirtualClock()
    const setup = muxerAndPeer({ direction: 'inbound', clock, options: { streamOptions: { writeStallTimeout: Infinity } } })
    const { muxer, maConn, peer } = setup

    muxer.addEventListener('stream', ({ detail }) => { detail.send(pattern(20_000)) })

    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const end = eventOf<StreamCloseEvent>(stream, 'close')

    // beyond the window
    stream.send(pattern(300_000))
    await turn()

    const closing = muxer.close()

    for (let minute = 1; minute <= 5; minute++) {
      expect(await outcomeOf(closing)).to.equal('pending')
      peer.send(windowUpdate(1, 3_000), windowUpdate(1 + 2 * minute, 0, SYN))
      await clock.advance(60_000)
    }

    await expect(closing).to.eventually.be.rejectedWith('less than 16384 bytes of it in the last 300000 ms').with.property('name', 'TimeoutError')
    expect((await end).error).to.have.property('name', 'TimeoutError')
    expect(maConn.status).to.equal('aborted')
    expect(clock.pending).to.equal(0)
  })

  it('close() takes its time as long as the peer does take what was sent', async () => {
    const clock = new VirtualClock()
    const setup = muxerAndPeer({ direction: 'inbound', clock, options: { streamOptions: { inactivityTimeout: Infinity, writeStallTimeout: Infinity } } })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    stream.send(pattern(262_144 + 60_000))

    const closing = setup.muxer.close()

    for (const credit of [20_000, 20_000, 19_999]) {
      setup.peer.send(windowUpdate(1, credit))
      await clock.advance(299_000)
      expect(await outcomeOf(closing)).to.equal('pending')
    }

    setup.peer.send(windowUpdate(1, 1))
    await clock.advance(0)
    await closing
    expect(setup.peer.goAways).to.deep.equal([0])
    expect(clock.pending).to.equal(0)
  })

  it('close() rejects when the connection is reset before it took what was sent, unless the peer has said that it read all', async () => {
    for (const pongs of [true, false]) {
      const clock = new VirtualClock()
      const { muxer, maConn, link } = muxerAndPeer({ clock, peer: { pongs }, link: { capacity: 1_000 } })
      const error = new Error('ECONNRESET')
      const stream = await muxer.createStream()

      if (!pongs) {
        link.outbound.hold()
      }

      maConn.close = async () => { maConn.abort(error) }
      // its end goes in the same batch
      stream.send(pattern(5_000))

      const outcome = muxer.close().then(() => 'closed', err => err.message)

      await clock.advance(500)
      expect(await outcome).to.equal(pongs ? 'closed' : 'ECONNRESET')

      // told once
      await muxer.close()
      expect(clock.pending).to.equal(0)
    }
  })

  it('close() rejects when the connection is full of what was sent, and is over before streams could end', async () => {
    const { muxer, maConn, link } = muxerAndPeer({ clock: new VirtualClock(), link: { capacity: 1_000 } })
    const stream = await muxer.createStream()

    link.outbound.hold()
    stream.send(pattern(5_000))
    await turn()
    expect(stream.writeBufferLength).to.equal(0)

    const outcome = muxer.close().then(() => 'closed', err => err.name)

    await turn()
    maConn.abort(new Error('ECONNRESET'))
    expect(await outcome).to.equal('ConnectionClosedError')
  })

  it('close() of both sides in the turn in which both have opened streams and written resolves for those only whose bytes arrived', async () => {
    const pair = muxedPair({ link: { capacity: 100_000 } })
    const sides = [pair.dialer, pair.listener]
    const arrived = new Map<MuxedConnection, number>()
    const bytes = pattern(400_000)

    for (const [index, muxer] of sides.entries()) {
      sides[1 - index].addEventListener('stream', event => {
        event.detail.addEventListener('message', message => {
          arrived.set(muxer, (arrived.get(muxer) ?? 0) + message.data.byteLength)
        })
      })

      for (let i = 0; i < 10; i++) {
        (await muxer.createStream()).send(bytes)
      }
    }

    const outcomes = await Promise.allSettled(sides.map(async muxer => muxer.close()))
    const resolved = sides.filter((_, index) => outcomes[index].status === 'fulfilled')

    expect(resolved).to.not.be.empty()

    for (const muxer of resolved) {
      expect(arrived.get(muxer)).to.equal(10 * bytes.byteLength)
    }
  })

  it('close() with a peer that does not answer pings takes half a second more, no longer', async () => {
    const clock = new VirtualClock()
    const { maConn, muxer, peer } = muxerAndPeer({ clock, peer: { pongs: false } })
    const closing = muxer.close()

    expect(await outcomeOf(closing)).to.equal('pending')
    await clock.advance(499)
    expect(await outcomeOf(closing)).to.equal('pending')
    expect(peer.goAways).to.deep.equal([])
    await clock.advance(1)
    await closing
    expect(peer.goAways).to.deep.equal([0])
    expect(maConn.status).to.equal('closed')
    expect(clock.pending).to.equal(0)
  })

  it('close() ends streams that the peer has not ended with an error that says so: their end was not seen', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 10))
    const closed = eventOf(stream, 'close')

    await setup.muxer.close()
    expect(await closed).to.have.nested.property('error.name', 'MuxerClosedError')
    expect(stream.readBufferLength).to.equal(10, 'what was received stays readable')
  })

  it('close() ends streams that the peer has ended without an error', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 10, FIN))
    const closed = eventOf(stream, 'close')

    await setup.muxer.close()
    expect((await closed).error).to.equal(undefined)
    expect(stream.status).to.equal('closed')
  })

  it('close() given up by its signal goes on, and can be waited for again', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()
    const controller = new AbortController()

    stream.send(pattern(300_000))

    const closing = muxer.close({ signal: controller.signal })

    expect(await outcomeOf(closing)).to.equal('pending')
    controller.abort()
    await expect(closing).to.eventually.be.rejected.with.property('name', 'AbortError')

    const again = muxer.close()

    peer.send(windowUpdate(1, 100_000))
    await again
    expect(peer.received(1)).to.deep.equal(pattern(300_000))
    expect(peer.lines.at(-1)).to.equal('goaway 0')
  })

  it('the signal of one close() does not end the wait of another', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()
    const controller = new AbortController()

    stream.send(pattern(300_000))

    const impatient = muxer.close({ signal: controller.signal })
    const patient = muxer.close()

    patient.catch(() => {})
    expect(await outcomeOf(impatient)).to.equal('pending')
    controller.abort()
    await expect(impatient).to.eventually.be.rejected.with.property('name', 'AbortError')
    expect(await outcomeOf(patient)).to.equal('pending')
    peer.send(windowUpdate(1, 100_000))
    await patient
    expect(peer.goAways).to.deep.equal([0])
  })

  it('close() over a transport that does not drain is bounded by its signal, and abort() then ends it', async () => {
    const { maConn, muxer } = muxerAndPeer({ link: { capacity: 1, manual: true } })
    const controller = new AbortController()

    await muxer.createStream()
    await turn()

    const closing = muxer.close({ signal: controller.signal })

    expect(await outcomeOf(closing)).to.equal('pending')
    controller.abort()
    await expect(closing).to.eventually.be.rejected.with.property('name', 'AbortError')
    muxer.abort(new Error('enough'))
    expect(maConn.status).to.equal('aborted')
    expect(maConn.aborted).to.have.property('message', 'enough')
    expect(muxer.status).to.equal('closed')
  })

  it('abort() aborts every stream with the error, resets them, says GoAway last, and aborts the connection', async () => {
    const { maConn, muxer } = muxerAndPeer()
    const streams = [await muxer.createStream(), await muxer.createStream()]
    const error = new Error('enough')
    const closed = streams.map(async stream => eventOf(stream, 'close'))

    await turn()
    maConn.sends.length = 0
    muxer.abort(error)
    expect(muxer.status).to.equal('closed')
    expect(streams.map(stream => stream.status)).to.deep.equal(['aborted', 'aborted'])

    for (const event of await Promise.all(closed)) {
      expect(event).to.include({ error, local: true })
    }

    expect(parseFrames(maConn.sent).map(lineOf)).to.deep.equal(['window|RST 1 0', 'window|RST 3 0', 'goaway 2'])
    expect(maConn.status).to.equal('aborted')
    expect(maConn.aborted).to.equal(error)
    expect(muxer.streams).to.deep.equal([])
  })

  it('abort() a second time, or after close(), changes nothing', async () => {
    const first = muxerAndPeer()

    first.muxer.abort(new Error('first'))
    first.muxer.abort(new Error('second'))
    expect(first.maConn.aborted).to.have.property('message', 'first')
    await first.muxer.close()

    const second = muxerAndPeer()

    await second.muxer.close()
    second.muxer.abort(new Error('too late'))
    expect(second.maConn.aborted).to.equal(undefined)
    expect(second.maConn.status).to.equal('closed')
  })

  it('abort() during close() ends the close with the error', async () => {
    const { muxer } = muxerAndPeer({ clock: new VirtualClock(), peer: { pongs: false } })
    const closing = muxer.close()

    expect(await outcomeOf(closing)).to.equal('pending')
    muxer.abort(new Error('enough'))
    await expect(closing).to.eventually.be.rejectedWith('enough')
  })

  it('close() that the peer interrupts by hanging up, when everything was handed over, is done', async () => {
    const { link, muxer } = muxerAndPeer({ clock: new VirtualClock(), peer: { pongs: false } })

    await muxer.createStream()

    const closing = muxer.close()

    expect(await outcomeOf(closing)).to.equal('pending')
    link.cut()
    await closing
    expect(muxer.status).to.equal('closed')
  })

  it('close() that waits for a stream which the peer resets, and then hangs up, is done', async () => {
    const { link, muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()

    stream.send(pattern(300_000))

    const closing = muxer.close()

    expect(await outcomeOf(closing)).to.equal('pending')
    link.inbound.hold()
    peer.send(windowUpdate(1, 0, RST))
    link.inbound.flush()
    link.cut()
    await closing
    expect(stream.status).to.equal('reset')
    expect(muxer.status).to.equal('closed')
  })

  it('nothing is sent after the end, and neither timer nor listener is left', async () => {
    for (const end of ['close', 'abort', 'cut'] as const) {
      const clock = new VirtualClock()
      const { link, maConn, muxer } = muxerAndPeer({ clock, options: { enableKeepAlive: true } })
      const stream = await muxer.createStream()

      stream.send(pattern(300_000))
      await turn()
      expect(clock.pending).to.equal(1)

      if (end === 'close') {
        stream.abort(new Error('no credit would come'))
        await muxer.close()
      } else if (end === 'abort') {
        muxer.abort(new Error('enough'))
      } else {
        link.cut()
      }

      await turn()
      expect(maConn.status).to.not.equal('open')
      expect(clock.pending, end).to.equal(0)
      expect(maConn.listeners, end).to.equal(0)

      const { sendCalls } = maConn

      expect(() => stream.send(Uint8Array.of(1))).to.throw().with.property('name', 'StreamStateError')
      await clock.advance(1_000_000)
      expect(maConn.sendCalls, end).to.equal(sendCalls)
      expect(maConn.sendsAfterEnd, end).to.equal(0)
    }
  })

  it('is disposed of by closing', async () => {
    const { maConn, muxer, peer } = muxerAndPeer()

    await muxer[Symbol.asyncDispose]()
    expect(maConn.status).to.equal('closed')
    expect(peer.goAways).to.deep.equal([0])
    await until(() => muxer.status === 'closed')
  })
})
