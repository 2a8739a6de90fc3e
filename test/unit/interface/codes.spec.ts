import { expect } from 'aegir/chai'
import { ConnectionErrorCode, StreamErrorCode, errorCodeName } from '../../../src/interface/codes.ts'

describe('interface/codes', () => {
  it('has the codes for streams that go-libp2p sends', () => {
    expect(StreamErrorCode).to.deep.equal({
      none: 0,
      protocolNegotiationFailed: 0x1001,
      resourceLimitExceeded: 0x1002,
      rateLimited: 0x1003,
      protocolViolation: 0x1004,
      supplanted: 0x1005,
      garbageCollected: 0x1006,
      shutdown: 0x1007,
      gated: 0x1008,
      codeOutOfRange: 0x1009
    })
  })

  it('has the codes for connections that go-libp2p sends, and those of yamux', () => {
    expect(ConnectionErrorCode).to.deep.equal({
      none: 0,
      protocolError: 1,
      internalError: 2,
      protocolNegotiationFailed: 0x1000,
      resourceLimitExceeded: 0x1001,
      rateLimited: 0x1002,
      protocolViolation: 0x1003,
      supplanted: 0x1004,
      garbageCollected: 0x1005,
      shutdown: 0x1006,
      gated: 0x1007,
      codeOutOfRange: 0x1008
    })
  })

  it('names every code by its own table', () => {
    for (const [name, code] of Object.entries(StreamErrorCode)) {
      expect(errorCodeName('stream', code)).to.equal(name)
    }

    for (const [name, code] of Object.entries(ConnectionErrorCode)) {
      expect(errorCodeName('connection', code)).to.equal(name)
    }
  })

  it('gives one number different names on streams and connections', () => {
    expect(errorCodeName('stream', 0x1007)).to.equal('shutdown')
    expect(errorCodeName('connection', 0x1007)).to.equal('gated')
    expect(errorCodeName('stream', 1)).to.equal(undefined)
    expect(errorCodeName('connection', 1)).to.equal('protocolError')
  })

  it('has no name for the codes of applications', () => {
    for (const code of [0x100a, 0xffff, 0x10000, 2 ** 32 - 1]) {
      expect(errorCodeName('stream', code)).to.equal(undefined)
      expect(errorCodeName('connection', code)).to.equal(undefined)
    }
  })
})
