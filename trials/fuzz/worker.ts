/** Runs episode after episode, and counts where others can see it: who hangs cannot say so. */
import { parentPort, workerData } from 'node:worker_threads'
import { languageOf } from '../languages.ts'
import { runEpisode } from './episode.ts'

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
  { type: 'failed', episode: number, message: string } |
  { type: 'done' }

/** Between two looks at live memory. */
const BATCH = 256

function run (job: Job): FromWorker {
  const language = languageOf(job.language)
  const progress = new Float64Array(job.progress)
  let inputs = 0

  for (let n = 0; n < job.episodes && inputs < job.inputs; n++) {
    progress[0] = job.from + n

    try {
      inputs += runEpisode(language, job.from + n)
    } catch (err: any) {
      return { type: 'failed', episode: job.from + n, message: `${err.message}\n${err.cause?.stack ?? err.stack}` }
    }

    progress[1] = inputs

    if (n % BATCH === 0) {
      measure(progress)
    }

    if (Date.now() > job.until) {
      break
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
