import * as libp2p from '@libp2p/interface'
import { expect } from 'aegir/chai'
import * as errors from '../../../src/interface/errors.ts'

const cause = new Error('why')

describe('interface/errors', () => {
  it('are told apart by their names, also on their classes', () => {
    const made: Error[] = [
      new errors.StreamResetError('m', { origin: 'remote' }),
      new errors.ProtocolError('m', 1),
      new errors.TimeoutError('m', { scope: 'stream', origin: 'local' }),
      new errors.ConnectionClosedError('m', { origin: 'transport' }),
      new errors.GoAwayError('m', 2),
      new errors.BudgetExceededError('m', 'pings', 1),
      new errors.MaxEarlyStreamsError('m'),
      new errors.InvalidParametersError('m'),
      new errors.MuxerClosedError('m'),
      new errors.StreamBufferError('m'),
      new errors.StreamStateError('m'),
      new errors.TooManyOutboundProtocolStreamsError('m')
    ]

    expect(new Set(made.map(error => error.name)).size).to.equal(made.length)

    for (const error of made) {
      expect(error).to.be.an.instanceOf(Error)
      expect(error.message).to.equal('m')
      expect(error.name).to.equal(error.constructor.name)
    }
  })

  it('are libp2p\'s own where libp2p has them', () => {
    expect(new errors.StreamResetError('m', { origin: 'remote' })).to.be.an.instanceOf(libp2p.StreamResetError)
    expect(new errors.ProtocolError('m', 1)).to.be.an.instanceOf(libp2p.ProtocolError)
    expect(new errors.TimeoutError('m', { scope: 'stream', origin: 'local' })).to.be.an.instanceOf(libp2p.TimeoutError)
    expect(new errors.ConnectionClosedError('m', { origin: 'transport' })).to.be.an.instanceOf(libp2p.ConnectionClosedError)
    expect(errors.InvalidParametersError).to.equal(libp2p.InvalidParametersError)
    expect(errors.MuxerClosedError).to.equal(libp2p.MuxerClosedError)
    expect(errors.StreamBufferError).to.equal(libp2p.StreamBufferError)
    expect(errors.StreamStateError).to.equal(libp2p.StreamStateError)
    expect(errors.TooManyOutboundProtocolStreamsError).to.equal(libp2p.TooManyOutboundProtocolStreamsError)
  })

  it('say of a reset who did it, with which code, and why', () => {
    expect(new errors.StreamResetError('m', { origin: 'remote', code: 7, cause }))
      .to.include({ scope: 'stream', origin: 'remote', code: 7, cause })
    expect(new errors.StreamResetError('m', { origin: 'local' }))
      .to.include({ scope: 'stream', origin: 'local', code: undefined, cause: undefined })
  })

  it('say of a broken protocol that the peer broke it for the whole connection', () => {
    expect(new errors.ProtocolError('m', 1)).to.include({ scope: 'connection', origin: 'remote', code: 1 })
  })

  it('say of a timeout how far it reaches', () => {
    expect(new errors.TimeoutError('m', { scope: 'stream', origin: 'local' }))
      .to.include({ scope: 'stream', origin: 'local', code: undefined })
    expect(new errors.TimeoutError('m', { scope: 'connection', origin: 'transport', code: 2 }))
      .to.include({ scope: 'connection', origin: 'transport', code: 2 })
  })

  it('say of a cut connection what cut it', () => {
    expect(new errors.ConnectionClosedError('m', { origin: 'transport', code: 3, cause }))
      .to.include({ scope: 'connection', origin: 'transport', code: 3, cause })
  })

  it('say of a GoAway its code', () => {
    expect(new errors.GoAwayError('m', 2)).to.include({ scope: 'connection', origin: 'remote', code: 2 })
  })

  it('say of a budget which it was', () => {
    expect(new errors.BudgetExceededError('m', 'pings', 1))
      .to.include({ scope: 'connection', origin: 'remote', budget: 'pings', code: 1 })
  })

  it('have the name of every code that libp2p has named', () => {
    expect([
      new errors.StreamResetError('m', { origin: 'remote', code: 0x1003 }),
      new errors.ProtocolError('m', 1),
      new errors.TimeoutError('m', { scope: 'connection', origin: 'transport', code: 2 }),
      new errors.TimeoutError('m', { scope: 'stream', origin: 'local', code: 0x1003 }),
      new errors.ConnectionClosedError('m', { origin: 'transport', code: 0x1006 }),
      new errors.GoAwayError('m', 0x1006),
      new errors.BudgetExceededError('m', 'pings', 1),
      new errors.GoAwayError('m', 0x10042)
    ].map(({ codeName }) => codeName)).to.deep.equal([
      'rateLimited', 'protocolError', 'internalError', 'rateLimited', 'shutdown', 'shutdown', 'protocolError', undefined
    ])
  })

  it('say of too many early streams that the peer opened them', () => {
    expect(new errors.MaxEarlyStreamsError('m')).to.include({ scope: 'connection', origin: 'remote' })
  })
})
