/** How a connection opens, accepts, measures and ends. */
import { expect } from 'aegir/chai'
import { eventOf, outcomeOf, until } from '../../support/waiting.ts'
import { bytesOf, encode, failureOf, pairs, readAll, streamPair, text } from './kit.ts'
import type { SurfaceSetup } from './kit.ts'
import type { MuxedStream, Urgency } from '../../../src/interface/muxer.ts'

const MANY = 1_000

export function connections (setup: SurfaceSetup): void {
  const connect = pairs(setup)
  const { can } = setup

  describe('streams', () => {
    it(`may be ${MANY} at once, each with bytes of its own`, async () => {
      // where nothing bounds what a peer may open unacknowledged, all of them come at once
      const { dialer, listener } = await connect({ acceptBacklog: MANY })
      const accepting = (async () => {
        const echoes: Array<Promise<void>> = []

        for (let i = 0; i < MANY; i++) {
          const stream = await listener.acceptStream()

          echoes.push((async () => {
            await stream.write(await stream.read({ bytes: 4 }))
            await stream.close()
          })())
        }

        await Promise.all(echoes)
      })()

      const answers = await Promise.all(Array.from({ length: MANY }, async (_, i) => {
        const stream = await dialer.newStream()

        await stream.write(encode(`${1_000 + i}`))
        await stream.close()

        return text(await readAll(stream))
      }))

      await accepting
      expect(answers).to.deep.equal(Array.from({ length: MANY }, (_, i) => `${1_000 + i}`))
      await until(() => dialer.streams.length === 0 && listener.streams.length === 0)
      expect(dialer.stats()).to.deep.include({
        streamsOpened: { inbound: 0, outbound: MANY },
        streamsClosed: { inbound: 0, outbound: MANY },
        streamsActive: { inbound: 0, outbound: 0 },
        bytesSent: MANY * 4,
        bytesReceived: MANY * 4
      })
    })

    it('are opened by either side', async () => {
      const { dialer, listener } = await connect()
      const [ours, theirs] = await Promise.all([listener.newStream(), dialer.acceptStream()])

      expect([ours.direction, theirs.direction]).to.deep.equal(['outbound', 'inbound'])
      await ours.write(encode('hello'))
      expect(text(await theirs.read())).to.equal('hello')
      expect(dialer.streams).to.deep.equal([theirs])
      expect(listener.streams).to.deep.equal([ours])
    })

    it('wait to be accepted as many as the backlog holds, and further ones are reset', async () => {
      const { dialer, listener } = await connect({ acceptBacklog: 3 })
      const first = listener.acceptStream()
      const accepted = await dialer.newStream()

      await accepted.write(encode('0'))
      expect(text(await (await first).read())).to.equal('0')

      const opened = await Promise.all(Array.from({ length: 5 }, async () => dialer.newStream()))
      const refused = opened.slice(3)

      await until(() => refused.every(stream => stream.status === 'reset'))
      expect(opened.map(stream => stream.status)).to.deep.equal(['open', 'open', 'open', 'reset', 'reset'])

      if (can.countsFrames) {
        expect(listener.stats()).to.deep.include({ streamsRefused: { inbound: 2, outbound: 0 }, streamsReset: { local: 0, remote: 0 } })
      }

      for (const [i, stream] of opened.slice(0, 3).entries()) {
        await stream.write(encode(`${i}`))
        expect(text(await (await listener.acceptStream()).read())).to.equal(`${i}`)
      }
    })

    for (const isEmpty of [false, true]) {
      it(`that the peer has ended${isEmpty ? ', without a byte,' : ''} wait as others do, and those that were refused are not accepted`, async () => {
        const { dialer, listener } = await connect({ acceptBacklog: 3 })
        const first = listener.acceptStream()

        await (await dialer.newStream()).write(encode('first'))
        expect(text(await (await first).read())).to.equal('first')

        for (let i = 0; i < 6; i++) {
          const stream = await dialer.newStream()

          if (!isEmpty) {
            stream.send(encode(`${i}`))
          }

          await stream.close().catch(() => {})
        }

        await until(() => listener.stats().streamsOpened.inbound === 7 && listener.stats().streamsActive.inbound === 4)

        for (let i = 0; i < 3; i++) {
          expect(text(await readAll(await listener.acceptStream()))).to.equal(isEmpty ? '' : `${i}`)
        }

        expect(await outcomeOf(listener.acceptStream())).to.equal('pending')
      })
    }

    it('that were reset before they were accepted are not', async () => {
      const { dialer, listener } = await connect()
      const [reset, other] = await Promise.all([dialer.newStream(), dialer.newStream()])

      await until(() => listener.stats().streamsOpened.inbound === 2)
      reset.reset()
      await until(() => listener.stats().streamsClosed.inbound === 1)
      await other.write(encode('kept'))
      expect(text(await (await listener.acceptStream()).read())).to.equal('kept')
    })

    it('are iterated over until the connection is closed', async () => {
      const { dialer, listener } = await connect()
      const received: MuxedStream[] = []
      const iterating = (async () => {
        for await (const stream of listener.inboundStreams) {
          received.push(stream)
          await stream.close()
        }
      })()

      for (let i = 0; i < 3; i++) {
        const stream = await dialer.newStream()

        await stream.close()
        await readAll(stream)
      }

      await listener.close()
      await iterating
      expect(received).to.have.lengthOf(3)
    })
  })

  describe('priorities', () => {
    it('are kept, may be changed in part, and are checked', async () => {
      const { dialer } = await connect()
      const stream = await dialer.newStream({ priority: { urgency: 1 } })

      expect(stream.priority).to.deep.equal({ urgency: 1, incremental: true })
      stream.priority = { urgency: 7, incremental: false }
      expect(stream.priority).to.deep.equal({ urgency: 7, incremental: false })

      for (const urgency of [-1, 8, 1.5] as number[] as Urgency[]) {
        expect(() => { stream.priority = { urgency, incremental: true } }).to.throw().with.property('name', 'InvalidParametersError')
        expect(await failureOf(dialer.newStream({ priority: { urgency } }))).to.have.property('name', 'InvalidParametersError')
      }

      expect(stream.priority.urgency).to.equal(7)
      expect((await dialer.newStream()).priority).to.deep.equal({ urgency: 3, incremental: true })
    })
  })

  describe('statistics', () => {
    it('are plain objects that survive JSON', async () => {
      const pair = await connect()
      const [ours, theirs] = await streamPair(pair)

      await ours.write(bytesOf(1_000))
      await theirs.read({ bytes: 1_000 })

      for (const statistics of [pair.dialer.stats(), pair.listener.stats(), ours.stats(), theirs.stats()]) {
        expect(JSON.parse(JSON.stringify(statistics))).to.deep.equal(statistics)
      }

      expect(ours.stats()).to.include({ bytesSent: 1_000, bytesReceived: 0, bytesQueued: 0 })
      expect(theirs.stats()).to.include({ bytesSent: 0, bytesReceived: 1_000, bytesUnread: 0 })
      expect(pair.dialer.stats()).to.include({ bytesSent: 1_000 })
    })

    it('have what the muxer knows, and nothing else', async () => {
      const pair = await connect()
      const [ours] = await streamPair(pair)
      const known = can.countsFrames ? 'number' : 'undefined'

      for (const value of [pair.dialer.stats().framesSent, pair.dialer.stats().windowUpdatesSent, pair.dialer.stats().stalls, ours.stats().framesSent]) {
        expect(value).to.be.a(known)
      }

      for (const value of [ours.sendWindow, ours.receiveWindow, ours.stats().sendWindow]) {
        expect(value).to.be.a(can.windows ? 'number' : 'undefined')
      }
    })
  })

  describe('a ping', () => {
    if (can.ping) {
      it('measures the round trip', async () => {
        const { dialer } = await connect()
        const rtt = await dialer.ping()

        expect(rtt).to.be.at.least(0)
        expect(dialer.rtt).to.be.a('number')
        expect(dialer.stats().rtt).to.include.keys('last', 'min', 'smoothed')
      })

      it('can be given up, and the connection stays', async () => {
        const pair = await connect()
        const reason = new Error('no time')
        const controller = new AbortController()
        const ping = failureOf(pair.dialer.ping({ signal: controller.signal }))

        controller.abort(reason)
        expect(await ping).to.equal(reason)
        expect(await pair.dialer.ping()).to.be.at.least(0)
        await streamPair(pair)
      })
    } else {
      it('is refused where the protocol has none', async () => {
        const { dialer } = await connect()

        expect(await failureOf(dialer.ping())).to.have.property('name', 'UnsupportedOperationError')
        expect(dialer.rtt).to.be.undefined()
      })
    }
  })

  describe('the end of a connection', () => {
    it('comes after what was written, and reaches both sides', async () => {
      const pair = await connect()
      const [ours, theirs] = await streamPair(pair)

      // what the peer has not ended when the connection does is cut off
      await theirs.close()
      ours.send(bytesOf(100_000))

      const closing = pair.dialer.close()

      expect(await theirs.read({ bytes: 100_000 })).to.have.lengthOf(100_000)
      expect(await theirs.read()).to.be.null()
      await closing
      expect(pair.dialer.status).to.equal('closed')
      await until(() => pair.listener.status === 'closed')

      for (const { newStream, acceptStream } of [pair.dialer, pair.listener].map(side => ({ newStream: side.newStream(), acceptStream: side.acceptStream() }))) {
        for (const failure of await Promise.all([newStream, acceptStream].map(failureOf))) {
          expect(failure).to.have.property('name', 'MuxerClosedError')
        }
      }
    })

    it('is brought about by `await using`, and comes once', async () => {
      const { dialer, listener } = await connect()

      {
        await using connection = dialer

        expect(connection.status).to.equal('open')
      }

      expect(dialer.status).to.equal('closed')
      await dialer.close()
      await until(() => listener.status === 'closed')
    })

    it('waits for open streams when it goes away, and lets no new ones in', async () => {
      const pair = await connect()
      const [ours, theirs] = await streamPair(pair)
      const going = pair.dialer.goAway()

      expect(await failureOf(pair.dialer.newStream())).to.have.property('name', 'MuxerClosedError')

      const refused = await pair.listener.newStream()

      await until(() => refused.status === 'reset')
      expect(await outcomeOf(going)).to.equal('pending')
      await ours.write(encode('question'))
      await ours.close()
      expect(text(await readAll(theirs))).to.equal('question')
      await theirs.write(encode('answer'))
      await theirs.close()
      expect(text(await readAll(ours))).to.equal('answer')
      await going
      expect(pair.dialer.status).to.equal('closed')
      await until(() => pair.listener.status === 'closed')
    })

    it('leaves what the peer had ended before it left to be accepted, and then ends', async () => {
      const { dialer, listener } = await connect()

      for (let i = 0; i < 3; i++) {
        const stream = await dialer.newStream()

        await stream.write(encode(`message ${i}`))
        await stream.closeWrite()
      }

      const open = await dialer.newStream()

      await open.write(encode('message 3'))
      await until(() => listener.stats().streamsActive.inbound === 4)
      await dialer.close().catch(() => {})
      await until(() => listener.status === 'closed')

      const received: Array<string | undefined> = []

      for await (const stream of listener.inboundStreams) {
        received.push(text(await readAll(stream)))
      }

      expect(received).to.deep.equal(['message 0', 'message 1', 'message 2', 'message 3'])
      expect(await failureOf(listener.acceptStream())).to.have.property('name', 'MuxerClosedError')
    })

    it('by abort() resets what is open on both sides', async () => {
      const pair = await connect()
      const streams = await streamPair(pair)
      const reason = new Error('enough')
      const accepting = failureOf(pair.dialer.acceptStream())
      const closed = streams.map(async stream => eventOf(stream, 'close'))

      pair.dialer.abort(reason)

      const [ours, theirs] = await Promise.all(closed)

      expect(ours).to.include({ error: reason, local: true })
      expect(theirs.error).to.have.property('name').that.is.oneOf(['StreamResetError', 'GoAwayError', 'ConnectionClosedError'])
      expect(await accepting).to.equal(reason)
      await until(() => pair.listener.status === 'closed')
    })

    if (can.codes) {
      it('tells the peer its code', async () => {
        const pair = await connect()
        const [, theirs] = await streamPair(pair)
        const closed = eventOf(theirs, 'close')

        void pair.dialer.close({ code: 0x1006 }).catch(() => {})

        const { error } = await closed

        expect(error).to.include({ name: 'GoAwayError', scope: 'connection', origin: 'remote', code: 0x1006, codeName: 'shutdown' })
      })
    }
  })
}
