import { expect } from 'aegir/chai'
import { createMuxer, openPair } from '../../support/muxers.ts'
import { eventOf, noUnhandledRejections, turn, until } from '../../support/waiting.ts'
import { echo, fill, pattern, receiveAll, sendAll } from './kit/bytes.ts'
import { carriers } from './kit/carriers.ts'
import type { Connected } from './kit/carriers.ts'
import type { MuxedConnection } from '../../../src/connection/connection.ts'
import type { MuxedStream } from '../../../src/connection/stream.ts'
import type { StreamCloseEvent } from '@libp2p/interface'

const WINDOW = 262_144

interface Muxed extends Connected {
  dialer: MuxedConnection
  listener: MuxedConnection

  /** One stream, as both sides have it. */
  streams: [MuxedStream, MuxedStream]
}

for (const carrier of carriers) {
  describe(`yamux over ${carrier.name}`, () => {
    noUnhandledRejections()

    let open: Connected[]

    async function connect (): Promise<Muxed> {
      const connected = await carrier.connect()

      open.push(connected)

      const dialer = createMuxer(connected.outbound)
      const listener = createMuxer(connected.inbound)
      const streams = await openPair({ dialer, listener })

      return { ...connected, dialer, listener, streams }
    }

    beforeEach(() => {
      open = []
    })

    afterEach(() => {
      for (const { outbound, inbound } of open) {
        outbound.abort(new Error('the test is over'))
        inbound.abort(new Error('the test is over'))
      }
    })

    it('echoes 8 MiB', async () => {
      const { streams: [outbound, inbound] } = await connect()
      const bytes = pattern(8 * 1024 * 1024)
      const echoed = echo(inbound)
      const answer = receiveAll(outbound)

      await sendAll(outbound, bytes)
      await outbound.close()

      expect(Buffer.compare(await answer, bytes)).to.equal(0)
      await echoed
      await until(() => outbound.status === 'closed' && inbound.status === 'closed')
    })

    for (const first of ['dialer', 'listener'] as const) {
      it(`keeps the other half of a stream when that of the ${first} has ended`, async () => {
        const { streams } = await connect()
        const [ending, other] = first === 'dialer' ? streams : streams.toReversed()
        const nothing = receiveAll(other)

        await ending.close()
        expect(await nothing).to.have.lengthOf(0)

        const answer = receiveAll(ending)

        await sendAll(other, pattern(500_000))
        await other.close()
        expect(await answer).to.have.lengthOf(500_000)
        expect(ending.status).to.equal('closed')
      })
    }

    it('makes a writer wait for a reader, and holds no more than the window meanwhile', async () => {
      const { streams: [outbound, inbound], listener } = await connect()
      const sent = await fill(outbound, 4 * WINDOW)

      expect(outbound.send(Uint8Array.of(1))).to.be.false()
      expect(inbound.readBufferLength).to.be.at.most(WINDOW)
      expect(listener.stats().bytesReceived).to.be.at.most(WINDOW)

      const drain = outbound.onDrain()
      const received = receiveAll(inbound)

      await drain
      await outbound.close()
      expect(await received).to.have.lengthOf(sent + 1)
    })

    it('carries other streams while one is not read', async () => {
      const { dialer, listener, streams: [outbound] } = await connect()

      await fill(outbound, 4 * WINDOW)

      const [other, otherInbound] = await openPair({ dialer, listener })
      const echoed = echo(otherInbound)
      const answer = receiveAll(other)

      await sendAll(other, pattern(1_000_000))
      await other.close()
      expect(await answer).to.have.lengthOf(1_000_000)
      await echoed
    })

    it('ends in good order: streams, muxers and connection', async () => {
      const { outbound, inbound, dialer, listener, streams: [stream, remote] } = await connect()
      const closed = [outbound, inbound].map(async end => eventOf<StreamCloseEvent>(end, 'close'))
      const received = receiveAll(remote)

      stream.send(pattern(100_000))
      await dialer.close()

      expect(await received).to.have.lengthOf(100_000)

      for (const { error } of await Promise.all(closed)) {
        expect(error).to.be.undefined()
      }

      expect(listener.status).to.equal('closed')
      expect(outbound.status).to.equal('closed')
      expect(inbound.status).to.equal('closed')
    })

    it('resets what runs on both sides when one is aborted', async () => {
      for (const side of ['dialer', 'listener'] as const) {
        const muxed = await connect()
        const { streams } = muxed
        const reason = new Error('enough')
        const closed = streams.map(async stream => eventOf<StreamCloseEvent>(stream, 'close'))
        const mine = side === 'dialer' ? 0 : 1

        streams[0].send(pattern(1_000))
        await turn()
        muxed[side].abort(reason)

        const events = await Promise.all(closed)

        expect(events[mine]).to.deep.include({ error: reason, local: true })
        expect(events[1 - mine].error).to.be.an('error').with.property('name').that.is.oneOf(['ConnectionClosedError', 'StreamResetError', 'GoAwayError'])
        expect(streams[1 - mine].status).to.equal('reset')
      }
    })

    it('gives an error to the streams on both sides when the connection is cut', async () => {
      const { cut, dialer, listener, streams } = await connect()
      const closed = streams.map(async stream => eventOf<StreamCloseEvent>(stream, 'close'))
      const reading = streams.map(async stream => receiveAll(stream))

      for (const promise of reading) {
        promise.catch(() => {})
      }

      await sendAll(streams[0], pattern(100_000))
      cut()

      for (const { error, local } of await Promise.all(closed)) {
        expect(error).to.have.property('name', 'ConnectionClosedError')
        expect(local).to.be.false()
      }

      for (const promise of reading) {
        await expect(promise).to.eventually.be.rejected().with.property('name', 'ConnectionClosedError')
      }

      expect(dialer.status).to.equal('closed')
      expect(listener.status).to.equal('closed')
      await expect(dialer.createStream()).to.eventually.be.rejected()
    })
  })
}
