/** Real connections, cut on the way: `npm run faults -- --help`. */
import { constants } from 'node:os'
import { print, runCommand } from '../command.ts'
import { objectBytes } from './heap.ts'
import { DIAL_MILLIS, growthOf, leftBehind, runRounds } from './rounds.ts'
import type { MuxerName } from '../command.ts'
import type { Cut } from './proxy.ts'

const HELP = `Usage: npm run faults -- [options]

  --rounds N      how many (default: 100)
  --from S        the first; its number is its seed (default: 1)
  --cut a,b       rst, fin, blackhole (default: all)
  --muxer NAME    yamux or mplex (default: each in turn)
  --size N        KiB of the file that is sent in each round (default: 2048)
  --help

A round connects two nodes over TCP and noise, sends a file while three streams echo beside it, and cuts the connection
after some bytes. Every stream must end in time and with an error, the file must be there whole or not at all, no timer or
listener of ours may be left after a round, and no handle or memory after all of them. Ends with exit code 1 otherwise.
`

const CUTS: Cut[] = ['rst', 'fin', 'blackhole']

/**
 * Of the objects in the heap, between the first third and the last of what is weighed in the second half of the rounds: a leak
 * of 500 bytes a round is more. Before that they come to be as many as they stay, with either muxer: the caches of libp2p.
 */
const MAX_GROWTH = 0.01
const LONG_ROUNDS = 1_000

/** Of what buffers hold: a chunk of a socket left behind each round would be a hundred times as much. */
const MAX_EXTERNAL_GROWTH = 1_048_576

async function run (muxer: MuxerName, rounds: number, from: number, cuts: Cut[], size: number): Promise<boolean> {
  const started = performance.now()
  let told = started

  const report = await runRounds({
    muxer,
    rounds,
    from,
    cuts,
    size,
    ...(rounds >= LONG_ROUNDS && { restMillis: DIAL_MILLIS, weigh: objectBytes }),
    onRound: (_, round) => {
      if (performance.now() - told > 10_000) {
        told = performance.now()
        print(`${muxer}: round ${round}\n`)
      }
    }
  })

  const { reached, before, after } = report
  const growth = growthOf(report.heap)
  const left = leftBehind(report)
  const wrong: string[] = []

  if (left.length > 0) {
    wrong.push(`left behind: ${left.join('; ')}`)
  }

  if (growth > MAX_GROWTH && rounds >= LONG_ROUNDS) {
    wrong.push(`the objects in the heap grew by ${(growth * 100).toFixed(2)} %`)
  }

  if (after.external - before.external > MAX_EXTERNAL_GROWTH && rounds >= LONG_ROUNDS) {
    wrong.push(`memory outside of the heap grew by ${((after.external - before.external) / 1_024).toFixed(0)} KiB`)
  }

  print(`${muxer}: ${report.rounds} rounds in ${((performance.now() - started) / 1_000).toFixed(0)} s (${reached.dialling} cut while dialling, ${reached.transfer} in the transfer, ${reached.done} done before), ${report.streams} streams, the last of them noticed after ${report.noticedMillis.toFixed(0)} ms\n`)
  print(`${muxer}: ${rounds >= LONG_ROUNDS ? 'objects in the heap' : 'heap'} from half of the rounds to all of them ${report.heap.map(bytes => (bytes / 1_048_576).toFixed(2)).join(', ')} MiB: ${growth >= 0 ? '+' : ''}${(growth * 100).toFixed(2)} %\n`)
  print(wrong.map(line => `FAILED: ${line}\n`).join(''))

  return wrong.length === 0
}

// by itself a signal ends the process without its `exit`, in which what is temporary is removed
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(name, () => {
    process.exit(128 + constants.signals[name])
  })
}

await runCommand({
  help: HELP,
  names: ['rounds', 'from', 'cut', 'muxer', 'size'],

  run: async options => {
    const unhandled: unknown[] = []
    const rounds = options.whole('rounds', 100)
    const from = options.seed('from', 1, rounds)
    let good = true

    process.on('unhandledRejection', reason => {
      unhandled.push(reason)
    })

    for (const muxer of options.muxers) {
      good = await run(muxer, rounds, from, options.some('cut', CUTS), options.whole('size', 2_048) * 1_024) && good
    }

    if (unhandled.length > 0) {
      print(`FAILED: ${unhandled.length} rejections were left unhandled, the first: ${(unhandled[0] as Error)?.stack ?? unhandled[0]}\n`)
    }

    return good && unhandled.length === 0
  }
})
