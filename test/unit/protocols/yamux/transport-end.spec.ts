import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { FIN, data, text } from '../../../support/frames.ts'

describe('yamux: the end of the transport', () => {
  it('is no error when it cuts nothing', () => {
    const link = new EngineDriver()

    link.engine.receiveEnd(undefined)

    expect(link.events()).to.deep.equal([{ type: 'closed', error: undefined }])
    expect(link.sent()).to.deep.equal([])
  })

  it('is an error for every stream that has not ended, and keeps what they received', () => {
    const link = new EngineDriver()
    const [ended, open] = [link.outbound(), link.outbound()]
    const cause = new Error('ECONNRESET')

    link.give(data(1, 'whole', FIN), data(3, 'part'))
    link.engine.receiveEnd(cause)

    const error = link.closedBy()

    expect(error).to.include({ name: 'ConnectionClosedError', scope: 'connection', origin: 'transport', cause })
    expect(ended).to.include({ receive: 'ended', send: 'reset', error })
    expect(open).to.include({ receive: 'reset', send: 'reset', error })
    expect([ended, open].map(stream => text(link.read(stream)))).to.deep.equal(['whole', 'part'])
    expect(link.sent()).to.deep.equal([])
  })

  it('is an error in the middle of a frame, and says so', () => {
    for (const length of [1, 11, 12, 16]) {
      const link = new EngineDriver().give(data(2, 'hello').subarray(0, length))

      link.engine.receiveEnd(undefined)

      expect(link.closedBy().message).to.equal('the connection under the muxer ended in the middle of a frame')
    }
  })

  it('is an error when the transport says why, even if it cut nothing', () => {
    const link = new EngineDriver()

    link.engine.receiveEnd(new Error('ETIMEDOUT'))

    expect(link.closedBy()).to.have.property('name', 'ConnectionClosedError')
  })

  it('changes nothing after the connection has ended otherwise', () => {
    const link = new EngineDriver()

    link.engine.close(0, undefined)
    link.events()
    link.engine.receiveEnd(new Error('late'))

    expect(link.events()).to.deep.equal([])
    expect(link.sent()).to.deep.equal(['goaway 0'])
  })
})
