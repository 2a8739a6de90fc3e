/** Every wait ends by its signal, and those of a stream by their time limits. */
import { expect } from 'aegir/chai'
import { outcomeOf } from '../../support/waiting.ts'
import { encode, failureOf, fill, filled, pairs, readAll, streamPair, text } from './kit.ts'
import type { SurfacePair, SurfaceSetup } from './kit.ts'
import type { MuxedStream } from '../../../src/interface/muxer.ts'
import type { AbortOptions } from '@libp2p/interface'

interface Scene extends SurfacePair {
  ours: MuxedStream
  theirs: MuxedStream
}

export function waits (setup: SurfaceSetup): void {
  const connect = pairs(setup)

  async function scene (): Promise<Scene> {
    const pair = await connect()
    const [ours, theirs] = await streamPair(pair)

    return { ...pair, ours, theirs }
  }

  const kinds: Record<string, { before?(scene: Scene): Promise<unknown>, wait(scene: Scene, options: AbortOptions): Promise<unknown> }> = {
    acceptStream: { wait: async ({ dialer }, options) => dialer.acceptStream(options) },
    read: { wait: async ({ ours }, options) => ours.read(options) },
    'read of so many bytes': {
      before: async ({ theirs }) => theirs.write(encode('few')),
      wait: async ({ ours }, options) => ours.read({ ...options, bytes: 5 })
    },
    readLengthPrefixed: { wait: async ({ ours }, options) => ours.readLengthPrefixed(options) },
    'goAway over an open stream': { wait: async ({ dialer }, options) => dialer.goAway(0, options) }
  }

  if (setup.can.flowControl) {
    Object.assign(kinds, {
      write: {
        before: async ({ ours }) => fill(ours),
        wait: async ({ ours }, options) => ours.write(encode('never'), options)
      },
      writeLengthPrefixed: {
        before: async ({ ours }) => fill(ours),
        wait: async ({ ours }, options) => ours.writeLengthPrefixed(encode('never'), options)
      },
      closeWrite: {
        before: async ({ ours }) => fill(ours),
        wait: async ({ ours }, options) => ours.closeWrite(options)
      },
      'close of a connection': {
        before: async ({ ours }) => fill(ours),
        wait: async ({ dialer }, options) => dialer.close(options)
      }
    } satisfies typeof kinds)
  }

  if (setup.can.openBacklog) {
    Object.assign(kinds, {
      newStream: {
        before: async ({ dialer }) => {
          // beside the one that was accepted, and so acknowledged
          await Promise.all(Array.from({ length: 256 }, async () => dialer.newStream()))
        },
        wait: async ({ dialer }, options) => dialer.newStream(options)
      }
    } satisfies typeof kinds)
  }

  describe('a wait', () => {
    for (const [kind, { before, wait }] of Object.entries(kinds)) {
      it(`for ${kind} rejects with the reason of its signal`, async () => {
        const there = await scene()
        const controller = new AbortController()
        const reason = new Error('no time for that')

        await before?.(there)

        const waiting = wait(there, { signal: controller.signal })

        expect(await outcomeOf(waiting)).to.equal('pending')
        controller.abort(reason)
        expect(await failureOf(waiting)).to.equal(reason)
      })

      it(`for ${kind} does not begin when its signal is aborted`, async () => {
        const there = await scene()
        const reason = new Error('too late')

        await before?.(there)
        expect(await failureOf(wait(there, { signal: AbortSignal.abort(reason) }))).to.equal(reason)
      })
    }

    it('of a read that was given up loses nothing', async () => {
      const { ours, theirs } = await scene()
      const controller = new AbortController()
      const reading = failureOf(theirs.read({ bytes: 6, signal: controller.signal }))

      await ours.write(encode('abc'))
      await outcomeOf(reading)
      controller.abort()
      expect(await reading).to.have.property('name', 'AbortError')
      await ours.write(encode('def'))
      expect(text(await theirs.read({ bytes: 6 }))).to.equal('abcdef')
    })

    it('that was given up does not hold up the next', async () => {
      const { ours, theirs } = await scene()
      const controller = new AbortController()
      const first = theirs.read()
      const second = failureOf(theirs.read({ signal: controller.signal }))
      const third = theirs.read()

      controller.abort()
      expect(await second).to.have.property('name', 'AbortError')
      await ours.write(encode('1'))
      expect(text(await first)).to.equal('1')
      await ours.write(encode('3'))
      expect(text(await third)).to.equal('3')
    })

    it('for an accepted stream that was given up loses no stream', async () => {
      const { dialer, listener } = await scene()
      const controller = new AbortController()
      const first = failureOf(listener.acceptStream({ signal: controller.signal }))
      const second = listener.acceptStream()

      controller.abort()
      expect(await first).to.have.property('name', 'AbortError')

      const ours = await dialer.newStream()

      await ours.write(encode('hello'))
      expect(text(await (await second).read())).to.equal('hello')
    })

    it('for a read is limited by the read timeout, and the stream stays', async () => {
      const { ours, theirs } = await scene()

      theirs.readTimeout = 10
      expect(await failureOf(theirs[Symbol.asyncIterator]().next())).to.include({ name: 'TimeoutError', scope: 'stream' })
      expect(await failureOf(theirs.read())).to.include({ name: 'TimeoutError', scope: 'stream', origin: 'local' })
      expect((await failureOf(theirs.readLengthPrefixed())).message).to.contain('readTimeout')
      theirs.readTimeout = Infinity
      await ours.write(encode('later'))
      expect(text(await theirs.read())).to.equal('later')
    })

    it('is limited by the timeouts that the stream was opened with', async () => {
      const { dialer } = await scene()
      const stream = await dialer.newStream({ readTimeout: 10, writeTimeout: 20 })

      expect(stream).to.include({ readTimeout: 10, writeTimeout: 20 })
      expect(await failureOf(stream.read())).to.have.property('name', 'TimeoutError')
    })

    if (setup.can.flowControl) {
      it('for a write is limited by the write timeout, and nothing of it is sent', async () => {
        const { ours, theirs } = await scene()
        const taken = await fill(ours)

        ours.writeTimeout = 10

        const failures = await Promise.all(['one', 'two'].map(async message => failureOf(ours.write(encode(message)))))

        for (const failure of failures) {
          expect(failure).to.include({ name: 'TimeoutError', scope: 'stream', origin: 'local' })
          expect(failure.message).to.contain('writeTimeout')
        }

        ours.writeTimeout = Infinity

        const received = readAll(theirs)

        await ours.write(encode('three'))
        await ours.close()
        expect(Buffer.compare(await received, Buffer.concat([filled(taken), encode('three')]))).to.equal(0)
      })
    }
  })
}
