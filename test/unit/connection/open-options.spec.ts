import { expect } from 'aegir/chai'
import { toOpenOptions } from '../../../src/connection/open-options.ts'

describe('connection: the options of a new stream', () => {
  it('are none when none of them is a limit', () => {
    expect(toOpenOptions({})).to.deep.equal({})
    expect(toOpenOptions({ protocol: '/echo/1.0.0', signal: new AbortController().signal, inactivityTimeout: undefined })).to.deep.equal({})
  })

  it('are those that a stream may have of its own', () => {
    const options = {
      inactivityTimeout: 1,
      maxReadBufferLength: 2,
      maxWriteBufferLength: 0,
      writeHighWaterMark: 4,
      writeStallTimeout: 5,
      initialStreamWindowSize: 6,
      maxStreamWindowSize: 7
    }

    expect(toOpenOptions({ ...options, protocol: '/echo/1.0.0' })).to.deep.equal({ limits: options })
  })
})
