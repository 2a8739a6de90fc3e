/** How streams carry bytes, and how they end. */
import { expect } from 'aegir/chai'
import { StreamErrorCode } from '../../../src/interface/codes.ts'
import { StreamResetError } from '../../../src/interface/errors.ts'
import { eventOf, outcomeOf, until } from '../../support/waiting.ts'
import { bytesOf, encode, failureOf, fill, filled, pairs, readAll, streamPair, text } from './kit.ts'
import type { SurfaceSetup } from './kit.ts'
import type { StreamCloseEvent } from '@libp2p/interface'

export function streams (setup: SurfaceSetup): void {
  const connect = pairs(setup)

  describe('bytes', () => {
    it('arrive as they were sent, however they are read', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const sent = bytesOf(300_000)
      const received = readAll(theirs)

      await ours.write(sent)
      await ours.closeWrite()
      expect(Buffer.compare(await received, sent)).to.equal(0)
    })

    it('are read by exact numbers, and the rest stays', async () => {
      const [ours, theirs] = await streamPair(await connect())

      await ours.write(encode('hello '))
      await ours.write(encode('world'))
      expect(text(await theirs.read({ bytes: 8 }))).to.equal('hello wo')
      expect(await theirs.read({ bytes: 0 })).to.have.lengthOf(0)
      expect(text(await theirs.read({ bytes: 3 }))).to.equal('rld')

      const more = theirs.read({ bytes: 2 })

      await ours.write(encode('!'))
      expect(await outcomeOf(more)).to.equal('pending')
      await ours.write(encode('?'))
      expect(text(await more)).to.equal('!?')
    })

    it('are asked for by a whole number', async () => {
      const [ours] = await streamPair(await connect())

      for (const bytes of [-1, 1.5, NaN, Infinity]) {
        expect(await failureOf(ours.read({ bytes }))).to.have.property('name', 'InvalidParametersError')
      }
    })

    it('that are too few are an error that leaves them to be read, and come before the end', async () => {
      const [ours, theirs] = await streamPair(await connect())
      let ended = false

      theirs.addEventListener('end', () => { ended = true })
      await ours.write(encode('few'))

      const reading = failureOf(theirs.read({ bytes: 4 }))

      await until(() => theirs.stats().bytesReceived === 3)
      await ours.closeWrite()
      expect(await reading).to.include({ name: 'UnexpectedEOFError', scope: 'stream', origin: 'remote' })
      expect(ended).to.be.false()
      expect(text(await theirs.read())).to.equal('few')
      expect(await theirs.read()).to.be.null()
      expect(ended).to.be.true()
      expect(await theirs.read()).to.be.null()
    })

    it('pushed back by a listener that waits for more, are given to it again with what came since', async () => {
      const [ours, theirs] = await streamPair(await connect())
      let calls = 0
      const whole = new Promise<string | undefined>(resolve => {
        theirs.addEventListener('message', ({ data }) => {
          calls++

          if (data.byteLength < 6) {
            theirs.unshift(data)
          } else {
            resolve(text(data.subarray()))
          }
        })
      })

      await ours.write(encode('few'))
      await until(() => calls > 3)
      await ours.write(encode('er.'))
      expect(await whole).to.equal('fewer.')
    })

    it('of a read that was given up, go to whoever waits for some', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const giveUp = new AbortController()
      const reading = failureOf(theirs.read({ bytes: 4, signal: giveUp.signal }))

      await ours.write(encode('few'))
      await until(() => theirs.stats().bytesReceived === 3)

      const next = theirs[Symbol.asyncIterator]().next()

      giveUp.abort(new Error('enough'))
      expect(await reading).to.have.property('message', 'enough')
      expect((await next).value?.byteLength).to.equal(3)
    })

    it('of a read that was given up, are gone when the stream was aborted before', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const giveUp = new AbortController()
      const reading = failureOf(theirs.read({ bytes: 4, signal: giveUp.signal }))

      await ours.write(encode('few'))
      await until(() => theirs.stats().bytesReceived === 3)
      giveUp.signal.addEventListener('abort', () => { theirs.abort(new Error('no more')) })
      giveUp.abort(new Error('enough'))
      await reading
      expect([theirs.readBufferLength, theirs.readStatus]).to.deep.equal([0, 'closed'])
    })

    it('go to two readers in the order in which they asked', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const first = theirs.read()
      const second = theirs.read({ bytes: 2 })
      const third = theirs.read()

      await ours.write(encode('a'))
      expect(text(await first)).to.equal('a')
      await ours.write(encode('bc'))
      expect(text(await second)).to.equal('bc')
      expect(await outcomeOf(third)).to.equal('pending')
      await ours.write(encode('d'))
      expect(text(await third)).to.equal('d')
    })

    it('go both ways when both sides write before they read', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const sent = bytesOf(200_000)

      await Promise.all([ours, theirs].map(async stream => {
        await stream.write(sent)
        await stream.closeWrite()
      }))

      for (const received of await Promise.all([ours, theirs].map(readAll))) {
        expect(Buffer.compare(received, sent)).to.equal(0)
      }

      await until(() => ours.status === 'closed' && theirs.status === 'closed')
    })

    it('are delivered in full when the stream is closed with them queued', async () => {
      const [ours, theirs] = await streamPair(await connect())

      ours.send(bytesOf(200_000))

      const closed = ours.close()

      expect(await readAll(theirs)).to.have.lengthOf(200_000)
      await closed
    })

    it('go to those who listen for messages, and to those who iterate', async () => {
      const pair = await connect()
      const [ours, theirs] = await streamPair(pair)
      const message = eventOf(theirs, 'message')

      await ours.write(encode('event'))
      expect(text((await message).data.subarray())).to.equal('event')

      const [ours2, theirs2] = await streamPair(pair)
      let received = ''

      await ours2.write(encode('iterated'))
      await ours2.close()

      for await (const data of theirs2) {
        received += text(data.subarray())
      }

      expect(received).to.equal('iterated')
    })
  })

  describe('ends', () => {
    for (const first of ['opener', 'accepter'] as const) {
      it(`of the ${first} come first, and the other half goes on`, async () => {
        const [ours, theirs] = await streamPair(await connect())
        const [ending, other] = first === 'opener' ? [ours, theirs] : [theirs, ours]

        await ending.write(encode('last words'))
        await ending.closeWrite()
        expect(ending.writeStatus).to.equal('closed')
        expect(text(await readAll(other))).to.equal('last words')
        expect(other.remoteWriteStatus).to.equal('closed')
        expect(other.status).to.equal('open')

        await other.write(encode('an answer'))
        await other.close()
        expect(text(await readAll(ending))).to.equal('an answer')
        await until(() => ours.status === 'closed' && theirs.status === 'closed')
        expect(ending.stats()).to.not.have.property('reset')
      })
    }

    it('come once: to close again is no error, to write is', async () => {
      const [ours] = await streamPair(await connect())

      await ours.close()
      await ours.close()
      await ours.closeWrite()
      expect(await failureOf(ours.write(encode('late')))).to.have.property('name', 'StreamStateError')
    })

    it('of a reader leave the writer its own half', async () => {
      const [ours, theirs] = await streamPair(await connect())

      await ours.closeRead()
      expect(ours.readStatus).to.equal('closed')
      expect(await ours.read()).to.be.null()
      await ours.write(encode('still here'))
      expect(text(await theirs.read())).to.equal('still here')
    })

    it('are brought about by `await using`', async () => {
      const pair = await connect()
      const [ours, theirs] = await streamPair(pair)

      {
        await using stream = ours

        await stream.write(encode('all of it'))
      }

      expect(text(await readAll(theirs))).to.equal('all of it')
      await theirs.close()
      await until(() => ours.status === 'closed')
    })
  })

  describe('resets', () => {
    it('are ours, by whatever error: a relay gives up one stream with that of another', async () => {
      const pair = await connect()
      const [incoming, sender] = await streamPair(pair)
      const [outgoing, receiver] = await streamPair(pair)
      const [broken, given, received] = [eventOf<StreamCloseEvent>(incoming, 'close'), eventOf<StreamCloseEvent>(outgoing, 'close'), eventOf<StreamCloseEvent>(receiver, 'close')]

      sender.reset()

      const { error } = await broken

      outgoing.abort(error as Error)
      expect(await given).to.include({ error, local: true })
      expect(outgoing.status).to.equal('aborted')
      expect(outgoing.stats().reset).to.include({ by: 'local' })
      expect((await received).local).to.be.false()
      expect([incoming.status, receiver.status]).to.deep.equal(['reset', 'reset'])
      expect(incoming.stats().reset).to.include({ by: 'remote' })
    })

    it('are ours with the connection that we abort by whatever error', async () => {
      const pair = await connect()
      const [ours] = await streamPair(pair)
      const closed = eventOf<StreamCloseEvent>(ours, 'close')
      const error = new StreamResetError('of another connection', { origin: 'remote' })

      pair.dialer.abort(error)
      expect(await closed).to.include({ error, local: true })
      expect(ours.status).to.equal('aborted')
    })

    it('stay the peer\'s when our side aborts what it had reset before', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const closed = eventOf<StreamCloseEvent>(ours, 'close')

      theirs.reset()
      const { error } = await closed

      ours.abort(error as Error)
      expect(ours.status).to.equal('reset')
      expect(ours.stats().reset).to.include({ by: 'remote' })
    })

    for (const by of ['opener', 'accepter'] as const) {
      for (const pending of ['with nothing', 'with bytes'] as const) {
        it(`by the ${by} reach the other side as an error, ${pending} under way`, async () => {
          const [ours, theirs] = await streamPair(await connect())
          const [resetting, other] = by === 'opener' ? [ours, theirs] : [theirs, ours]
          const closed = eventOf<StreamCloseEvent>(other, 'close')

          if (pending === 'with bytes') {
            resetting.send(bytesOf(10_000))
            other.send(bytesOf(10_000))
          }

          resetting.reset(StreamErrorCode.rateLimited)
          expect(resetting.status).to.equal('aborted')
          expect(resetting.stats().reset).to.include({ by: 'local' })

          const { error, local } = await closed

          expect(local).to.be.false()
          expect(error).to.include({ name: 'StreamResetError', scope: 'stream', origin: 'remote' })
          expect(other.status).to.equal('reset')
          expect(other.stats().reset).to.include({ by: 'remote' })

          if (setup.can.codes) {
            expect(error).to.include({ code: StreamErrorCode.rateLimited, codeName: 'rateLimited' })
            expect(other.stats().reset).to.include({ code: StreamErrorCode.rateLimited })
          } else {
            expect(error).to.have.property('code', undefined)
            expect(other.stats().reset).to.not.have.property('code')
          }

          expect(await failureOf(readAll(other))).to.equal(error)
          expect(await failureOf(other.write(encode('late')))).to.equal(error)
        })
      }
    }

    it('end every wait on both sides', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const waits = [ours.read(), ours.read({ bytes: 5 }), theirs.read(), theirs.readLengthPrefixed()].map(failureOf)

      ours.reset()

      expect((await Promise.all(waits)).map(({ name, origin }) => `${name} ${origin}`)).to.deep.equal([
        'StreamResetError local', 'StreamResetError local', 'StreamResetError remote', 'StreamResetError remote'
      ])
    })

    it('take codes of 32 bits only', async () => {
      const [ours] = await streamPair(await connect())

      for (const code of [-1, 0.5, 2 ** 32]) {
        expect(() => { ours.reset(code) }).to.throw().with.property('name', 'InvalidParametersError')
      }

      expect(ours.status).to.equal('open')
    })

    it('by abort() give the error to our side and a reset to the other', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const reason = new Error('enough')
      const reading = failureOf(ours.read())
      const closed = eventOf<StreamCloseEvent>(theirs, 'close')

      ours.abort(reason)
      expect(await reading).to.equal(reason)
      expect((await closed).error).to.have.property('name', 'StreamResetError')
    })
  })

  if (setup.can.flowControl) {
    describe('a reader that does not read', () => {
      it('makes the writer wait, and every byte comes in the end', async () => {
        const [ours, theirs] = await streamPair(await connect())
        const taken = await fill(ours)
        const waiting = ours.write(encode('the last'))

        expect(await outcomeOf(waiting)).to.equal('pending')

        const received = readAll(theirs)

        await waiting
        await ours.close()
        expect(Buffer.compare(await received, Buffer.concat([filled(taken), encode('the last')]))).to.equal(0)
      })

      it('keeps writes in the order in which they were made', async () => {
        const [ours, theirs] = await streamPair(await connect())
        const taken = await fill(ours)
        const drained = eventOf(ours, 'drain').then(async () => ours.write(encode('3')))
        const writes = ['1', '2'].map(async message => ours.write(encode(message)))
        const received = readAll(theirs)

        await Promise.all([drained, ...writes])
        await ours.close()
        expect(text((await received).subarray(taken))).to.equal('123')
      })

      it('that is gone ends the wait of the writer', async () => {
        const [ours, theirs] = await streamPair(await connect())

        await fill(ours)

        const waiting = failureOf(ours.write(encode('never')))

        theirs.reset()
        expect(await waiting).to.include({ name: 'StreamResetError', origin: 'remote' })
      })
    })
  }
}
