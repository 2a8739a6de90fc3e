import { expect } from 'aegir/chai'
import { Alarm, systemClock } from '../../../src/connection/clock.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { turn } from '../../support/waiting.ts'

describe('connection: the system clock', () => {
  it('never runs backwards', () => {
    const first = systemClock.now()

    expect(systemClock.now()).to.be.at.least(first)
  })

  it('calls back, not at once', async () => {
    let called = false

    const waiting = new Promise<void>(resolve => {
      systemClock.schedule(() => {
        called = true
        resolve()
      }, 0)
    })

    expect(called).to.be.false()
    await waiting
    expect(called).to.be.true()
  })

  it('does not call back once that was taken back', async () => {
    const order: string[] = []
    const cancel = systemClock.schedule(() => { order.push('cancelled') }, 0)

    cancel()
    await new Promise<void>(resolve => {
      systemClock.schedule(() => { order.push('later'); resolve() }, 1)
    })
    expect(order).to.deep.equal(['later'])
  })

  it('takes times that are too long for a timer as the longest there is, not as none', async () => {
    let called = false
    const cancels = [Infinity, 2 ** 31, 1e12].map(millis => systemClock.schedule(() => { called = true }, millis))

    await turn()
    await turn()
    cancels.forEach(cancel => { cancel() })
    expect(called).to.be.false()
  })

  it('holds up no process that has nothing else to wait for', () => {
    const before = process.getActiveResourcesInfo().filter(type => type === 'Timeout').length
    const cancel = systemClock.schedule(() => {}, 100_000)

    expect(process.getActiveResourcesInfo().filter(type => type === 'Timeout').length).to.equal(before)
    cancel()
  })
})

describe('connection: an alarm', () => {
  function alarm (): { clock: VirtualClock, alarm: Alarm, rings: number[] } {
    const clock = new VirtualClock(0)
    const rings: number[] = []

    return { clock, rings, alarm: new Alarm(clock, () => { rings.push(clock.now()) }) }
  }

  it('rings at its time, once', async () => {
    const { clock, alarm: it, rings } = alarm()

    it.set(100)
    await clock.advance(99)
    expect(rings).to.deep.equal([])
    await clock.advance(1_000)
    expect(rings).to.deep.equal([100])
  })

  it('is moved to an earlier time', async () => {
    const { clock, alarm: it, rings } = alarm()

    it.set(100)
    it.set(50)
    expect(clock.pending).to.equal(1)
    await clock.advance(1_000)
    expect(rings).to.deep.equal([50])
  })

  it('is not moved to a later time, nor by no time', async () => {
    const { clock, alarm: it, rings } = alarm()

    it.set(100)
    it.set(200)
    it.set(undefined)
    await clock.advance(1_000)
    expect(rings).to.deep.equal([100])
  })

  it('can be set again when it rings', async () => {
    const clock = new VirtualClock(0)
    const rings: number[] = []
    const it: Alarm = new Alarm(clock, () => {
      rings.push(clock.now())
      it.set(clock.now() + 10)
    })

    it.set(10)
    await clock.advance(35)
    expect(rings).to.deep.equal([10, 20, 30])
    it.stop()
    expect(clock.pending).to.equal(0)
  })

  it('rings at once for a time that has passed', async () => {
    const { clock, alarm: it, rings } = alarm()

    clock.skip(100)
    it.set(50)
    await clock.advance(0)
    expect(rings).to.deep.equal([100])
  })

  it('stopped, does not ring, and can be set again', async () => {
    const { clock, alarm: it, rings } = alarm()

    it.stop()
    it.set(100)
    it.stop()
    expect(clock.pending).to.equal(0)
    await clock.advance(1_000)
    it.set(1_500)
    await clock.advance(1_000)
    expect(rings).to.deep.equal([1_500])
  })

  describe('that rings late', () => {
    /** A clock whose timers ring when the test says so. */
    function lateAlarm (): { clock: { time: number, ring(): void, scheduled: number }, alarm: Alarm, rings: number[] } {
      const rings: number[] = []

      const clock = {
        time: 0,
        scheduled: 0,
        ring () {},
        now: () => clock.time,
        schedule (callback: () => void) {
          clock.scheduled++
          clock.ring = callback

          return () => { clock.ring = () => {} }
        }
      }

      return { clock, rings, alarm: new Alarm(clock, () => { rings.push(clock.time) }) }
    }

    it('by no more than timers are by themselves, does so at once', () => {
      const { clock, alarm: it, rings } = lateAlarm()

      it.set(100)
      clock.time = 102
      clock.ring()
      expect(rings).to.deep.equal([102])
    })

    it('lets the event loop read what came meanwhile', async () => {
      const { clock, alarm: it, rings } = lateAlarm()

      it.set(100)
      clock.time = 103
      clock.ring()
      expect(rings).to.deep.equal([])
      // what was read sets it again, for what has not been judged yet
      it.set(100)
      await turn()
      expect(rings).to.deep.equal([103])
      await turn()
      expect(rings).to.deep.equal([103])
      expect(clock.scheduled).to.equal(1)
    })

    it('does so once for each time that it was set, however late it always is', async () => {
      const { clock, alarm: it, rings } = lateAlarm()

      for (let i = 1; i <= 3; i++) {
        it.set(clock.time + 10)
        clock.time += 1_000
        clock.ring()
        clock.time += 1_000
        await turn()
        expect(rings).to.have.lengthOf(i)
      }
    })

    it('rings no more when it is stopped meanwhile', async () => {
      const { clock, alarm: it, rings } = lateAlarm()

      it.set(100)
      clock.time = 1_000
      clock.ring()
      it.stop()
      await turn()
      expect(rings).to.deep.equal([])
    })

    it('since it was set too late goes by a timer first, as all that is behind one comes after what is read', async () => {
      const { clock, alarm: it, rings } = lateAlarm()

      clock.time = 1_000
      it.set(100)
      await turn()
      expect(rings).to.deep.equal([])
      clock.ring()
      await turn()
      expect(rings).to.deep.equal([1_000])
    })
  })
})
