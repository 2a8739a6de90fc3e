import { expect } from 'aegir/chai'
import { Budgets, resolveBudgets } from '../../../src/core/budgets.ts'
import type { LevelName, RateName } from '../../../src/core/budgets.ts'

const RATES: RateName[] = ['pings', 'resets', 'provokedResets', 'refusals', 'unknownStreams', 'emptyFrames', 'tinyFrames']
const LEVELS: LevelName[] = ['replies', 'unreadBytes', 'unreadPieces']

describe('core/budgets', () => {
  it('has a limit for each, and says no other names', () => {
    expect(Object.keys(resolveBudgets()).sort()).to.deep.equal([...RATES, ...LEVELS].sort())
  })

  it('takes what is asked for, then what the language has for a default, then its own', () => {
    expect(resolveBudgets({ pings: 1 }, { pings: 2, resets: 3 })).to.include({ pings: 1, resets: 3, refusals: 10_000 })
  })

  it('may have no limit', () => {
    const budgets = new Budgets(resolveBudgets({ tinyFrames: Infinity, unreadBytes: Infinity }))

    expect(budgets.charge('tinyFrames', 0)).to.equal(undefined)
    expect(budgets.check('unreadBytes', Number.MAX_SAFE_INTEGER)).to.equal(undefined)
  })

  it('refuses less than is granted anyway, and says so', () => {
    expect(() => resolveBudgets({ unreadBytes: 999 }, {}, { unreadBytes: 1_000 })).to.throw('budgets.unreadBytes must be at least 1000, was 999: the peer is granted that much')
      .with.property('name', 'InvalidParametersError')
  })

  for (const name of RATES) {
    it(`names "${name}", its limit and its option when it is used up, and has a tenth of it a second later`, () => {
      const budgets = new Budgets(resolveBudgets({ [name]: 10 }))

      for (let i = 0; i < 10; i++) {
        expect(budgets.charge(name, 500)).to.equal(undefined)
      }

      const error = budgets.charge(name, 500)

      expect(error).to.include({ name: 'BudgetExceededError', budget: name, scope: 'connection', origin: 'remote' })
      expect(error?.message).to.equal(`the peer went over the budget "${name}" of 10 at once and 1 a second (option budgets.${name})`)
      expect(budgets.charge(name, 1_500)).to.equal(undefined)
    })
  }

  for (const name of LEVELS) {
    it(`names "${name}", its limit and its option for one more than the limit`, () => {
      const budgets = new Budgets(resolveBudgets({ [name]: 10 }))
      const error = budgets.check(name, 11)

      expect(budgets.check(name, 10)).to.equal(undefined)
      expect(error).to.include({ name: 'BudgetExceededError', budget: name, scope: 'connection', origin: 'remote' })
      expect(error?.message).to.match(new RegExp(`^the peer went over the budget "${name}" of 10 .*\\(option budgets\\.${name}\\)$`))
    })
  }
})
