import { expect } from 'aegir/chai'
import { Budget } from '../../../src/core/budget.ts'

/** How many can be taken at once. */
function takeAll (budget: Budget, now: number, most = 10_000): number {
  let taken = 0

  while (taken < most && budget.take(now)) {
    taken++
  }

  return taken
}

describe('core/budget', () => {
  it('allows as much as its limit at once, and no more', () => {
    expect(takeAll(new Budget(100), 5_000)).to.equal(100)
  })

  it('says what its limit is', () => {
    expect(new Budget(7).limit).to.equal(7)
  })

  it('gives back a tenth of its limit a second', () => {
    const budget = new Budget(100)

    takeAll(budget, 0)

    expect(takeAll(budget, 99)).to.equal(0)
    expect(takeAll(budget, 100)).to.equal(1)
    expect(takeAll(budget, 1_100)).to.equal(10)
  })

  it('gives back fractions as they add up, however often it is asked', () => {
    const budget = new Budget(1)
    let taken = 0

    for (let now = 0; now <= 20_000; now += 7) {
      taken += budget.take(now) ? 1 : 0
    }

    expect(taken).to.equal(2)
  })

  it('never holds more than its limit, however long nothing was taken', () => {
    const budget = new Budget(100)

    takeAll(budget, 0)

    expect(takeAll(budget, 1_000_000)).to.equal(100)
  })

  it('allows no more than its limit at once when little was taken long before', () => {
    const budget = new Budget(10)

    budget.take(0)

    expect(takeAll(budget, 1_000_000)).to.equal(10)
  })

  it('starts full whatever the clock says', () => {
    const budget = new Budget(3)

    expect(takeAll(budget, 1e12)).to.equal(3)
  })

  it('may have no limit', () => {
    const budget = new Budget(Infinity)

    expect(takeAll(budget, 0)).to.equal(10_000)
    expect(takeAll(budget, 1)).to.equal(10_000)
  })
})
