import { expect } from 'aegir/chai'
import { RoundTrip } from '../../../src/core/round-trip.ts'
import { ReceiveWindow, SendWindow } from '../../../src/core/windows.ts'
import type { GrowthBudget, Pace } from '../../../src/core/windows.ts'

const U32 = 2 ** 32 - 1

let idle = 0

/** A receiver that waits for its peer all of the time. */
function rtt (millis?: number): Pace {
  const roundTrip = new RoundTrip()

  if (millis !== undefined) {
    // as often as it takes to believe it
    [0, 1, 2].forEach(() => { roundTrip.sample(millis) })
  }

  return {
    roundTrip,
    get idleMillis () {
      idle += 1_000_000

      return idle
    }
  }
}

const UNKNOWN = rtt()
const NONE: GrowthBudget = { left: 0 }

/** The peer uses all it has, and all of it is read. */
function useAll (window: ReceiveWindow, now: number, pace: Pace, budget: GrowthBudget): number {
  window.receive(window.available)

  return window.update(0, now, pace, budget)
}

describe('core/windows', () => {
  describe('what the peer lets us send', () => {
    it('adds up', () => {
      const window = new SendWindow(10)

      expect(window.grant(0)).to.be.true()
      expect(window.grant(5)).to.be.true()
      expect(window.available).to.equal(15)
    })

    it('may be as much as 32 bits hold', () => {
      const window = new SendWindow(262_144)

      expect(window.grant(U32 - 262_144)).to.be.true()
      expect(window.available).to.equal(U32)
    })

    it('refuses a sum over 32 bits, and stays what it was', () => {
      const window = new SendWindow(262_144)

      expect(window.grant(U32 - 262_143)).to.be.false()
      expect(window.grant(U32)).to.be.false()
      expect(window.available).to.equal(262_144)
    })
  })

  describe('what we let the peer send', () => {
    it('is taken byte by byte, down to none', () => {
      const window = new ReceiveWindow(100, 100, 0)

      expect(window.receive(60)).to.be.true()
      expect(window.receive(40)).to.be.true()
      expect(window.receive(0)).to.be.true()
      expect(window.available).to.equal(0)
    })

    it('refuses a byte beyond it, and stays what it was', () => {
      const window = new ReceiveWindow(100, 100, 0)

      expect(window.receive(101)).to.be.false()
      expect(window.available).to.equal(100)
    })

    it('owes nothing before half of it was read', () => {
      const window = new ReceiveWindow(100, 100, 0)

      window.receive(49)
      expect(window.update(0, 1_000, UNKNOWN, NONE)).to.equal(0)
      expect(window.available).to.equal(51)

      window.receive(1)
      expect(window.update(0, 1_000, UNKNOWN, NONE)).to.equal(50)
      expect(window.available).to.equal(100)
    })

    it('of a large window owes 256 KiB, long before half of it was read', () => {
      const window = new ReceiveWindow(16_777_216, 16_777_216, 0)

      window.receive(262_143)
      expect(window.update(0, 1_000, UNKNOWN, NONE)).to.equal(0)

      window.receive(1)
      expect(window.update(0, 1_000, UNKNOWN, NONE)).to.equal(262_144)
      expect(window).to.include({ size: 16_777_216, available: 16_777_216 })
    })

    it('of a large window takes its measure from half of it all the same', () => {
      const window = new ReceiveWindow(1_048_576, 4_194_304, 0)
      const budget = { left: 4_194_304 }

      window.receive(262_144)
      expect(window.update(0, 10, rtt(20), budget)).to.equal(262_144)
      window.receive(262_144)
      expect(window.update(0, 20, rtt(20), budget)).to.equal(262_144 + 1_048_576)
    })

    it('owes nothing for what was not read', () => {
      const window = new ReceiveWindow(100, 100, 0)

      window.receive(100)
      expect(window.update(100, 1_000, UNKNOWN, NONE)).to.equal(0)
      expect(window.update(51, 1_000, UNKNOWN, NONE)).to.equal(0)
      expect(window.update(50, 1_000, UNKNOWN, NONE)).to.equal(50)
      expect(window.available).to.equal(50)
    })

    it('doubles when half of it went within two round trips', () => {
      const window = new ReceiveWindow(100, 1_000, 0)

      window.receive(50)
      expect(window.update(0, 39, rtt(20), { left: 1_000 })).to.equal(150)
      expect(window).to.include({ size: 200, available: 200 })
    })

    it('stays as it is when half of it took two round trips', () => {
      const window = new ReceiveWindow(100, 1_000, 0)

      window.receive(50)
      expect(window.update(0, 40, rtt(20), { left: 1_000 })).to.equal(50)
      expect(window.size).to.equal(100)
    })

    it('stays as it is while the round trip is known by fewer than three', () => {
      const window = new ReceiveWindow(100, 1_000, 0)
      const pace = rtt()

      pace.roundTrip.sample(20)
      pace.roundTrip.sample(20)
      useAll(window, 1, pace, { left: 1_000 })
      expect(window.size).to.equal(100)
    })

    it('stays as it is while no round trip is known', () => {
      const window = new ReceiveWindow(100, 1_000, 0)

      expect(useAll(window, 0, UNKNOWN, { left: 1_000 })).to.equal(100)
      expect(window.size).to.equal(100)
    })

    it('is measured by the least round trip, so that queues of our own do not make it grow', () => {
      const window = new ReceiveWindow(100, 1_000, 0)
      const pace = rtt(20)

      pace.roundTrip.sample(500)
      useAll(window, 100, pace, { left: 1_000 })

      expect(window.size).to.equal(100)
    })

    it('stays as it is when we had something to do nearly all of the time', () => {
      const window = new ReceiveWindow(100, 1_000, 0)
      const { roundTrip } = rtt(20)

      window.receive(50)
      expect(window.update(0, 39, { roundTrip, idleMillis: 4 }, { left: 1_000 })).to.equal(50)
      expect(window.size).to.equal(100)

      window.receive(50)
      expect(window.update(0, 78, { roundTrip, idleMillis: 20 }, { left: 1_000 })).to.equal(150)
    })

    it('takes event loops that are late for a longer path', () => {
      const window = new ReceiveWindow(100, 1_000, 0)

      useAll(window, 0.9, rtt(0.1), { left: 1_000 })
      expect(window.size).to.equal(200)
    })

    it('comes back to what it was when its limit is raised again', () => {
      const window = new ReceiveWindow(100, 1_000, 0)

      window.receive(100)
      window.limit = 0
      expect(window.update(0, 10, UNKNOWN, NONE)).to.equal(0)

      window.limit = 1_000
      expect(window.update(0, 20, UNKNOWN, NONE)).to.equal(100)
      expect(window).to.include({ size: 100, available: 100 })
    })

    it('measures each half from the update before it', () => {
      const window = new ReceiveWindow(100, 1_000, 0)
      const budget = { left: 1_000 }

      useAll(window, 1_000, rtt(20), budget)
      expect(window.size).to.equal(100)

      useAll(window, 1_039, rtt(20), budget)
      expect(window.size).to.equal(200)

      useAll(window, 1_079, rtt(20), budget)
      expect(window.size).to.equal(200)
    })

    it('grows to its limit and no further', () => {
      const window = new ReceiveWindow(100, 350, 0)
      const budget = { left: 1_000 }
      const sizes = [1, 2, 3, 4].map(now => {
        useAll(window, now, rtt(20), budget)

        return window.size
      })

      expect(sizes).to.deep.equal([200, 350, 350, 350])
      expect(budget.left).to.equal(750)
    })

    it('grows by what the connection has left, and no further', () => {
      const window = new ReceiveWindow(100, 1_000, 0)
      const budget = { left: 30 }

      expect(useAll(window, 1, rtt(20), budget)).to.equal(130)
      expect(window).to.include({ size: 130, available: 130 })
      expect(budget.left).to.equal(0)

      expect(useAll(window, 2, rtt(20), budget)).to.equal(130)
      expect(window.size).to.equal(130)
    })
  })

  describe('the budget of a connection', () => {
    function grown (count: number, budget: GrowthBudget): ReceiveWindow[] {
      const windows = Array.from({ length: count }, () => new ReceiveWindow(100, 400, 0))

      for (let now = 1; now <= 3; now++) {
        for (const window of windows) {
          useAll(window, now, rtt(20), budget)
        }
      }

      return windows
    }

    it('is shared by all streams', () => {
      const budget = { left: 450 }
      const windows = grown(3, budget)

      expect(windows.map(window => window.size)).to.deep.equal([350, 200, 200])
      expect(budget.left).to.equal(0)
    })

    for (const order of [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]) {
      it(`is given back whole when streams end in the order ${order.join(', ')}`, () => {
        const budget = { left: 450 }
        const windows = grown(3, budget)

        for (const index of order) {
          windows[index].release(budget)
        }

        expect(budget.left).to.equal(450)
      })
    }

    it('is given back once, however often a stream ends', () => {
      const budget = { left: 450 }
      const [window] = grown(1, budget)

      window.release(budget)
      window.release(budget)

      expect(budget.left).to.equal(450)
    })

    it('is nothing that a window which never grew could give back', () => {
      const budget = { left: 450 }

      new ReceiveWindow(100, 400, 0).release(budget)

      expect(budget.left).to.equal(450)
    })

    it('lets another stream grow by what was given back', () => {
      const budget = { left: 100 }
      const [first] = grown(1, budget)

      first.release(budget)

      const [second] = grown(1, budget)

      expect(second.size).to.equal(200)
    })
  })

  describe('a limit that is lowered', () => {
    it('shrinks the window as fast as bytes are read, and grants nothing meanwhile', () => {
      const window = new ReceiveWindow(1_000, 1_000, 0)

      window.limit = 200
      window.receive(600)

      expect(window.update(300, 1, UNKNOWN, NONE)).to.equal(0)
      expect(window.size).to.equal(700)
      expect(window.update(0, 2, UNKNOWN, NONE)).to.equal(0)
      expect(window.size).to.equal(400)

      window.receive(400)
      expect(window.update(0, 3, UNKNOWN, NONE)).to.equal(200)
      expect(window).to.include({ size: 200, available: 200 })
    })

    it('takes back nothing that was granted', () => {
      const window = new ReceiveWindow(1_000, 1_000, 0)

      window.limit = 0

      expect(window.update(0, 1, UNKNOWN, NONE)).to.equal(0)
      expect(window).to.include({ size: 1_000, available: 1_000 })
      expect(window.receive(1_000)).to.be.true()
    })

    it('gives growth back to the connection', () => {
      const budget = { left: 1_000 }
      const window = new ReceiveWindow(100, 400, 0)

      useAll(window, 1, rtt(20), budget)
      useAll(window, 2, rtt(20), budget)
      expect(budget.left).to.equal(700)

      window.limit = 150
      window.receive(window.available)
      expect(window.update(0, 1_000, rtt(20), budget)).to.equal(150)
      expect(window.size).to.equal(150)
      expect(budget.left).to.equal(950)

      window.release(budget)
      expect(budget.left).to.equal(1_000)
    })

    it('costs the connection nothing when it goes below the initial window', () => {
      const budget = { left: 1_000 }
      const window = new ReceiveWindow(100, 400, 0)

      window.limit = 50
      useAll(window, 1, rtt(20), budget)
      expect(window.size).to.equal(50)
      expect(budget.left).to.equal(1_000)

      window.release(budget)
      expect(budget.left).to.equal(1_000)
    })

    it('may be none: the peer is granted nothing more', () => {
      const window = new ReceiveWindow(100, 400, 0)

      window.limit = 0

      expect(useAll(window, 1, rtt(20), { left: 1_000 })).to.equal(0)
      expect(window).to.include({ size: 0, available: 0 })
    })
  })
})
