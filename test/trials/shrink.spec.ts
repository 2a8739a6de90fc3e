import { expect } from 'aegir/chai'
import { shrink } from '../../trials/simulate/shrink.ts'
import { makePlan } from '../simulation/kit/random-operations.ts'
import type { Plan } from '../simulation/kit/random-operations.ts'

/** Fails when all of these steps are there, whatever stands between them. */
function failsWith (...needed: number[]): (plan: Plan) => Error | undefined {
  return plan => needed.every(seed => plan.steps.some(step => step.seed === seed)) ? new Error(`of ${plan.steps.length} steps`) : undefined
}

describe('trials: shrinking a plan', () => {
  const plan = makePlan(5)
  const seeds = plan.steps.map(({ seed }) => seed)

  it('leaves the steps that it takes to fail, in their order, and a plain link', () => {
    const needed = [seeds[3], seeds[20], seeds[plan.steps.length - 1]]
    const shrunk = shrink(plan, failsWith(...needed))

    expect(shrunk.steps.map(({ seed }) => seed)).to.deep.equal(needed)
    expect(shrunk).to.include({ seed: 5, plainLink: true, plainOptions: true, ending: 'finish' })
  })

  it('keeps what it takes to fail in the same way, not in another', () => {
    const shrunk = shrink(plan, plan => {
      if (plan.steps.length < 10) {
        return new Error('too few steps are another failure')
      }

      return plan.plainLink ? undefined : new Error(`fails with ${plan.steps.length} steps`)
    })

    expect(shrunk.steps).to.have.lengthOf(10)
    expect(shrunk.plainLink).to.be.false()
  })

  it('leaves a plan alone that does not fail', () => {
    expect(shrink(plan, () => undefined)).to.equal(plan)
  })
})
