/** The same stream as `it-pipe` and as Web Streams have it. */
import { expect } from 'aegir/chai'
import { pipe } from 'it-pipe'
import { eventOf, outcomeOf, until } from '../../support/waiting.ts'
import { bytesOf, encode, failureOf, fill, pairs, readAll, streamPair, text } from './kit.ts'
import type { SurfaceSetup } from './kit.ts'
import type { Bytes } from '../../../src/interface/muxer.ts'

export function pipes (setup: SurfaceSetup): void {
  const connect = pairs(setup)

  describe('it-pipe', () => {
    it('pipes a stream through a transform into itself', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const echoing = pipe(theirs, async function * (source: AsyncIterable<Bytes>) {
        for await (const data of source) {
          yield data.subarray().map(byte => byte ^ 0xff)
        }
      }, theirs)
      const answer = readAll(ours)

      await ours.sink([bytesOf(100_000)])
      await echoing
      expect(Buffer.compare(await answer, bytesOf(100_000).map(byte => byte ^ 0xff))).to.equal(0)
    })

    it('resets the stream when the source fails', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const reason = new Error('the file is gone')
      const closed = eventOf(theirs, 'close')

      expect(await failureOf(ours.sink((async function * () {
        yield encode('so far')
        throw reason
      })()))).to.equal(reason)
      expect((await closed).error).to.include({ name: 'StreamResetError', origin: 'remote' })
      expect(ours.status).to.equal('aborted')
    })

    it('ends with the stream, though the source has nothing to say', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const never = Promise.withResolvers<Uint8Array>()
      const sinking = failureOf(pipe((async function * () {
        yield encode('once')
        yield await never.promise
      })(), ours.sink))

      expect(text(await theirs.read())).to.equal('once')
      theirs.reset()
      expect(await sinking).to.include({ name: 'StreamResetError', origin: 'remote' })
    })

    it('ends the source when the stream is gone', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const ended = Promise.withResolvers<void>()
      const closed = eventOf(ours, 'close')
      const sinking = failureOf(ours.sink((async function * () {
        try {
          yield encode('once')
          await closed
          yield encode('never')
        } finally {
          ended.resolve()
        }
      })()))

      expect(text(await theirs.read())).to.equal('once')
      theirs.reset()
      expect(await sinking).to.have.property('name', 'StreamResetError')
      await ended.promise
    })

    it('tells the reader of a source that the stream was reset', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const next = failureOf(theirs.source.next())

      ours.reset()
      expect(await next).to.include({ name: 'StreamResetError', origin: 'remote' })
    })
  })

  describe('Web Streams', () => {
    it('carry bytes from a writer to a reader', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const writer = ours.writable.getWriter()
      const sent = bytesOf(100_000)
      const received: Uint8Array[] = []

      await writer.write(sent.subarray(0, 50_000))
      await writer.write(sent.subarray(50_000))
      await writer.close()

      for await (const data of theirs.readable) {
        received.push(data)
      }

      expect(Buffer.compare(Buffer.concat(received), sent)).to.equal(0)
    })

    it('pipe one into the other', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const echoing = theirs.readable.pipeTo(theirs.writable)
      const answer = readAll(ours)

      await ours.write(encode('there and back'))
      await ours.close()
      await echoing
      expect(text(await answer)).to.equal('there and back')
    })

    it('give the same stream each time they are asked for', async () => {
      const [ours] = await streamPair(await connect())

      expect(ours.readable).to.equal(ours.readable)
      expect(ours.writable).to.equal(ours.writable)
    })

    it('read no more once cancelled, also while a read waits', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const reader = theirs.readable.getReader()
      const reading = reader.read()

      await outcomeOf(reading)
      await reader.cancel()
      expect(await reading).to.deep.equal({ done: true, value: undefined })
      expect(theirs.readStatus).to.equal('closed')
      await theirs.write(encode('but write'))
      expect(text(await ours.read())).to.equal('but write')
    })

    it('reset the stream when the writer gives up', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const closed = eventOf(theirs, 'close')
      const reason = new Error('enough')

      await ours.writable.getWriter().abort(reason)
      expect(ours.status).to.equal('aborted')
      expect((await closed).error).to.have.property('name', 'StreamResetError')
    })

    it('fail with the reset of the peer', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const reading = failureOf(theirs.readable.getReader().read())

      ours.reset()
      expect(await reading).to.include({ name: 'StreamResetError', origin: 'remote' })

      const writer = theirs.writable.getWriter()

      writer.closed.catch(() => {})
      expect(await failureOf(writer.write(encode('late')))).to.be.an('error')
    })

    it('tell a writer that waits for nothing that the peer has reset the stream', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const closed = failureOf(ours.writable.getWriter().closed)

      theirs.reset()
      expect(await closed).to.include({ name: 'StreamResetError', origin: 'remote' })
    })

    it('take nothing that nobody has asked for', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const { readable } = theirs

      await ours.write(encode('unread'))
      await until(() => theirs.readBufferLength === 6)
      expect(text((await readable.getReader().read()).value)).to.equal('unread')
    })

    if (setup.can.flowControl) {
      it('make the writer wait for a reader, and let it give up meanwhile', async () => {
        const [ours] = await streamPair(await connect())

        await fill(ours)

        const writer = ours.writable.getWriter()
        const writing = writer.write(encode('never'))
        const failure = failureOf(writing)

        writer.closed.catch(() => {})
        expect(await outcomeOf(writing)).to.equal('pending')
        expect(writer.desiredSize).to.equal(0)

        const reason = new Error('enough')

        await writer.abort(reason)
        expect(await failure).to.equal(reason)
        expect(ours.status).to.equal('aborted')
      })
    }
  })
}
