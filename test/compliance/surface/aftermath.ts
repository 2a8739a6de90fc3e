/** What is asked of a stream, or of a connection, that is over: no wait without end, and the reason of the end. */
import { getEventListeners } from 'node:events'
import { expect } from 'aegir/chai'
import { ConnectionClosedError, ProtocolError } from '../../../src/interface/errors.ts'
import { eventOf, outcomeOf, until } from '../../support/waiting.ts'
import { bytesOf, encode, failureOf, fill, pairs, readAll, streamPair, text } from './kit.ts'
import type { SurfaceSetup } from './kit.ts'
import type { MuxedStream } from '../../../src/interface/muxer.ts'
import type { StreamCloseEvent } from '@libp2p/interface'

export function aftermath (setup: SurfaceSetup): void {
  const connect = pairs(setup)
  const { can } = setup

  /** A stream that the peer has reset, and what that came to. */
  async function resetByPeer (): Promise<{ ours: MuxedStream, error: Error | undefined }> {
    const [ours, theirs] = await streamPair(await connect())
    const closed = eventOf<StreamCloseEvent>(ours, 'close')

    theirs.reset(0x1003)

    return { ours, error: (await closed).error }
  }

  describe('after a reset', () => {
    it('every way to write says what it was, and send() by a cause', async () => {
      const { ours, error } = await resetByPeer()

      expect(error).to.include({ name: 'StreamResetError', origin: 'remote' })
      expect(await failureOf(ours.write(encode('late')))).to.equal(error)
      expect(await failureOf(ours.writeLengthPrefixed(encode('late')))).to.equal(error)
      expect(await failureOf(ours.closeWrite())).to.equal(error)
      expect(() => ours.send(encode('late'))).to.throw().that.includes({ name: 'StreamStateError', cause: error })
      await ours.close()
    })

    it('an end of ours that was told before is one', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const closed = eventOf(ours, 'close')

      await ours.closeWrite()
      await until(() => theirs.remoteWriteStatus === 'closed')
      theirs.reset()
      await closed
      await ours.closeWrite()
      expect(await failureOf(ours.write(encode('late')))).to.have.property('name', 'StreamStateError')
    })

    it('sinks and writables fail at once, though their source has nothing to say', async () => {
      const { ours, error } = await resetByPeer()
      const never = Promise.withResolvers<Uint8Array>()
      const silent = new ReadableStream<Uint8Array>({ pull: async () => { await never.promise } })

      expect(await failureOf(ours.sink((async function * () { yield await never.promise })()))).to.equal(error)
      expect(await failureOf(silent.pipeTo(ours.writable))).to.equal(error)
    })

    it('a sink of a stream that we have ended fails at once, and leaves the other half', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const never = Promise.withResolvers<Uint8Array>()

      await ours.closeWrite()
      expect(await failureOf(ours.sink((async function * () { yield await never.promise })()))).to.have.property('name', 'StreamStateError')
      await theirs.write(encode('still here'))
      expect(text(await ours.read())).to.equal('still here')
    })

    it('the reader of a Web Stream hears of it while it asks for nothing', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const closed = failureOf(ours.readable.getReader().closed)

      theirs.reset()
      expect(await closed).to.include({ name: 'StreamResetError', origin: 'remote' })

      const late = await resetByPeer()

      expect(await failureOf(late.ours.readable.getReader().closed)).to.equal(late.error)
    })

    it('no bytes come after the error that a reader of so many has met', async () => {
      const [ours, theirs] = await streamPair(await connect())

      await ours.write(encode('few'))

      const reading = failureOf(theirs.read({ bytes: 5 }))

      await until(() => theirs.stats().bytesReceived === 3)
      ours.reset()

      const error = await reading

      expect(error).to.include({ name: 'StreamResetError', origin: 'remote' })
      expect(await failureOf(theirs.read())).to.equal(error)
      expect(await failureOf(theirs.read())).to.equal(error)
    })

    it('signals keep no listeners of it', async () => {
      const controller = new AbortController()
      const [ours, theirs] = await streamPair(await connect())
      const closed = eventOf(ours, 'close')

      ours.addEventListener('message', () => {}, { signal: controller.signal })
      ours.addEventListener('close', () => {}, { signal: controller.signal })
      expect(getEventListeners(controller.signal, 'abort')).to.have.lengthOf(2)
      theirs.reset()
      await closed
      await until(() => getEventListeners(controller.signal, 'abort').length === 0)
      ours.addEventListener('drain', () => {}, { signal: controller.signal })
      expect(getEventListeners(controller.signal, 'abort')).to.be.empty()
    })
  })

  describe('after our own abort()', () => {
    it('nothing is read, whatever the error, though the peer had ended what was unread', async () => {
      for (const error of [new Error('enough'), new ProtocolError('of another connection', 1), new ConnectionClosedError('of another connection', { origin: 'transport' })]) {
        const [ours, theirs] = await streamPair(await connect())

        await theirs.write(encode('whole'))
        await theirs.closeWrite()
        await until(() => ours.remoteWriteStatus === 'closed' && ours.readBufferLength === 5)
        ours.abort(error)
        expect(await failureOf(ours.read())).to.equal(error)
        expect(ours.readBufferLength).to.equal(0)
      }
    })
  })

  describe('after our own closeRead()', () => {
    it('a reader of so many bytes leaves none to be read', async () => {
      const [ours, theirs] = await streamPair(await connect())

      await ours.write(encode('few'))

      const reading = failureOf(theirs.read({ bytes: 5 }))

      await until(() => theirs.stats().bytesReceived === 3)
      await theirs.closeRead()
      expect(await reading).to.have.property('name', 'UnexpectedEOFError')
      expect(await theirs.read()).to.be.null()
      expect(theirs.readBufferLength).to.equal(0)
    })
  })

  describe('a write', () => {
    if (can.windows) {
      it('of more than the mark resolves when the queue has drained', async () => {
        const [ours, theirs] = await streamPair(await connect())
        const sent = bytesOf(4_000_000)
        const writing = ours.write(sent)

        expect(await outcomeOf(writing)).to.equal('pending')

        const received = readAll(theirs)

        await writing
        expect(ours.writableNeedsDrain).to.be.false()
        await ours.close()
        expect(Buffer.compare(await received, sent)).to.equal(0)
      })

      it('that was queued is not given up by a signal or a time limit, and fails by a reset', async () => {
        const [ours, theirs] = await streamPair(await connect())
        const controller = new AbortController()
        const writing = ours.write(bytesOf(4_000_000), { signal: controller.signal })

        expect(await outcomeOf(writing)).to.equal('pending')
        controller.abort(new Error('too late'))
        await writing
        expect(ours.writeBufferLength).to.be.above(0)

        const received = theirs.read({ bytes: 4_000_000 })

        await until(() => !ours.writableNeedsDrain)
        await received

        ours.writeTimeout = 5
        await ours.write(bytesOf(4_000_000))
        ours.writeTimeout = 0

        const cut = await streamPair(await connect())
        const unsent = failureOf(cut[0].write(bytesOf(4_000_000)))

        cut[1].reset()
        expect(await unsent).to.include({ name: 'StreamResetError', origin: 'remote' })
      })
    }

    if (can.flowControl) {
      it('that waits behind another is given up by its time limit', async () => {
        const [ours] = await streamPair(await connect())

        await fill(ours)
        ours.writeTimeout = 5
        expect((await Promise.all([ours.write(encode('a')), ours.write(encode('b'))].map(failureOf))).map(({ name }) => name)).to.deep.equal(['TimeoutError', 'TimeoutError'])
      })
    }
  })

  describe('a time limit', () => {
    it('covers the wait for a turn behind another reader', async () => {
      const [, theirs] = await streamPair(await connect())
      const first = theirs.read({ bytes: 5 })

      theirs.readTimeout = 5
      expect(await failureOf(theirs.read())).to.include({ name: 'TimeoutError', scope: 'stream' })
      expect(await outcomeOf(first)).to.equal('pending')
      theirs.reset()
      await failureOf(first)
    })

    it('is a positive number, or 0 for none', async () => {
      const { dialer, listener } = await connect()
      const [ours] = await streamPair({ dialer, listener, cut () {} })

      for (const millis of [-1, NaN, 'soon' as any]) {
        expect(() => { ours.readTimeout = millis }).to.throw().with.property('name', 'InvalidParametersError')
        expect(() => { ours.writeTimeout = millis }).to.throw().with.property('name', 'InvalidParametersError')
        expect(await failureOf(dialer.newStream({ readTimeout: millis }))).to.have.property('name', 'InvalidParametersError')
        expect(await failureOf(dialer.newStream({ writeTimeout: millis }))).to.have.property('name', 'InvalidParametersError')
      }

      expect(dialer.stats().streamsOpened.outbound).to.equal(1)
      ours.readTimeout = 0
      ours.writeTimeout = 1.5
      expect([ours.readTimeout, ours.writeTimeout]).to.deep.equal([Infinity, 1.5])
      expect(await outcomeOf(ours.read())).to.equal('pending')
    })
  })

  describe('goAway()', () => {
    it('refuses what nobody has accepted, and ends', async () => {
      const { dialer, listener } = await connect()
      const stream = await dialer.newStream()

      stream.send(encode('anybody?'))
      await until(() => listener.stats().bytesReceived > 0)

      const closed = eventOf<StreamCloseEvent>(stream, 'close')

      await listener.goAway()

      const { error } = await closed

      expect(error).to.have.property('name', 'StreamResetError')

      if (can.codes) {
        expect(error).to.include({ codeName: 'shutdown' })
      }
    })

    it('changes nothing when its code is none, or its signal was aborted before', async () => {
      const pair = await connect()
      const reason = new Error('not now')

      expect(await failureOf(pair.dialer.goAway(0, { signal: AbortSignal.abort(reason) }))).to.equal(reason)

      for (const code of [-1, 0.5, NaN, 2 ** 32]) {
        expect(await failureOf(pair.dialer.goAway(code))).to.have.property('name', 'InvalidParametersError')
        expect(await failureOf(pair.dialer.close({ code }))).to.have.property('name', 'InvalidParametersError')
      }

      expect(pair.dialer.status).to.equal('open')
      await streamPair(pair)
    })

    if (can.codes) {
      it('says its code, also when close() follows', async () => {
        const pair = await connect()
        const [ours, theirs] = await streamPair(pair)
        const closed = eventOf<StreamCloseEvent>(theirs, 'close')
        const going = pair.dialer.goAway(0x10042)

        await pair.dialer.close({ code: 0 })
        await going
        expect((await closed).error).to.include({ name: 'GoAwayError', code: 0x10042 })
        expect(ours.status).to.not.equal('open')
        expect(await failureOf(pair.listener.newStream())).to.have.property('name', 'MuxerClosedError')
        expect((await failureOf(pair.listener.newStream())).cause).to.include({ name: 'GoAwayError', code: 0x10042 })
      })
    }

    it('of the peer, and its close, end an iteration over streams in order', async () => {
      const pair = await connect()
      const [, theirs] = await streamPair(pair)
      const iterating = (async () => {
        for await (const stream of pair.listener.inboundStreams) {
          stream.reset()
        }
      })()
      const accepting = failureOf(pair.listener.acceptStream())

      await pair.dialer.close()
      await iterating
      expect(await accepting).to.have.property('name', 'MuxerClosedError')
      expect(await failureOf((async () => {
        await readAll(theirs)
        await theirs.write(encode('late'))
      })())).to.be.an('error')
    })
  })

  describe('a priority', () => {
    it('is incremental or is not', async () => {
      const { dialer } = await connect()
      const stream = await dialer.newStream()

      expect(() => { stream.priority = { urgency: 3, incremental: 'no' as any } }).to.throw().with.property('name', 'InvalidParametersError')
      expect(await failureOf(dialer.newStream({ priority: { incremental: 1 as any } }))).to.have.property('name', 'InvalidParametersError')
    })
  })
}
