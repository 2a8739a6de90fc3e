/** Every wait ends: by a signal, by an abort, by a reset, by a cut; each with an error that says by which. */
import { expect } from 'aegir/chai'
import all from 'it-all'
import { FIN, RST, SYN, data, goAway, pattern, windowUpdate } from '../support/frames.ts'
import { inboundStream, muxerAndPeer } from '../support/muxers.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { eventOf, noUnhandledRejections, outcomeOf, turn } from '../support/waiting.ts'
import type { MuxedStream } from '../../src/connection/stream.ts'
import type { WithPeer } from '../support/muxers.ts'

interface Wait {
  name: string

  /** Waits for what never comes. */
  start(setup: WithPeer, stream: MuxedStream, signal?: AbortSignal): Promise<unknown>

  /** The names of the errors by which it ends. */
  onStreamAbort?: string
  onReset?: string
  onMuxerAbort: string
  onCut: string
  onGoAway: string
  takesSignal: boolean
}

const WAITS: Wait[] = [{
  name: 'onDrain()',
  start: async (_, stream, signal) => stream.onDrain({ signal }),
  onStreamAbort: 'EnoughError',
  onReset: 'StreamResetError',
  onMuxerAbort: 'EnoughError',
  onCut: 'ConnectionClosedError',
  onGoAway: 'GoAwayError',
  takesSignal: true
}, {
  name: 'close() of a stream',
  start: async (_, stream, signal) => stream.close({ signal }),
  onStreamAbort: 'EnoughError',
  onReset: 'StreamResetError',
  onMuxerAbort: 'EnoughError',
  onCut: 'ConnectionClosedError',
  onGoAway: 'GoAwayError',
  takesSignal: true
}, {
  name: 'the iterator',
  start: async (_, stream) => all(stream),
  onStreamAbort: 'EnoughError',
  onReset: 'StreamResetError',
  onMuxerAbort: 'EnoughError',
  onCut: 'ConnectionClosedError',
  onGoAway: 'GoAwayError',
  takesSignal: false
}, {
  name: 'createStream()',
  start: async ({ muxer }, _, signal) => muxer.createStream({ signal }),
  onMuxerAbort: 'MuxerClosedError',
  onCut: 'MuxerClosedError',
  onGoAway: 'MuxerClosedError',
  takesSignal: true
}, {
  name: 'ping()',
  start: async ({ muxer }, _, signal) => muxer.ping({ signal }),
  onMuxerAbort: 'EnoughError',
  onCut: 'ConnectionClosedError',
  onGoAway: 'GoAwayError',
  takesSignal: true
}, {
  name: 'close() of the muxer',
  start: async ({ muxer }, _, signal) => muxer.close({ signal }),
  onMuxerAbort: 'EnoughError',
  onCut: 'ConnectionClosedError',
  onGoAway: 'GoAwayError',
  takesSignal: true
}]

class EnoughError extends Error {
  name = 'EnoughError'
}

/** A stream whose queue is full for want of credit, on a muxer whose peer acknowledges nothing and answers nothing. */
async function stuck (): Promise<WithPeer & { stream: MuxedStream }> {
  const setup = muxerAndPeer({ clock: new VirtualClock(), peer: { pongs: false } })
  const stream = await setup.muxer.createStream()

  await Promise.all(Array.from({ length: 255 }, async () => setup.muxer.createStream()))
  stream.send(new Uint8Array(1_048_576))
  await turn()

  return { ...setup, stream }
}

