import tests from '@libp2p/interface-compliance-tests/stream-muxer'
import { yamux } from '../../src/yamux.ts'

describe('compliance: yamux', () => {
  tests({
    async setup () {
      // one of the tests leaves bytes that nobody will read: the muxer that closes behind it waits for credit as long as this
      return yamux({ streamOptions: { writeStallTimeout: 500 } })()
    },
    async teardown () {}
  })
})
