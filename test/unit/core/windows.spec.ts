import { expect } from 'aegir/chai'
import { ReceiveWindow, SendWindow } from '../../../src/core/windows.ts'
import { Path } from '../../support/path.ts'
import type { GrowthBudget } from '../../../src/core/windows.ts'

const U32 = 2 ** 32 - 1

const NOWHERE = new Path()
const NONE: GrowthBudget = { left: 0 }

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
      const window = new ReceiveWindow(100, 100)

      expect(window.receive(60, 0, NOWHERE)).to.be.true()
      expect(window.receive(40, 0, NOWHERE)).to.be.true()
      expect(window.receive(0, 0, NOWHERE)).to.be.true()
      expect(window.available).to.equal(0)
    })

    it('refuses a byte beyond it, and stays what it was', () => {
      const window = new ReceiveWindow(100, 100)

      expect(window.receive(101, 0, NOWHERE)).to.be.false()
      expect(window.available).to.equal(100)
    })

    it('owes nothing before half of it was read', () => {
      const window = new ReceiveWindow(100, 100)

      window.receive(49, 0, NOWHERE)
      expect(window.update(0, 1_000, NOWHERE, NONE)).to.equal(0)
      expect(window.available).to.equal(51)

      window.receive(1, 0, NOWHERE)
      expect(window.update(0, 1_000, NOWHERE, NONE)).to.equal(50)
      expect(window.available).to.equal(100)
    })

    it('of a large window owes 256 KiB, long before half of it was read', () => {
      const window = new ReceiveWindow(16_777_216, 16_777_216)

      window.receive(262_143, 0, NOWHERE)
      expect(window.update(0, 1_000, NOWHERE, NONE)).to.equal(0)

      window.receive(1, 0, NOWHERE)
      expect(window.update(0, 1_000, NOWHERE, NONE)).to.equal(262_144)
      expect(window).to.include({ size: 16_777_216, available: 16_777_216 })
    })

    it('of a large window owes that much no sooner than 4 ms after the last, and half of the window at any time', () => {
      const window = new ReceiveWindow(1_048_576, 1_048_576)

      window.receive(262_144, 0, NOWHERE)
      expect(window.update(0, 1_000, NOWHERE, NONE)).to.equal(262_144)

      window.receive(262_144, 0, NOWHERE)
      expect(window.update(0, 1_003, NOWHERE, NONE)).to.equal(0)

      window.receive(1, 0, NOWHERE)
      expect(window.update(0, 1_004, NOWHERE, NONE)).to.equal(262_145)

      window.receive(524_288, 0, NOWHERE)
      expect(window.update(0, 1_004, NOWHERE, NONE)).to.equal(524_288)
    })

    it('owes nothing for what was not read', () => {
      const window = new ReceiveWindow(100, 100)

      window.receive(100, 0, NOWHERE)
      expect(window.update(100, 1_000, NOWHERE, NONE)).to.equal(0)
      expect(window.update(51, 1_000, NOWHERE, NONE)).to.equal(0)
      expect(window.update(50, 1_000, NOWHERE, NONE)).to.equal(50)
      expect(window.available).to.equal(50)
    })

    it('comes back to what it was when its limit is raised again', () => {
      const window = new ReceiveWindow(100, 1_000)

      window.receive(100, 0, NOWHERE)
      window.limit = 0
      expect(window.update(0, 10, NOWHERE, NONE)).to.equal(0)

      window.limit = 1_000
      expect(window.update(0, 20, NOWHERE, NONE)).to.equal(100)
      expect(window).to.include({ size: 100, available: 100 })
    })

    it('doubles again and again for a peer that it keeps waiting, announced with the credit', () => {
      const window = new ReceiveWindow(100, 1_000)
      const path = new Path(20)
      const budget = { left: 1_000 }

      path.starve(window, budget)
      expect(window.size).to.equal(100)

      expect(path.use(window, budget)).to.equal(200)
      expect(window).to.include({ size: 200, available: 200 })
      expect(path.use(window, budget)).to.equal(400)
    })

    it('grows to its limit and no further', () => {
      const window = new ReceiveWindow(100, 350)
      const path = new Path(20)
      const budget = { left: 1_000 }

      path.starve(window, budget)

      const sizes = [1, 2, 3, 4].map(() => {
        path.use(window, budget)

        return window.size
      })

      expect(sizes).to.deep.equal([200, 350, 350, 350])
      expect(budget.left).to.equal(750)
    })

    it('grows by what the connection has left, and no further', () => {
      const window = new ReceiveWindow(100, 1_000)
      const path = new Path(20)
      const budget = { left: 30 }

      path.starve(window, budget)
      expect(path.use(window, budget)).to.equal(130)
      expect(window).to.include({ size: 130, available: 130 })
      expect(budget.left).to.equal(0)

      expect(path.use(window, budget)).to.equal(130)
      expect(window.size).to.equal(130)
    })
  })

  describe('a stream that has the connection to itself', () => {
    const INITIAL = 262_144
    const MAX = 16_777_216
    const budget = (): GrowthBudget => ({ left: Infinity })

    /** So many windows are used and read, each within a millisecond in which there was always something to do. */
    function hurry (path: Path, window: ReceiveWindow, growth: GrowthBudget, windows: number, millis = 1): void {
      for (let i = 0; i < windows; i++) {
        path.busy(millis)
        path.frame(window, window.available)
        path.read(window, growth)
      }
    }

    it('gets a window of up to 2 MiB, doubled whenever eight in a row were used up at once', () => {
      const path = new Path(0.1)
      const window = new ReceiveWindow(INITIAL, MAX)
      const growth = budget()
      const sizes = [7, 1, 8, 8, 8, 8].map(windows => {
        hurry(path, window, growth, windows)

        return window.size
      })

      expect(sizes).to.deep.equal([INITIAL, 2 * INITIAL, 4 * INITIAL, 8 * INITIAL, 8 * INITIAL, 8 * INITIAL])
    })

    it('gets no more than its limit, and what the connection has left', () => {
      const window = new ReceiveWindow(INITIAL, 300_000)
      const poor = new ReceiveWindow(INITIAL, MAX)

      hurry(new Path(0.1), window, budget(), 20)
      hurry(new Path(0.1), poor, { left: 1_000 }, 20)

      expect(window.size).to.equal(300_000)
      expect(poor.size).to.equal(INITIAL + 1_000)
    })

    it('goes by the rate: a larger window may last longer in proportion', () => {
      const path = new Path(0.1)
      const window = new ReceiveWindow(INITIAL, MAX)
      const growth = budget()

      // as over an encrypter: 180 MiB/s
      const sizes = [1, 2, 4, 8].map(times => {
        hurry(path, window, growth, 8, 1.4 * times)

        return window.size / INITIAL
      })

      expect(sizes).to.deep.equal([2, 4, 8, 8])
    })

    it('gets nothing for windows that last for 2 ms', () => {
      const path = new Path(0.1)
      const window = new ReceiveWindow(INITIAL, MAX)

      hurry(path, window, budget(), 50, 2)
      expect(window.size).to.equal(INITIAL)

      for (let turn = 0; turn < 10; turn++) {
        hurry(path, window, budget(), 7)
        hurry(path, window, budget(), 1, 2)
      }

      expect(window.size).to.equal(INITIAL)
    })

    it('gets half as much again within 100 ms of data for another, if that is small', () => {
      const path = new Path(0.1)
      const window = new ReceiveWindow(INITIAL, MAX)
      const growth = budget()

      path.sharedAt = 0
      hurry(path, window, growth, 7)
      expect(window.size).to.equal(INITIAL)
      hurry(path, window, growth, 92)
      expect(window.size).to.equal(1.5 * INITIAL)

      hurry(path, window, growth, 1)
      expect(window.size).to.equal(3 * INITIAL)
    })

    it('gets nothing where more than a quarter of what comes is for others, and gives back what it had', () => {
      const path = new Path(0.1)
      const window = new ReceiveWindow(INITIAL, MAX)
      const growth = { left: 10_000_000 }

      const share = (others: number): void => {
        path.sharedAt = path.now
        path.bytesReceived += others
        hurry(path, window, growth, 1)
      }

      for (let windows = 0; windows < 20; windows++) {
        share(0.35 * INITIAL)
      }

      expect(window.size).to.equal(INITIAL)

      for (let windows = 0; windows < 20; windows++) {
        share(0.3 * INITIAL)
      }

      expect(window.size).to.equal(1.5 * INITIAL)
      share(INITIAL)
      share(INITIAL)
      share(INITIAL)
      expect(window.size).to.equal(INITIAL)
      expect(growth.left).to.equal(10_000_000)
    })

    it('gives it back as it reads once there is data for another', () => {
      const path = new Path(0.1)
      const window = new ReceiveWindow(INITIAL, MAX)
      const growth = { left: 10_000_000 }

      hurry(path, window, growth, 24)
      expect(window.size).to.equal(8 * INITIAL)

      path.sharedAt = path.now
      path.frame(window, 6.5 * INITIAL)
      expect(path.read(window, growth)).to.equal(0)
      expect(window).to.include({ size: 1.5 * INITIAL, available: 1.5 * INITIAL })
      expect(growth.left).to.equal(10_000_000 - 0.5 * INITIAL)
    })

    it('keeps what the distance made of its window', () => {
      const path = new Path(20)
      const window = new ReceiveWindow(INITIAL, MAX)
      const growth = budget()

      path.starve(window, growth)
      path.use(window, growth)
      path.use(window, growth)
      expect(window.size).to.equal(4 * INITIAL)

      hurry(path, window, growth, 8)
      expect(window.size).to.equal(8 * INITIAL)

      path.sharedAt = path.now
      path.frame(window, window.available)
      path.read(window, growth)
      expect(window.size).to.equal(4 * INITIAL)
    })
  })

  describe('the budget of a connection', () => {
    function grown (count: number, budget: GrowthBudget): ReceiveWindow[] {
      const windows = Array.from({ length: count }, () => new ReceiveWindow(100, 400))

      const paths = windows.map(window => {
        const path = new Path(20)

        path.starve(window, budget)

        return path
      })

      for (let turn = 0; turn < 3; turn++) {
        windows.forEach((window, index) => { paths[index].use(window, budget) })
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

      new ReceiveWindow(100, 400).release(budget)

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
      const window = new ReceiveWindow(1_000, 1_000)

      window.limit = 200
      window.receive(600, 0, NOWHERE)

      expect(window.update(300, 1, NOWHERE, NONE)).to.equal(0)
      expect(window.size).to.equal(700)
      expect(window.update(0, 2, NOWHERE, NONE)).to.equal(0)
      expect(window.size).to.equal(400)

      window.receive(400, 0, NOWHERE)
      expect(window.update(0, 3, NOWHERE, NONE)).to.equal(200)
      expect(window).to.include({ size: 200, available: 200 })
    })

    it('takes back nothing that was granted', () => {
      const window = new ReceiveWindow(1_000, 1_000)

      window.limit = 0

      expect(window.update(0, 1, NOWHERE, NONE)).to.equal(0)
      expect(window).to.include({ size: 1_000, available: 1_000 })
      expect(window.receive(1_000, 0, NOWHERE)).to.be.true()
    })

    it('gives growth back to the connection', () => {
      const budget = { left: 1_000 }
      const window = new ReceiveWindow(100, 400)
      const path = new Path(20)

      path.starve(window, budget)
      path.use(window, budget)
      path.use(window, budget)
      expect(budget.left).to.equal(700)

      window.limit = 150
      window.receive(window.available, 0, NOWHERE)
      expect(window.update(0, 1_000, path, budget)).to.equal(150)
      expect(window.size).to.equal(150)
      expect(budget.left).to.equal(950)

      window.release(budget)
      expect(budget.left).to.equal(1_000)
    })

    it('costs the connection nothing when it goes below the initial window', () => {
      const budget = { left: 1_000 }
      const window = new ReceiveWindow(100, 400)

      window.limit = 50
      new Path().use(window, budget)
      expect(window.size).to.equal(50)
      expect(budget.left).to.equal(1_000)

      window.release(budget)
      expect(budget.left).to.equal(1_000)
    })

    it('may be none: the peer is granted nothing more', () => {
      const window = new ReceiveWindow(100, 400)

      window.limit = 0

      expect(new Path().use(window, { left: 1_000 })).to.equal(0)
      expect(window).to.include({ size: 0, available: 0 })
    })
  })

  it('has no credit that could wait for that of others before it has given any', () => {
    const window = new ReceiveWindow(1_000, 1_000)

    window.waits = true
    expect(window.waits).to.be.false()
    expect(window.mayWait(0, new Path())).to.be.false()
  })
})
