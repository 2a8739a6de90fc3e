/** Random operations of two applications over a random link, against a model: `npm run simulate -- --help`. */
import { parseArgs } from 'node:util'
import { patternIsIntact } from '../../test/simulation/kit/pattern.ts'
import { makePlan, runPlan } from '../../test/simulation/kit/random-operations.ts'
import { failureOf, shrink } from './shrink.ts'
import type { MuxerName } from '../../test/simulation/kit/random-operations.ts'

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

class UsageError extends Error {}

function whole (value: string | undefined, name: string, otherwise: number): number {
  const number = Number(value ?? otherwise)

  if (!(number >= 0)) {
    throw new UsageError(`--${name} must be a number, was ${value}`)
  }

  return number
}

function print (text: string): void {
  process.stdout.write(text)
}

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
  const started = performance.now()
  let told = started
  let done = 0
  let operations = 0
  let bytes = 0

  const passed = (): number => (performance.now() - started) / 1_000
  const total = (): string =>
    `${muxer}: ${done.toLocaleString('en')} seeds from ${from}, ${operations.toLocaleString('en')} operations, ${(bytes / 1_048_576).toFixed(0)} MiB, ${passed().toFixed(0)} s`

  for (let seed = from; seed < from + limits.seeds && operations < limits.operations && passed() < limits.seconds; seed++) {
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

  print(`${total()}: all as the model says\n`)

  return true
}

function main (args: string[]): void {
  const { values } = parseArgs({
    args,
    options: {
      muxer: { type: 'string' },
      seeds: { type: 'string' },
      from: { type: 'string' },
      operations: { type: 'string' },
      time: { type: 'string' },
      help: { type: 'boolean', default: false }
    }
  })

  if (values.help) {
    print(HELP)
    return
  }

  if (values.muxer !== undefined && values.muxer !== 'yamux' && values.muxer !== 'mplex') {
    throw new UsageError(`--muxer must be yamux or mplex, was ${values.muxer}`)
  }

  const muxers: MuxerName[] = values.muxer === undefined ? ['yamux', 'mplex'] : [values.muxer]
  const bounded = values.operations !== undefined || values.time !== undefined
  const limits = {
    from: whole(values.from, 'from', 1),
    seeds: whole(values.seeds, 'seeds', bounded ? Infinity : 1_000),
    operations: whole(values.operations, 'operations', Infinity),
    seconds: whole(values.time, 'time', Infinity)
  }

  if (!muxers.every(muxer => simulate(muxer, limits))) {
    process.exitCode = 1
  }

  if (!patternIsIntact()) {
    print('FAILED: somebody wrote into memory that is not theirs\n')
    process.exitCode = 1
  }
}

try {
  main(process.argv.slice(2))
} catch (err: any) {
  process.stderr.write(`${err.message}\n`)
  process.exitCode = err instanceof UsageError || err.code?.startsWith('ERR_PARSE_ARGS') === true ? 2 : 1
}
