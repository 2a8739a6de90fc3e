import { expect } from 'aegir/chai'
import { Deadlines } from '../../../src/core/deadlines.ts'

describe('core/deadlines', () => {
  it('has nothing to wait for at first', () => {
    expect(new Deadlines().next).to.equal(undefined)
  })

  it('tells the earliest', () => {
    const deadlines = new Deadlines<'a' | 'b' | 'c'>()

    deadlines.set('a', 20)
    deadlines.set('b', 10)
    deadlines.set('c', 30)

    expect(deadlines.next).to.equal(10)
  })

  it('moves a deadline that is set again, in either direction', () => {
    const deadlines = new Deadlines<'a'>()

    deadlines.set('a', 20)
    deadlines.set('a', 30)
    expect(deadlines.next).to.equal(30)

    deadlines.set('a', 0)
    expect(deadlines.next).to.equal(0)
  })

  it('advances a deadline, and never puts it off', () => {
    const deadlines = new Deadlines<'a'>()

    deadlines.advance('a', 20)
    expect(deadlines.next).to.equal(20)

    deadlines.advance('a', 30)
    expect(deadlines.next).to.equal(20)

    deadlines.advance('a', 10)
    expect(deadlines.next).to.equal(10)
  })

  it('forgets what is cleared, also when there was nothing', () => {
    const deadlines = new Deadlines<'a' | 'b'>()

    deadlines.set('a', 10)
    deadlines.set('b', 20)
    deadlines.clear('a')
    deadlines.clear('a')

    expect(deadlines.next).to.equal(20)
    expect(deadlines.expire('a', 100)).to.be.false()
  })

  it('expires at its very time, and once', () => {
    const deadlines = new Deadlines<'a'>()

    deadlines.set('a', 10)

    expect(deadlines.expire('a', 9)).to.be.false()
    expect(deadlines.next).to.equal(10)
    expect(deadlines.expire('a', 10)).to.be.true()
    expect(deadlines.expire('a', 10)).to.be.false()
    expect(deadlines.next).to.equal(undefined)
  })

  it('expires each by its own name', () => {
    const deadlines = new Deadlines<'a' | 'b'>()

    deadlines.set('a', 10)
    deadlines.set('b', 10)

    expect(deadlines.expire('b', 10)).to.be.true()
    expect(deadlines.next).to.equal(10)
  })
})
