import { expect } from 'aegir/chai'
import { Budgets, resolveBudgets } from '../../../src/core/budgets.ts'
import type { RateName } from '../../../src/core/budgets.ts'

const RATES: RateName[] = ['pings', 'resets', 'provokedResets', 'refusals', 'unknownStreams', 'emptyFrames', 'tinyFrames']
const LEVELS = ['replies', 'unreadBytes', 'unreadPieces', 'streamPieces', 'pinnedBytes', 'unstartedBytes']

describe('core/budgets', () => {
  it('has a limit for each, and says no other names', () => {
    expect(Object.keys(resolveBudgets()).sort()).to.deep.equal([...RATES, ...LEVELS].sort())
  })

  it('takes what is asked for, then what the language has for a default, then its own', () => {
    expect(resolveBudgets({ pings: 1 }, { pings: 2, resets: 3 })).to.include({ pings: 1, resets: 3, refusals: 10_000 })
  })

  it('may have no limit', () => {
    const budgets = new Budgets(resolveBudgets({ tinyFrames: Infinity, replies: Infinity }))

    expect(budgets.charge('tinyFrames', 0)).to.equal(undefined)
    expect(budgets.checkReplies(Number.MAX_SAFE_INTEGER)).to.equal(undefined)
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

  it('names "replies", its limit and its option for one more than the limit', () => {
    const budgets = new Budgets(resolveBudgets({ replies: 10 }))
    const error = budgets.checkReplies(11)

    expect(budgets.checkReplies(10)).to.equal(undefined)
    expect(error).to.include({ name: 'BudgetExceededError', budget: 'replies', scope: 'connection', origin: 'remote' })
    expect(error?.message).to.equal('the peer went over the budget "replies" of 10 answers that wait because the peer does not read (option budgets.replies)')
  })

  for (const [name, where] of [['streamPieces', 'one stream'], ['unreadPieces', 'all streams']] as const) {
    it(`names "${name}", its limit and its option for one more than the limit`, () => {
      const budgets = new Budgets(resolveBudgets({ [name]: 10 }))
      const error = budgets.checkPieces(name, 11)

      expect(budgets.checkPieces(name, 10)).to.equal(undefined)
      expect(error).to.include({ name: 'BudgetExceededError', budget: name, scope: 'connection', origin: 'remote' })
      expect(error?.message).to.equal(`the peer went over the budget "${name}" of 10 pieces that wait to be read on ${where} (option budgets.${name})`)
    })
  }
})
