import { expect } from 'aegir/chai'
import { RoundTrip } from '../../../src/core/round-trip.ts'

describe('core/round-trip', () => {
  it('knows nothing before the first sample', () => {
    const { last, min, smoothed } = new RoundTrip()

    expect({ last, min, smoothed }).to.deep.equal({ last: undefined, min: undefined, smoothed: undefined })
  })

  it('takes the first sample for all it knows', () => {
    const roundTrip = new RoundTrip()

    roundTrip.sample(40)

    expect(roundTrip).to.include({ last: 40, min: 40, smoothed: 40 })
  })

  it('takes a sample of zero for a sample', () => {
    const roundTrip = new RoundTrip()

    roundTrip.sample(0)
    roundTrip.sample(8)

    expect(roundTrip).to.include({ last: 8, min: 0, smoothed: 1 })
  })

  it('weighs what is known seven to one', () => {
    const roundTrip = new RoundTrip()

    roundTrip.sample(80)
    roundTrip.sample(160)
    expect(roundTrip.smoothed).to.equal(90)

    roundTrip.sample(10)
    expect(roundTrip.smoothed).to.equal(80)
  })

  it('keeps the least of the last ten samples, so that a path that got longer is believed in the end', () => {
    const roundTrip = new RoundTrip()

    roundTrip.sample(5)

    for (let i = 0; i < 9; i++) {
      roundTrip.sample(50)
      expect(roundTrip.min).to.equal(5)
    }

    roundTrip.sample(60)
    expect(roundTrip.min).to.equal(50)
  })
})
