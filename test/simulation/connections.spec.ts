import { expect } from 'aegir/chai'
import { noUnhandledRejections, uncaughtDuring } from '../support/waiting.ts'
import { FINALES, runConnections } from './kit/random-connections.ts'
import { seedToRepeat } from './kit/random.ts'
import type { ConnectionReport } from './kit/random-connections.ts'

// SEED=17 repeats one run, SEEDS=100000 makes more of them, FROM=1000 starts elsewhere
const { SEEDS = '1000', FROM = '1' } = process.env

const EVENTS = ['stream', 'message', 'remoteCloseWrite', 'drain', 'idle', 'end', 'close']

const DONE = ['open', 'send', 'write', 'end', 'abort', 'reset', 'closeRead', 'dispose', 'pause', 'resume', 'read later', 'priority', 'limit', 'agree', 'drain', 'give up waiting', 'ping']

describe('simulation: connections', () => {
  noUnhandledRejections()

  for (const language of ['yamux', 'mplex'] as const) {
    it(`should lose and keep nothing over ${language}, and throw at nobody, whatever applications do while they are told`, async function () {
      this.timeout(0)

      const seed = seedToRepeat()
      const first = seed ?? Number(FROM)
      const last = seed ?? first + Number(SEEDS) - 1
      const reports: ConnectionReport[] = []

      for (let each = first; each <= last; each++) {
        reports.push(await runSeed(each, language))
      }

      if (seed === undefined) {
        expectVariety(reports)
      }
    })
  }
})

async function runSeed (seed: number, language: 'yamux' | 'mplex'): Promise<ConnectionReport> {
  let report: ConnectionReport | undefined
  let failure: Error | undefined

  const thrown = await uncaughtDuring(async () => {
    try {
      report = await runConnections(seed, language)
    } catch (err: any) {
      failure = err
    }
  })

  if (thrown.length > 0) {
    failure ??= new Error(`thrown at the application: ${thrown.map((err: any) => err?.stack ?? err)}`)
  }

  if (failure !== undefined || report === undefined) {
    throw new Error(`with SEED=${seed}: ${failure?.message}`)
  }

  return report
}

/** A runner that runs nothing would find nothing. */
function expectVariety (reports: ConnectionReport[]): void {
  const counts: Record<string, number> = {}

  for (const report of reports) {
    counts[report.finale] = (counts[report.finale] ?? 0) + 1

    for (const [name, count] of Object.entries(report.counts)) {
      counts[name] = (counts[name] ?? 0) + count
    }
  }

  expect(counts).to.include.all.keys(...FINALES, ...DONE, ...EVENTS.map(event => `in ${event}`))
  expect(reports.reduce((sum, { bytes }) => sum + bytes, 0)).to.be.greaterThan(reports.length * 10_000)
}
