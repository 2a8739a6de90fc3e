/** Random operations of two applications over a random link, against a model: `npm run simulate -- --help`. */
import { patternIsIntact } from '../../test/simulation/kit/pattern.ts'
import { makePlan, runPlan } from '../../test/simulation/kit/random-operations.ts'
import { MAX_SEED, print, runCommand } from '../command.ts'
import { failureOf, shrink } from './shrink.ts'
import type { MuxerName } from '../command.ts'

const HELP = `Usage: npm run simulate -- [options]

  --muxer NAME     yamux or mplex (default: each in turn)
  --seeds N        how many (default: 1000, or as many as --operations and --time allow)
  --from S         the first (default: 1)
  --operations N   stop once so many operations of each were done
  --time N         stop after so many seconds of each
  --help

A seed is a connection: latency, rate, chopping, stalls and death of the link, options of both ends, and what two
applications do with it. Ends with exit code 1 at the first that is not as the model says, with its seed and the
shortest list of operations found that fails in the same way.
`

function tellFailure (muxer: MuxerName, seed: number, failure: Error): void {
  print(`FAILED with seed ${seed} of ${muxer}: ${failure.message}\n`)

  const plan = shrink(makePlan(seed, muxer))
  const lines: string[] = []
  const shrunk = failureOf(plan, line => lines.push(line))

  print(`The shortest that was found has ${plan.steps.length} operations, ${plan.plainLink ? 'a plain link' : 'the link of the seed'}, ${plan.plainOptions ? 'options as by default' : 'the options of the seed'}, and ends by ${plan.ending}:\n`)
  print(`${lines.map(line => `  ${line}`).join('\n')}\n  ${shrunk?.stack}\n`)
  print(`To repeat it: npm run simulate -- --muxer ${muxer} --from ${seed} --seeds 1\n`)
}

interface Limits {
  from: number
  seeds: number
  operations: number
  seconds: number
}

/** Returns whether all was as the model says. */
function simulate (muxer: MuxerName, limits: Limits): boolean {
  const { from } = limits
  const last = Math.min(from + limits.seeds - 1, MAX_SEED)
  const started = performance.now()
  let told = started
  let done = 0
  let operations = 0
  let bytes = 0

  const passed = (): number => (performance.now() - started) / 1_000
  const total = (): string =>
    `${muxer}: ${done.toLocaleString('en')} seeds from ${from}, ${operations.toLocaleString('en')} operations, ${(bytes / 1_048_576).toFixed(0)} MiB, ${passed().toFixed(0)} s`

  for (let seed = from; seed <= last && operations < limits.operations && passed() < limits.seconds; seed++) {
    try {
      const report = runPlan(makePlan(seed, muxer))

      done++
      operations += report.operations
      bytes += report.bytes
    } catch (err: any) {
      tellFailure(muxer, seed, err)

      return false
    }

    if (performance.now() - told > 10_000) {
      told = performance.now()
      print(`${total()}\n`)
    }
  }

  if (done === 0) {
    print(`FAILED: no seed of ${muxer} was run\n`)

    return false
  }

  print(`${total()}: all as the model says\n`)

  return true
}

await runCommand({
  help: HELP,
  names: ['muxer', 'seeds', 'from', 'operations', 'time'],

  run: options => {
    const seeds = options.whole('seeds', options.has('operations') || options.has('time') ? Infinity : 1_000)
    const limits = {
      from: options.seed('from', 1, seeds),
      seeds,
      operations: options.whole('operations', Infinity),
      seconds: options.positive('time', Infinity)
    }

    const good = options.muxers.every(muxer => simulate(muxer, limits))

    if (!patternIsIntact()) {
      print('FAILED: somebody wrote into memory that is not theirs\n')
    }

    return good && patternIsIntact()
  }
})
