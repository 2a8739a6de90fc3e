import tests from '@libp2p/interface-compliance-tests/stream-muxer'
import { mplex } from '../../src/mplex.ts'

describe('compliance: mplex', () => {
  tests({
    async setup () {
      return mplex()()
    },
    async teardown () {}
  })
})
