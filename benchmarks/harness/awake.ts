/**
 * Cores that never sleep. In a virtual machine one that sleeps takes 40 µs and more to wake, which is most of a round
 * trip, and who keeps cores busy for nothing has the better figures: with `--awake` it is of the muxers again.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import os from 'node:os'

/** Ends by itself when the benchmark is gone. */
const LOOP = 'const parent = process.ppid; for (let i = 0; ; i++) if (i % 1e9 === 0 && process.ppid !== parent) process.exit()'

/**
 * Loops at idle priority, one for each core: whoever has anything to do has the core at once. Returns what ends them.
 * Rejects where there is no `chrt`.
 */
export async function keepAwake (): Promise<() => void> {
  const loops = os.cpus().map(() => spawn('chrt', ['--idle', '0', process.execPath, '-e', LOOP], { stdio: 'ignore' }))

  try {
    await Promise.all(loops.map(async loop => once(loop, 'spawn')))
  } catch (err: any) {
    throw new Error(`--awake needs chrt, which is of util-linux: apt-get install util-linux (${err.message})`)
  }

  return () => {
    loops.forEach(loop => { loop.kill() })
  }
}
