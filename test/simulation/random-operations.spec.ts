import { expect } from 'aegir/chai'
import { patternIsIntact } from './kit/pattern.ts'
import { makePlan, runPlan } from './kit/random-operations.ts'
import { seedToRepeat, withSeed } from './kit/random.ts'
import type { Report } from './kit/random-operations.ts'

// SEED=17 repeats one run, SEEDS=100000 makes more of them, FROM=1000 starts elsewhere
const { SEEDS = '200', FROM = '1' } = process.env

/** Of any language: the link dies, also while the applications are at work and have not read all that came. */
const DEATHS = ['death', 'death at work', 'death with bytes unread']

/** What is done now and then: only yamux has pings, streams that are accepted later, and a limit for those that are. */
const DONE = {
  yamux: ['open', 'accept later', 'write', 'mode', 'end', 'closeRead', 'reset', 'ping', 'retain', 'limit', 'priority', 'overflow', 'over streamPieces'],
  mplex: ['open', 'write', 'mode', 'end', 'closeRead', 'reset', 'retain', 'priority', 'overflow', 'over streamPieces']
}

describe('simulation: random operations', () => {
  for (const muxer of ['yamux', 'mplex'] as const) {
    it(`should do what the model says over ${muxer}, whatever both applications and the link do`, function () {
      this.timeout(0)

      const seed = seedToRepeat()
      const first = seed ?? Number(FROM)
      const last = seed ?? first + Number(SEEDS) - 1
      const reports: Report[] = []

      for (let each = first; each <= last; each++) {
        reports.push(withSeed(each, () => runPlan(makePlan(each, muxer))))
      }

      expect(patternIsIntact()).to.be.true()

      if (seed === undefined) {
        expectVariety(reports, DONE[muxer])
      }
    })
  }
})

/** A runner that runs nothing would find nothing. */
function expectVariety (reports: Report[], done: string[]): void {
  const counts: Record<string, number> = {}

  for (const report of reports) {
    counts[report.ending] = (counts[report.ending] ?? 0) + 1

    for (const [name, count] of Object.entries(report.counts)) {
      counts[name] = (counts[name] ?? 0) + count
    }
  }

  expect(counts).to.include.all.keys('finish', 'drain', 'close', 'cut', ...DEATHS, ...done)
  expect(reports.reduce((sum, report) => sum + report.bytes, 0)).to.be.greaterThan(reports.length * 100_000)
}
