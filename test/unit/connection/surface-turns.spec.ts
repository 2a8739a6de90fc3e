import { expect } from 'aegir/chai'
import { Turns } from '../../../src/connection/turns.ts'
import { outcomeOf } from '../../support/waiting.ts'

describe('connection: turns', () => {
  it('are given in the order in which they were asked for', async () => {
    const turns = new Turns()
    const gates = [0, 1, 2].map(() => Promise.withResolvers<void>())
    const order: string[] = []
    const works = gates.map(async (gate, i) => turns.take(async () => {
      order.push(`${i} begins`)
      await gate.promise
      order.push(`${i} ends`)

      return i
    }))

    gates.toReversed().forEach(gate => { gate.resolve() })
    expect(await Promise.all(works)).to.deep.equal([0, 1, 2])
    expect(order).to.deep.equal(['0 begins', '0 ends', '1 begins', '1 ends', '2 begins', '2 ends'])
  })

  it('go on after one that fails', async () => {
    const turns = new Turns()
    const failing = turns.take(async () => { throw new Error('no') })
    const next = turns.take(async () => 'yes')

    await expect(failing).to.eventually.be.rejectedWith('no')
    expect(await next).to.equal('yes')
  })

  it('are given up while they wait, by the reason of the signal, and nobody else loses his', async () => {
    const turns = new Turns()
    const gate = Promise.withResolvers<void>()
    const controller = new AbortController()
    const reason = new Error('enough')
    let worked = false
    const first = turns.take(async () => gate.promise)
    const second = turns.take(async () => { worked = true }, controller.signal)
    const third = turns.take(async () => 'third')

    controller.abort(reason)
    await expect(second).to.eventually.be.rejected().that.equals(reason)
    expect(await outcomeOf(third)).to.equal('pending')
    gate.resolve()
    await first
    expect(await third).to.equal('third')
    expect(worked).to.be.false()
  })

  it('that have begun are no affair of the signal', async () => {
    const turns = new Turns()
    const gate = Promise.withResolvers<string>()
    const controller = new AbortController()
    const work = turns.take(async () => gate.promise, controller.signal)

    controller.abort()
    gate.resolve('done')
    expect(await work).to.equal('done')
  })

  it('are not begun by a signal that was aborted', async () => {
    const turns = new Turns()
    const gate = Promise.withResolvers<void>()
    const first = turns.take(async () => gate.promise)

    await expect(turns.take(async () => {}, AbortSignal.abort(new Error('late')))).to.eventually.be.rejectedWith('late')
    gate.resolve()
    await first
    expect(turns.busy).to.be.false()
  })

  it('are taken by nobody who comes between the end of one and the beginning of the next', async () => {
    const turns = new Turns()
    const order: string[] = []
    const first = turns.take(async () => { order.push('first') })
    const second = turns.take(async () => { order.push('second') })
    const late = first.then(async () => turns.take(async () => { order.push('late') }))

    expect(turns.busy).to.be.true()
    await Promise.all([first, second, late])
    expect(order).to.deep.equal(['first', 'second', 'late'])
    expect(turns.busy).to.be.false()
  })
})