describe('contract: waits', () => {
  noUnhandledRejections()

  for (const wait of WAITS) {
    describe(wait.name, () => {
      it('does not end by itself', async () => {
        const setup = await stuck()
        const waiting = wait.start(setup, setup.stream)

        expect(await outcomeOf(waiting)).to.equal('pending')
        setup.muxer.abort(new EnoughError('enough'))
        await turn()
        expect(await outcomeOf(waiting)).to.not.equal('pending')
      })

      if (wait.takesSignal) {
        it('ends with the reason of its signal, and changes nothing by that', async () => {
          const setup = await stuck()
          const controller = new AbortController()
          const waiting = wait.start(setup, setup.stream, controller.signal)

          expect(await outcomeOf(waiting)).to.equal('pending')
          controller.abort()
          await expect(waiting).to.eventually.be.rejected.with.property('name', 'AbortError')
          expect(setup.stream.status).to.equal('open')
          expect(setup.muxer.status).to.be.oneOf(['open', 'closing'])
          expect(setup.maConn.status).to.equal('open')
          setup.muxer.abort(new EnoughError('enough'))
        })

        it('does not begin with a signal that was aborted before', async () => {
          const setup = await stuck()

          await expect(wait.start(setup, setup.stream, AbortSignal.abort(new EnoughError('too late'))))
            .to.eventually.be.rejected.with.property('name', 'EnoughError')
          setup.muxer.abort(new EnoughError('enough'))
        })
      }

      if (wait.onStreamAbort !== undefined) {
        it('ends with the error of an abort of the stream', async () => {
          const setup = await stuck()
          const waiting = wait.start(setup, setup.stream)

          expect(await outcomeOf(waiting)).to.equal('pending')
          setup.stream.abort(new EnoughError('enough'))
          await expect(waiting).to.eventually.be.rejected.with.property('name', wait.onStreamAbort)
        })

        it('ends with the reset by the peer', async () => {
          const setup = await stuck()
          const waiting = wait.start(setup, setup.stream)

          expect(await outcomeOf(waiting)).to.equal('pending')
          setup.peer.send(windowUpdate(1, 0, RST))
          await expect(waiting).to.eventually.be.rejected.with.property('name', wait.onReset)
        })
      }

      it('ends when the muxer is aborted', async () => {
        const setup = await stuck()
        const waiting = wait.start(setup, setup.stream)

        expect(await outcomeOf(waiting)).to.equal('pending')
        setup.muxer.abort(new EnoughError('enough'))
        await expect(waiting).to.eventually.be.rejected.with.property('name', wait.onMuxerAbort)
      })

      it('ends when the connection is cut', async () => {
        const setup = await stuck()
        const waiting = wait.start(setup, setup.stream)

        expect(await outcomeOf(waiting)).to.equal('pending')
        setup.link.cut(new Error('ECONNRESET'))
        await expect(waiting).to.eventually.be.rejected.with.property('name', wait.onCut)
      })

      it('ends when the peer ends the connection', async () => {
        const setup = await stuck()
        const waiting = wait.start(setup, setup.stream)

        expect(await outcomeOf(waiting)).to.equal('pending')
        setup.peer.send(goAway(1))
        await expect(waiting).to.eventually.be.rejected.with.property('name', wait.onGoAway)
      })
    })
  }

  it('several at once on one stream all end', async () => {
    const { muxer, stream } = await stuck()
    const waiting = [stream.onDrain(), stream.onDrain(), stream.close(), stream.close(), all(stream)]

    expect(await outcomeOf(Promise.race(waiting))).to.equal('pending')
    stream.abort(new EnoughError('enough'))

    for (const wait of waiting) {
      await expect(wait).to.eventually.be.rejected.with.property('name', 'EnoughError')
    }

    muxer.abort(new EnoughError('enough'))
  })

  it('that ended leave no listener on their signal', async () => {
    const { peer, stream, muxer } = await stuck()
    const controller = new AbortController()
    let listeners = 0
    const { signal } = controller
    const { addEventListener, removeEventListener } = signal

    signal.addEventListener = (...args: [any, any]) => { listeners++; addEventListener.apply(signal, args) }
    signal.removeEventListener = (...args: [any, any]) => { listeners--; removeEventListener.apply(signal, args) }

    const waiting = [stream.onDrain({ signal }), stream.close({ signal })]

    await turn()
    expect(listeners).to.equal(2)
    peer.send(windowUpdate(1, 1_048_576))
    await Promise.all(waiting)
    expect(listeners).to.equal(0)
    muxer.abort(new EnoughError('enough'))
  })

  it('closeRead() with a signal that was aborted before changes nothing', async () => {
    const { muxer, stream } = await stuck()

    await expect(stream.closeRead({ signal: AbortSignal.abort() })).to.eventually.be.rejected.with.property('name', 'AbortError')
    expect(stream.readStatus).to.equal('readable')
    muxer.abort(new EnoughError('enough'))
  })

  it('what a reader leaves behind is for those who listen, and the end behind it', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const ended = eventOf(stream, 'end')
    const read = stream.read({ bytes: 4 })
    let heard = 0

    stream.addEventListener('message', event => { heard += event.data.byteLength })
    setup.peer.send(data(1, pattern(10), FIN))
    expect((await read)?.byteLength).to.equal(4)
    await ended
    // the read counts as well: metrics watch the events of those who pull
    expect(stream.readBufferLength).to.equal(0)
    expect(heard).to.equal(10)
  })
})
