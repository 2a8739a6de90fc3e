import { expect } from 'aegir/chai'
import { systemClock } from '../../src/connection/clock.ts'
import { until } from '../../trials/faults/round.ts'
import { Timers } from '../../trials/faults/timers.ts'

/** The platform tells of it in a later turn of the event loop. */
const SOON_MILLIS = 5_000

describe('trials: timers that are alive', () => {
  let timers: Timers

  async function untilNone (): Promise<void> {
    await until(() => Object.keys(timers.counts()).length === 0, SOON_MILLIS)
    expect(timers.counts()).to.deep.equal({})
  }

  beforeEach(() => {
    timers = new Timers(file => file === import.meta.url)
  })

  it('are counted when they keep no process alive, by who made them, until they are cleared', async () => {
    await timers.during(async () => {
      const made = [1, 2].map(() => setInterval(() => {}, 2 ** 30).unref())
      const [[place, number], ...others] = Object.entries(timers.counts())

      expect(place).to.match(/^timer of test\/trials\/timers\.spec\.[jt]s:\d+/)
      expect(number).to.equal(2)
      expect(others).to.be.empty()

      made.forEach(clearInterval)
      await untilNone()
    })
  })

  it('are counted until they have rung', async () => {
    await timers.during(async () => {
      const rung = new Promise<void>(resolve => { setTimeout(resolve, 5) })

      setImmediate(() => {})
      expect(Object.values(timers.counts())).to.deep.equal([1, 1])
      await rung
      await untilNone()
    })
  })

  it('of a signal are told apart, as they end with it', async () => {
    await timers.during(async () => {
      const signal = AbortSignal.timeout(60_000)

      expect(signal.aborted).to.be.false()
      expect(Object.values(timers.counts())).to.deep.equal([1])
      expect(timers.counts(true)).to.deep.equal({})
    })
  })

  it('are those of a muxer, and not those of whoever uses it', async () => {
    timers = new Timers()

    await timers.during(async () => {
      const theirs = setTimeout(() => {}, 60_000)
      const cancel = systemClock.schedule(() => {}, 60_000)

      expect(Object.keys(timers.counts())).to.have.lengthOf(1)
      expect(Object.keys(timers.counts())[0]).to.match(/^timer of src\/connection\/clock\.[jt]s:\d+$/)

      clearTimeout(theirs)
      cancel()
      await untilNone()
    })
  })

  it('are those of what is tried, and not those of what goes on beside it', async () => {
    const rung = Promise.withResolvers<void>()
    let other: NodeJS.Timeout | undefined

    // as the muxer of another test does that was left as it was: its alarm sets the next
    setTimeout(() => {
      other = setTimeout(() => {}, 60_000)
      rung.resolve()
    }, 1)

    await timers.during(async () => {
      await rung.promise
      expect(timers.counts()).to.deep.equal({})

      const own = setTimeout(() => {}, 60_000)

      expect(Object.values(timers.counts())).to.deep.equal([1])
      clearTimeout(own)
    })

    clearTimeout(other)
  })
})
