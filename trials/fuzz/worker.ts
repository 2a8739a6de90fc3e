/** Runs episode after episode, and counts where others can see it: who hangs cannot say so. */
import { parentPort, workerData } from 'node:worker_threads'
import { languageOf } from '../languages.ts'
import { Episode } from './episode.ts'

export interface Job {
  language: string
  from: number
  episodes: number
  until: number
  inputs: number

  /** Episodes begun, and inputs done. */
  progress: SharedArrayBuffer
}

export type FromWorker =
  { type: 'failed', episode: number, input: number, hex: string, message: string, stack: string } |
  { type: 'done' }

/** Between two looks at the clock. */
const BATCH = 256

function run (job: Job): FromWorker {
  const language = languageOf(job.language)
  const progress = new Float64Array(job.progress)
  let inputs = 0

  for (let n = 0; n < job.episodes && inputs < job.inputs; n++) {
    const episode = new Episode(language, job.from + n)

    progress[0] = job.from + n

    try {
      episode.run()
    } catch (err: any) {
      return { type: 'failed', episode: job.from + n, input: episode.inputs, hex: Buffer.from(episode.input).toString('hex'), message: `${err.name}: ${err.message}`, stack: err.stack }
    }

    inputs += episode.inputs
    progress[1] = inputs

    if (n % BATCH === 0) {
      if (n % (BATCH * 64) === 0) {
        measure(progress)
      }

      if (Date.now() > job.until) {
        break
      }
    }
  }

  measure(progress)

  return { type: 'done' }
}

/** Live memory: at first, and now. */
function measure (progress: Float64Array): void {
  globalThis.gc?.()
  globalThis.gc?.()

  const { heapUsed, external } = process.memoryUsage()

  progress[3] = heapUsed + external

  if (progress[2] === 0 && progress[1] > 0) {
    progress[2] = progress[3]
  }
}

parentPort?.postMessage(run(workerData as Job))
