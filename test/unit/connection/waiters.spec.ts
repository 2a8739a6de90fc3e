import { expect } from 'aegir/chai'
import { Waiters } from '../../../src/connection/waiters.ts'
import { noUnhandledRejections, outcomeOf } from '../../support/waiting.ts'

describe('connection: waiters', () => {
  noUnhandledRejections()

  it('wait until it is so, and look only when they are told that something changed', async () => {
    const waiters = new Waiters()
    let ready = false
    const waiting = waiters.wait(() => ready)

    waiters.notify()
    expect(await outcomeOf(waiting)).to.equal('pending')
    ready = true
    expect(await outcomeOf(waiting)).to.equal('pending')
    waiters.notify()
    expect(await outcomeOf(waiting)).to.equal('resolved')
  })

  it('reject with what looking throws', async () => {
    const waiters = new Waiters()
    const waiting = waiters.wait(() => { throw new Error('it will never be so') })

    waiters.notify()
    await expect(waiting).to.eventually.be.rejectedWith('it will never be so')
  })

  it('are each told: one that fails, or is ready, does not hide the others', async () => {
    const waiters = new Waiters()
    const waiting = [
      waiters.wait(() => { throw new Error('not this one') }),
      waiters.wait(() => true),
      waiters.wait(() => false),
      waiters.wait(() => true)
    ]

    waiting[0].catch(() => {})
    waiters.notify()
    expect(await Promise.all(waiting.map(outcomeOf))).to.have.nested.property('[0].message', 'not this one')
    expect(await Promise.all(waiting.slice(1).map(outcomeOf))).to.deep.equal(['resolved', 'pending', 'resolved'])
  })

  it('look no more once they are done', async () => {
    const waiters = new Waiters()
    let looks = 0
    const waiting = waiters.wait(() => ++looks === 2)

    waiters.notify()
    waiters.notify()
    waiters.notify()
    await waiting
    expect(looks).to.equal(2)
  })

  it('end with the reason of their signal, each his own', async () => {
    const waiters = new Waiters()
    const controller = new AbortController()
    let looks = 0
    const impatient = waiters.wait(() => { looks++; return false }, controller.signal)
    const patient = waiters.wait(() => true)

    controller.abort(new Error('enough'))
    await expect(impatient).to.eventually.be.rejectedWith('enough')
    waiters.notify()
    await patient
    expect(looks).to.equal(0)
  })

  it('do not begin with a signal that was aborted', async () => {
    await expect(new Waiters().wait(() => true, AbortSignal.abort(new Error('too late')))).to.eventually.be.rejectedWith('too late')
  })

  it('may come in while others are told', async () => {
    const waiters = new Waiters()
    let late: Promise<void> | undefined
    const first = waiters.wait(() => {
      late ??= waiters.wait(() => true)

      return true
    })

    waiters.notify()
    await first
    await late
    expect(await outcomeOf(late as Promise<void>)).to.equal('resolved')
  })
})
