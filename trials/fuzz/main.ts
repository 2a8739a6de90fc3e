/** Bytes that mean nothing, or almost something, into decoders and engines: `npm run fuzz -- --help`. */
import path from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { print, runCommand } from '../command.ts'
import type { FromWorker, Job } from './worker.ts'

const HELP = `Usage: npm run fuzz -- [options]

  --time N        seconds for each muxer (default: 10)
  --inputs N      stop after so many inputs of each (default: as many as there is time for)
  --from N        the first episode (default: by the clock; 1 with --inputs or --episodes)
  --episodes N    no more than so many: 1 repeats a failure
  --muxer NAME    yamux or mplex (default: each in turn)
  --help

An episode is 50 connections, on each of which up to 64 inputs arrive while an application uses it; all of it is drawn by
fast-check, with the number of the episode for a seed, and a failure is made as small as it can be. Ends with exit code 1
at the first exception, at a promise broken, when an input takes 10 s, or when memory grows.
`

/** In which a worker that does not count on is taken for one that hangs. */
const HANG_MILLIS = 10_000

const TELL_MILLIS = 10_000

/** Of live memory between the first look, when all is compiled, and the last. */
const MAX_GROWTH = 8 * 1_048_576

interface Found {
  inputs: number
  seconds: number
  growth: number
  failure: string | undefined
}

async function fuzz (job: Job): Promise<Found> {
  const progress = new Float64Array(job.progress)
  const worker = new Worker(path.join(import.meta.dirname, 'worker.ts'), { workerData: job })
  const started = performance.now()
  let last = { inputs: -1, at: started }
  let told = started
  let ended = (_failure: string | undefined): void => {}

  const failure = await new Promise<string | undefined>(resolve => {
    const timer = setInterval(() => {
      const now = performance.now()

      if (progress[1] !== last.inputs) {
        last = { inputs: progress[1], at: now }
      } else if (now - last.at > HANG_MILLIS) {
        ended(`episode ${progress[0]} hangs`)
      }

      if (now - told >= TELL_MILLIS) {
        told = now
        print(`${job.language}: ${progress[1].toLocaleString('en')} inputs, ${((now - started) / 1_000).toFixed(0)} s\n`)
      }
    }, 1_000)

    ended = failure => {
      clearInterval(timer)
      resolve(failure)
    }

    worker.on('message', (message: FromWorker) => {
      ended(message.type === 'done' ? undefined : `episode ${message.episode}: ${message.message}`)
    })
    worker.on('error', err => {
      ended(err.stack)
    })
  })

  await worker.terminate()

  return {
    inputs: progress[1],
    seconds: (performance.now() - started) / 1_000,
    growth: progress[2] === 0 ? 0 : progress[3] - progress[2],
    failure
  }
}

await runCommand({
  help: HELP,
  names: ['time', 'inputs', 'from', 'episodes', 'muxer'],

  run: async options => {
    const bounded = options.has('inputs') || options.has('episodes')
    const episodes = options.whole('episodes', Infinity)
    const from = options.seed('from', bounded ? 1 : Date.now() % 2 ** 31, episodes)
    let good = true

    setFlagsFromString('--expose-gc')

    for (const language of options.muxers) {
      const { inputs, seconds, growth, failure } = await fuzz({
        language,
        from,
        episodes,
        inputs: options.whole('inputs', Infinity),
        until: Date.now() + options.positive('time', bounded ? 86_400 : 10) * 1_000,
        progress: new SharedArrayBuffer(32)
      })

      print(`${language}: ${inputs.toLocaleString('en')} inputs in ${seconds.toFixed(1)} s, ${Math.round(inputs / seconds).toLocaleString('en')} a second, from episode ${from}, live memory ${growth >= 0 ? '+' : ''}${(growth / 1_048_576).toFixed(1)} MiB\n`)

      if (failure !== undefined) {
        print(`FAILED: ${failure}\n`)
      } else if (inputs === 0) {
        print('FAILED: there was no input\n')
      } else if (growth > MAX_GROWTH) {
        print(`FAILED: live memory grew by more than ${MAX_GROWTH / 1_048_576} MiB\n`)
      }

      good &&= failure === undefined && inputs > 0 && growth <= MAX_GROWTH
    }

    return good
  }
})
