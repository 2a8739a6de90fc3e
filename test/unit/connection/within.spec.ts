import { expect } from 'aegir/chai'
import { Waiters } from '../../../src/connection/waiters.ts'
import { within } from '../../../src/connection/within.ts'
import { muxedPair, openPair } from '../../support/muxers.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { noUnhandledRejections, outcomeOf } from '../../support/waiting.ts'

/** A signal that lives long, and how many listen to it. */
class Listened {
  readonly controller = new AbortController()
  readonly signal = this.controller.signal
  readonly #listeners = new Set<unknown>()
  added = 0

  constructor () {
    const { signal } = this
    const add: any = signal.addEventListener.bind(signal)
    const remove: any = signal.removeEventListener.bind(signal)

    signal.addEventListener = (type: string, listener: unknown, options?: unknown) => {
      this.added++
      this.#listeners.add(listener)
      add(type, listener, options)
    }
    signal.removeEventListener = (type: string, listener: unknown) => {
      this.#listeners.delete(listener)
      remove(type, listener)
    }
  }

  get listeners (): number {
    return this.#listeners.size
  }
}

describe('connection: waits with a time limit', () => {
  noUnhandledRejections()

  it('leave neither a timer nor a listener when they end in time', async () => {
    const clock = new VirtualClock()
    const listened = new Listened()
    const waiters = new Waiters()
    const waiting = within(1_000, 'readTimeout', listened.signal, async signal => waiters.wait(() => true, signal), clock)

    expect([clock.pending, listened.listeners]).to.deep.equal([1, 1])
    waiters.notify()
    await waiting
    expect([clock.pending, listened.listeners]).to.deep.equal([0, 0])
  })

  it('end when the time is over, with an error that names the option', async () => {
    const clock = new VirtualClock()
    const listened = new Listened()
    const waiting = within(1_000, 'readTimeout', listened.signal, async signal => new Waiters().wait(() => false, signal), clock)
    const outcome = outcomeOf(waiting)

    expect(await outcome).to.equal('pending')
    await clock.advance(999)
    expect(await outcomeOf(waiting)).to.equal('pending')
    await clock.advance(1)
    await expect(waiting).to.eventually.be.rejectedWith('waited for 1000 ms (option readTimeout)')
      .with.property('name', 'TimeoutError')
    expect([clock.pending, listened.listeners]).to.deep.equal([0, 0])
  })

  it('end with the reason of the signal, also of one that aborted before', async () => {
    const clock = new VirtualClock()
    const reason = new Error('enough')

    for (const early of [true, false]) {
      const listened = new Listened()

      if (early) {
        listened.controller.abort(reason)
      }

      const waiting = within(1_000, 'readTimeout', listened.signal, async signal => new Waiters().wait(() => false, signal), clock)

      listened.controller.abort(reason)
      expect(await outcomeOf(waiting)).to.equal(reason)
      expect([clock.pending, listened.listeners]).to.deep.equal([0, 0])
    }
  })

  it('have no timer without a limit, and the signal itself', async () => {
    const clock = new VirtualClock()
    const { signal } = new AbortController()

    expect(await within(Infinity, 'readTimeout', signal, async given => given, clock)).to.equal(signal)
    expect(await within(1_000, 'readTimeout', undefined, async given => given?.aborted, clock)).to.be.false()
    expect(clock.pending).to.equal(0)
  })

  it('are those of the reads and writes of a stream', async () => {
    const [outbound, inbound] = await openPair(muxedPair())
    const reader = new Listened()
    const writer = new Listened()

    inbound.readTimeout = 60_000
    outbound.writeTimeout = 60_000

    for (let i = 0; i < 20; i++) {
      const reading = inbound.readLengthPrefixed({ maxSize: 1_000_000, signal: reader.signal })

      // more than the stream queues
      await outbound.writeLengthPrefixed(new Uint8Array(500_000), { signal: writer.signal })
      await reading
    }

    expect(reader.added).to.be.at.least(20)
    expect(writer.added).to.be.at.least(20)
    expect([reader.listeners, writer.listeners]).to.deep.equal([0, 0])
  })
})
