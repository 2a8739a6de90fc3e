/** The connection breaks, at every stage of a stream. */
import { expect } from 'aegir/chai'
import { eventOf, until } from '../../support/waiting.ts'
import { bytesOf, encode, failureOf, fill, pairs, readAll, streamPair, text } from './kit.ts'
import type { SurfacePair, SurfaceSetup } from './kit.ts'
import type { MuxedStream } from '../../../src/interface/muxer.ts'

/** Brings streams amid something, and gives what then waits. */
type Stage = (pair: SurfacePair, ours: MuxedStream, theirs: MuxedStream) => Promise<Array<Promise<unknown>>>

export function cuts (setup: SurfaceSetup): void {
  const connect = pairs(setup)

  const stages: Record<string, Stage> = {}
  const during = (stage: string, begin: Stage): void => {
    stages[stage] = begin
  }

  during('a read', async (_, ours, theirs) => [ours.read(), theirs.read({ bytes: 4 })])
  during('a message', async (_, ours, theirs) => {
    await ours.write(Uint8Array.of(5, 1, 2))

    return [theirs.readLengthPrefixed(), ours.readLengthPrefixed()]
  })
  during('a half-closed stream', async (_, ours, theirs) => {
    await ours.close()
    expect(await theirs.read()).to.be.null()

    return [ours.read()]
  })
  during('a Web reader', async (_, ours, theirs) => [ours.readable.getReader().read(), theirs.source.next()])
  during('goAway', async ({ dialer, listener }) => [dialer.goAway(), listener.goAway()])

  if (setup.can.flowControl) {
    during('a write', async (_, ours) => {
      await fill(ours)

      return [ours.write(encode('never')), ours.write(encode('neither'))]
    })
    during('the close of a stream', async (_, ours) => {
      await fill(ours)

      return [ours.close()]
    })
    during('the close of a connection', async ({ dialer }, ours) => {
      await fill(ours)

      return [dialer.close()]
    })
  }

  describe('a connection that is cut', () => {
    for (const [stage, begin] of Object.entries(stages)) {
      it(`during ${stage} ends every wait with an error`, async () => {
        const pair = await connect()
        const [ours, theirs] = await streamPair(pair)
        const closed = [ours, theirs].map(async stream => eventOf(stream, 'close'))
        const failures = (await begin(pair, ours, theirs)).map(failureOf)

        pair.cut()

        for (const failure of await Promise.all(failures)) {
          expect(failure).to.have.property('name').that.is.oneOf(['ConnectionClosedError', 'MuxerClosedError'])
        }

        for (const { error, local } of await Promise.all(closed)) {
          expect(error).to.include({ name: 'ConnectionClosedError', scope: 'connection', origin: 'transport' })
          expect(local).to.be.false()
        }

        await until(() => pair.dialer.status === 'closed' && pair.listener.status === 'closed')
        expect([ours.status, theirs.status]).to.deep.equal(['reset', 'reset'])
        expect(await failureOf(ours.write(encode('late')))).to.be.an('error')
      })
    }

    it('ends the wait for streams, and lets none be opened', async () => {
      const { dialer, listener, cut } = await connect()
      const waits = [dialer.acceptStream(), listener.inboundStreams[Symbol.asyncIterator]().next().then(({ done }) => {
        if (done === true) {
          throw Object.assign(new Error('ended'), { name: 'MuxerClosedError' })
        }
      })].map(failureOf)

      cut()

      for (const failure of await Promise.all(waits)) {
        expect(failure).to.have.property('name').that.is.oneOf(['ConnectionClosedError', 'MuxerClosedError'])
      }

      expect(await failureOf(dialer.newStream())).to.have.property('name').that.is.oneOf(['ConnectionClosedError', 'MuxerClosedError'])
    })

    it('leaves what had arrived with its end to be read', async () => {
      const pair = await connect()
      const [ours, theirs] = await streamPair(pair)

      await ours.write(encode('all of it'))
      await ours.close()
      await until(() => theirs.remoteWriteStatus === 'closed')
      pair.cut()
      await until(() => pair.listener.status === 'closed')
      expect(text(await readAll(theirs))).to.equal('all of it')
    })

    it('is no end to what had not ended', async () => {
      const pair = await connect()
      const [ours, theirs] = await streamPair(pair)

      await ours.write(bytesOf(1_000))
      await until(() => theirs.readBufferLength === 1_000)
      pair.cut()
      expect(await failureOf(readAll(theirs))).to.include({ name: 'ConnectionClosedError', origin: 'transport' })
    })

    it('does not touch a stream that had ended', async () => {
      const pair = await connect()
      const [ours, theirs] = await streamPair(pair)

      await Promise.all([ours.close(), theirs.close()])
      await until(() => ours.status === 'closed' && theirs.status === 'closed')
      pair.cut()
      await until(() => pair.dialer.status === 'closed')
      expect(await ours.read()).to.be.null()
      expect(ours.status).to.equal('closed')
    })
  })
}
