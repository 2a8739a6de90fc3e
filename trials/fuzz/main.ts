/** Bytes that mean nothing, or almost something, into decoders and engines: `npm run fuzz -- --help`. */
import path from 'node:path'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { LANGUAGES, languageOf } from '../languages.ts'
import type { FromWorker, Job } from './worker.ts'

const HELP = `Usage: npm run fuzz -- [options]

  --time N        seconds for each muxer (default: 10)
  --inputs N      stop after so many inputs of each (default: as many as there is time for)
  --from N        the first episode (default: by the clock; 1 with --inputs or --episodes)
  --episodes N    no more than so many: 1 repeats a failure
  --muxer NAME    ${LANGUAGES.map(({ name }) => name).join(' or ')} (default: each in turn)
  --help

An episode is one connection, on which up to 64 inputs arrive while an application uses it; its number is its seed.
Ends with exit code 1 at the first exception, at a promise broken, when an input takes 10 s, or when memory grows.
`

/** In which a worker that does not count on is taken for one that hangs. */
const HANG_MILLIS = 10_000

/** Of live memory between the first look, when all is compiled, and the last. */
const MAX_GROWTH = 8 * 1_048_576

class UsageError extends Error {}

function whole (value: string | undefined, name: string, otherwise: number): number {
  const number = Number(value ?? otherwise)

  if (!(number >= 1)) {
    throw new UsageError(`--${name} must be a number above 0, was ${value}`)
  }

  return number
}

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
  let ended = (_failure: string | undefined): void => {}

  const failure = await new Promise<string | undefined>(resolve => {
    const timer = setInterval(() => {
      const now = performance.now()

      if (progress[1] !== last.inputs) {
        last = { inputs: progress[1], at: now }
      } else if (now - last.at > HANG_MILLIS) {
        ended(`episode ${progress[0]} hangs`)
      }
    }, 1_000)

    ended = failure => {
      clearInterval(timer)
      resolve(failure)
    }

    worker.on('message', (message: FromWorker) => {
      ended(message.type === 'done' ? undefined : `episode ${message.episode}, input ${message.input}, ${message.hex}\n${message.stack}`)
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

async function main (args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      time: { type: 'string' },
      inputs: { type: 'string' },
      from: { type: 'string' },
      episodes: { type: 'string' },
      muxer: { type: 'string' },
      help: { type: 'boolean', default: false }
    }
  })

  if (values.help) {
    process.stdout.write(HELP)
    return
  }

  setFlagsFromString('--expose-gc')

  const bounded = values.inputs !== undefined || values.episodes !== undefined
  const seconds = whole(values.time, 'time', bounded ? 86_400 : 10)
  const from = whole(values.from, 'from', bounded ? 1 : Date.now() % 2 ** 31)

  for (const { name } of values.muxer === undefined ? LANGUAGES : [languageOf(values.muxer)]) {
    const { inputs, seconds: took, growth, failure } = await fuzz({
      language: name,
      from,
      episodes: whole(values.episodes, 'episodes', Infinity),
      inputs: whole(values.inputs, 'inputs', Infinity),
      until: Date.now() + seconds * 1_000,
      progress: new SharedArrayBuffer(32)
    })

    process.stdout.write(`${name}: ${inputs.toLocaleString('en')} inputs in ${took.toFixed(1)} s, ${Math.round(inputs / took).toLocaleString('en')} a second, from episode ${from}, live memory ${growth >= 0 ? '+' : ''}${(growth / 1_048_576).toFixed(1)} MiB\n`)

    if (failure !== undefined) {
      process.stdout.write(`FAILED: ${failure}\n`)
      process.exitCode = 1
    } else if (growth > MAX_GROWTH) {
      process.stdout.write(`FAILED: live memory grew by more than ${MAX_GROWTH / 1_048_576} MiB\n`)
      process.exitCode = 1
    }
  }
}

try {
  await main(process.argv.slice(2))
} catch (err: any) {
  process.stderr.write(`${err.message}\n`)
  process.exitCode = err instanceof UsageError || err.code?.startsWith('ERR_PARSE_ARGS') === true ? 2 : 1
}
