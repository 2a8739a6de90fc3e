import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { data, windowUpdate, SYN } from '../../../support/frames.ts'

const WINDOW = 262_144

describe('protocols/yamux, a frame that is still on its way', () => {
  it('is no reason for credit before it is here: what was read is, and no more', () => {
    const driver = new EngineDriver().know(0)
    const stream = driver.inbound(2)
    const bytes = data(2, WINDOW)

    driver.give(bytes.subarray(0, 100_000))
    driver.read(stream)
    expect(driver.sent()).to.deep.equal([])

    driver.give(bytes.subarray(100_000, 150_000))
    driver.read(stream)
    expect(driver.sent()).to.deep.equal([`window 2 +${150_000 - 12}`])

    driver.give(bytes.subarray(150_000))
    expect(stream.receiveQueue.byteLength + stream.receiveWindow.available).to.equal(WINDOW)
  })

  it('is no reason for credit either when nobody reads any more', () => {
    const driver = new EngineDriver().know(0)
    const stream = driver.inbound(2)
    const bytes = data(2, WINDOW)

    driver.give(bytes.subarray(0, 100_000))
    driver.closeRead(stream)
    expect(driver.sent()).to.deep.equal([])

    driver.give(bytes.subarray(100_000, 150_000))
    expect(driver.sent()).to.deep.equal([`window 2 +${150_000 - 12}`])
  })

  it('on one stream does not hold up the credit of another', () => {
    const driver = new EngineDriver().know(0)
    const first = driver.inbound(2)

    driver.give(data(2, 200_000), windowUpdate(4, 0, SYN))
    driver.accept(4)
    driver.sent()
    driver.give(data(4, WINDOW).subarray(0, 100))
    driver.read(first)

    expect(driver.sent()).to.deep.equal(['window 2 +200000'])
  })
})
