import { expect } from 'aegir/chai'
import { leftBehind, runRounds } from '../../trials/faults/rounds.ts'
import type { MuxerName } from '../../trials/faults/nodes.ts'

const MUXERS: MuxerName[] = ['yamux', 'mplex']

describe('trials: connections that are cut', () => {
  for (const muxer of MUXERS) {
    it(`end every stream of ${muxer} in time and with an error, leave no part of a file, and no timer, handle or listener`, async function () {
      this.timeout(120_000)

      const report = await runRounds({ muxer, rounds: 12, from: 1, cuts: ['rst', 'fin', 'blackhole'], size: 524_288 })

      expect(report.rounds).to.equal(12)
      expect(report.reached.transfer).to.be.at.least(6)
      expect(leftBehind(report)).to.deep.equal([])
      expect(report.listeners).to.equal(0)
    })
  }
})
