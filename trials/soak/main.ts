/** For long: `npm run soak -- --help`. */
import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { machine } from '../../benchmarks/harness/machine.ts'
import { print, runCommand } from '../command.ts'
import { Load } from './load.ts'
import { bytesPerStream, growthOf, isLeak, write } from './report.ts'
import type { MuxerName } from '../command.ts'
import type { Sample } from './report.ts'

const HELP = `Usage: npm run soak -- [options]

  --minutes N     how long, for each muxer (default: 1)
  --streams N     at a time (default: 200)
  --muxer NAME    yamux or mplex (default: each in turn)
  --seed S        (default: 1)
  --dry           print only, and leave docs/soak.md as it is
  --help

Ends with exit code 1 at an error that should not have been, or when live memory grew from the second quarter of the
run to its last: by more than 3 % in five minutes or more, by more than 2 KiB for each stream in less.
`

function sample (seconds: number, load: Load): Sample {
  const collect = runInNewContext('gc') as () => void

  collect()
  collect()

  const { heapUsed, external, rss } = process.memoryUsage()

  return { seconds, heapUsed, external, resident: rss, streams: load.counts.streams, bytes: load.counts.bytes }
}

async function soak (muxer: MuxerName, minutes: number, streams: number, seed: number, command: string, dry: boolean): Promise<boolean> {
  const started = performance.now()
  const passed = (): number => (performance.now() - started) / 1_000
  const load = await Load.start(muxer, streams, seed)
  const samples: Sample[] = []
  // thirty looks, but none more often than a few seconds apart
  const every = Math.max(3, minutes * 2)

  while (passed() < minutes * 60 && load.errors.length === 0) {
    await delay(Math.min(every, minutes * 60 - passed()) * 1_000)

    const one = sample(passed(), load)

    samples.push(one)
    print(`${muxer}: ${one.seconds.toFixed(0)} s, ${((one.heapUsed + one.external) / 1_048_576).toFixed(1)} MiB live, ${one.streams.toLocaleString('en')} streams, ${(one.bytes / 1_048_576).toFixed(0)} MiB echoed\n`)
  }

  const seconds = passed()

  await load.stop()

  const growth = growthOf(samples)
  const leaks = isLeak(samples, minutes)

  for (const line of load.errors.slice(0, 10)) {
    print(`FAILED: ${line}\n`)
  }

  if (load.counts.streams === 0) {
    print('FAILED: no stream was over in that time\n')
  }

  if (leaks) {
    print(`FAILED: live memory grew by ${(growth * 100).toFixed(2)} %, ${bytesPerStream(samples).toFixed(0)} bytes for each stream\n`)
  }

  if (!dry) {
    print(`written: ${write({ machine: machine(), command, muxer, streamsAtOnce: streams, seconds, counts: load.counts, errors: load.errors.length, samples, growth }).join(', ')}\n`)
  }

  return load.errors.length === 0 && load.counts.streams > 0 && !leaks
}

await runCommand({
  help: HELP,
  names: ['minutes', 'streams', 'muxer', 'seed'],
  flags: ['dry'],

  run: async (options, args) => {
    let good = true

    setFlagsFromString('--expose-gc')
    process.on('unhandledRejection', (reason: any) => {
      print(`FAILED: a rejection was left unhandled: ${reason?.stack ?? reason}\n`)
      good = false
    })

    for (const muxer of options.muxers) {
      good = await soak(muxer, options.positive('minutes', 1), options.whole('streams', 200), options.seed('seed', 1), `npm run soak -- ${args.join(' ')}`, options.has('dry')) && good
    }

    return good
  }
})
