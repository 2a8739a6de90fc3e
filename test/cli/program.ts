/**
 * Runs the program as a user would, and waits for what it says rather than for time
 * to pass.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ChildProcess } from 'node:child_process'

// main.ts beside the sources of the tests, main.js beside what they are built into
const MAIN = fileURLToPath(new URL(`../../src/cli/main${extname(import.meta.url)}`, import.meta.url))

const running = new Set<Program>()

export interface Ending {
  code: number | null
  signal: NodeJS.Signals | null
}

export class Program {
  stdout = ''
  stderr = ''

  /**
   * The process is over, and so is every process that it gave its stderr to
   */
  readonly ended: Promise<Ending>
  readonly #child: ChildProcess
  readonly #watchers = new Set<() => void>()
  #over = false

  constructor (args: string[], env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(process.execPath, [MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env }
    })
    running.add(this)

    this.#child.stdout?.setEncoding('utf8').on('data', text => {
      this.stdout += text
      this.#changed()
    })
    this.#child.stderr?.setEncoding('utf8').on('data', text => {
      this.stderr += text
      this.#changed()
    })
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      this.#over = true
      running.delete(this)
      this.#changed()

      return { code, signal }
    })
  }

  /**
   * The first match in the output so far or to come
   */
  async output (from: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = this[from].match(pattern)

        if (match != null) {
          this.#watchers.delete(look)
          resolve(match)
        } else if (this.#over) {
          this.#watchers.delete(look)
          reject(new Error(`${pattern} did not come on ${from}\n${this.stdout}\n${this.stderr}`))
        }
      }

      this.#watchers.add(look)
      look()
    })
  }

  kill (signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  #changed (): void {
    for (const watcher of this.#watchers) {
      watcher()
    }
  }
}

/**
 * Run to the end
 */
export async function run (args: string[], env?: NodeJS.ProcessEnv): Promise<Program & Ending> {
  const program = new Program(args, env)

  return Object.assign(program, await program.ended)
}

/**
 * For `afterEach`: whatever a failed test left running
 */
export async function endPrograms (): Promise<void> {
  await Promise.all([...running].map(async program => {
    program.kill('SIGKILL')
    await program.ended
  }))
}

/**
 * A temporary directory for each test
 */
export function useDirectory (): () => string {
  let directory = ''

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'libp2p-muxers-test-'))
  })

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  return () => directory
}
