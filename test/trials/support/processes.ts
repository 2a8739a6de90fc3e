/** Commands in processes of their own, as what they do to their process cannot be tried in this one. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ChildProcess } from 'node:child_process'

/** One that has not ended by then never will, and is killed. */
const LONGEST_MILLIS = 60_000

export interface Started {
  child: ChildProcess
  ended: Promise<{ code: number | null, output: string }>
}

/** A file from the root of the repository, without its ending: sources have another than what is built of them. */
export function start (file: string, args: string[], env: NodeJS.ProcessEnv = {}): Started {
  const main = fileURLToPath(new URL(`../../../${file}${path.extname(import.meta.url)}`, import.meta.url))

  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    timeout: LONGEST_MILLIS,
    killSignal: 'SIGKILL'
  })
  let output = ''

  const onText = (text: string): void => {
    output += text
  }

  child.stdout.setEncoding('utf8').on('data', onText)
  child.stderr.setEncoding('utf8').on('data', onText)

  return { child, ended: once(child, 'close').then(([code]) => ({ code, output })) }
}

export async function run (file: string, args: string[]): Promise<{ code: number | null, output: string }> {
  return start(file, args).ended
}
