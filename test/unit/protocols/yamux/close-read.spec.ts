import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { FIN, data, pattern, windowUpdate } from '../../../support/frames.ts'

const WINDOW = 262_144

describe('yamux: closing for reading', () => {
  it('says nothing by itself: yamux has no word for it', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.closeRead(stream)

    expect(stream.readClosed).to.be.true()
    expect(link.sent()).to.deep.equal([])
  })

  it('drops and credits data while our own half is open, so that our writer is not cut', () => {
    const link = new EngineDriver().know(0)
    const stream = link.outbound()

    link.closeRead(stream)
    link.give(data(1, WINDOW))

    expect(stream.receiveQueue.byteLength).to.equal(0)
    expect(link.edges()).to.deep.equal([])
    expect(link.sent()).to.deep.equal([`window 1 +${WINDOW}`])

    link.write(stream, pattern(10))
    expect(link.sent()).to.deep.equal(['data 1 10'])
  })

  it('drops and credits data while our FIN waits for credit', () => {
    const link = new EngineDriver().know(0)
    const stream = link.outbound()

    link.write(stream, pattern(WINDOW + 1))
    link.end(stream)
    link.closeRead(stream)
    link.sent()
    link.give(data(1, WINDOW))

    expect(link.sent()).to.deep.equal([`window 1 +${WINDOW}`])
  })

  it('answers data by RST once our own half has ended', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.closeRead(stream)
    link.end(stream)
    expect(link.sent()).to.deep.equal(['window|FIN 1 +0'])

    link.give(data(1, 'anybody?'))
    expect(link.sent()).to.deep.equal(['window|RST 1 0'])
    expect(stream.closed).to.be.true()
    expect(stream.error).to.equal(undefined)
  })

  it('answers the header of data, without waiting for its body', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.closeRead(stream)
    link.end(stream)
    link.sent()
    link.give(data(1, 'anybody?').subarray(0, 12))

    expect(link.sent()).to.deep.equal(['window|RST 1 0'])
  })

  it('resets at once when our half has ended and data is unread: the peer may have no credit left to learn by', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.give(data(1, WINDOW))
    link.end(stream)
    link.sent()
    link.closeRead(stream)

    expect(link.sent()).to.deep.equal(['window|RST 1 0'])
  })

  it('resets nothing when our half has ended and nothing is unread: the peer has credit to learn by', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.end(stream)
    link.sent()
    link.closeRead(stream)
    expect(link.sent()).to.deep.equal([])

    link.give(data(1, 'x'))
    expect(link.sent()).to.deep.equal(['window|RST 1 0'])
  })

  it('gives back the credit of what was unread while our half is open', () => {
    const link = new EngineDriver().know(0)
    const stream = link.outbound()

    link.give(data(1, WINDOW))
    link.closeRead(stream)

    expect(stream.receiveQueue.byteLength).to.equal(0)
    expect(link.sent()).to.deep.equal([`window 1 +${WINDOW}`])
  })

  it('takes a FIN for what it is: nobody writes, so nobody need be told', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.closeRead(stream)
    link.end(stream)
    link.sent()
    link.give(windowUpdate(1, 0, FIN))

    expect(stream.receive).to.equal('ended')
    expect(stream.closed).to.be.true()
    expect(link.sent()).to.deep.equal([])
  })

  it('changes nothing for a stream that is over', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.give(data(1, 'unread', FIN))
    link.end(stream)
    link.settle()
    link.closeRead(stream)

    expect(stream.receiveQueue.byteLength).to.equal(0)
    expect(stream.receive).to.equal('ended')
    expect(link.sent()).to.deep.equal([])
  })
})
