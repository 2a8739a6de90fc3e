/** Every peer × every scenario × who dials: `npm run interop -- --help`. */
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { runCell } from './cell.ts'
import { GOLDEN_SCENARIOS, writeGolden } from './golden.ts'
import { PEERS } from './peers/index.ts'
import { build } from './peers/toolchains.ts'
import { markdown, summary } from './report.ts'
import { SCENARIOS } from './scenarios/index.ts'
import type { Result } from './cell.ts'
import type { Peer } from './peers/index.ts'
import type { Unbuilt } from './peers/toolchains.ts'
import type { Direction, Scenario } from './scenarios/types.ts'

const HELP = `Usage: npm run interop -- [options]

  --peer a,b        peers, or languages, or muxers (default: all)
  --scenario x,y    scenarios, or the beginnings of their names (default: all)
  --direction dial  dial: we dial; listen: the peer dials (default: both)
  --out DIR         where RESULTS.md and results.json go (default: interop/ if all was run, else nowhere)
  --transcript      show the frames of what is not a pass
  --golden          the small scenarios only, and write what went over the wire to test/vectors/interop
  --list            peers and scenarios
  --help
`

function print (text: string): void {
  process.stdout.write(`${text}\n`)
}

class UsageError extends Error {}

function choose<T extends { name: string }> (all: T[], words: string[] | undefined, matches: (one: T, word: string) => boolean): T[] {
  if (words?.length === 0) {
    throw new UsageError(`nothing is chosen; there are ${all.map(({ name }) => name).join(', ')}`)
  }

  for (const word of words ?? []) {
    if (!all.some(one => matches(one, word))) {
      throw new UsageError(`there is no ${word}; there are ${all.map(({ name }) => name).join(', ')}`)
    }
  }

  return all.filter(one => words?.some(word => matches(one, word)) ?? true)
}

function split (value: string | undefined): string[] | undefined {
  return value?.split(',').map(word => word.trim()).filter(word => word !== '')
}

const OPTIONS = {
  peer: { type: 'string' },
  scenario: { type: 'string' },
  direction: { type: 'string' },
  out: { type: 'string' },
  transcript: { type: 'boolean', default: false },
  golden: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false }
} as const

type Arguments = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values']

function readArguments (): Arguments {
  try {
    return parseArgs({ options: OPTIONS }).values
  } catch (err: any) {
    process.stderr.write(`${err.message}\n`)
    process.exit(2)
  }
}

const values = readArguments()

/** The languages whose programs are not here, and why. */
async function buildAll (peers: Peer[]): Promise<Map<Peer['language'], Unbuilt>> {
  const unbuilt = new Map<Peer['language'], Unbuilt>()

  for (const language of new Set(peers.map(peer => peer.language))) {
    const started = performance.now()
    const failure = await build(language)

    if (failure !== undefined) {
      unbuilt.set(language, failure)
      print(`${failure.missing ? 'MISSING' : 'FAILED'} ${failure.reason}`)
    } else if (language !== 'js') {
      print(`built the peers in ${language} in ${((performance.now() - started) / 1_000).toFixed(0)} s`)
    }
  }

  return unbuilt
}

const MARKS = { pass: 'ok    ', theirs: 'THEIRS', cannot: 'cannot', missing: 'missing', failed: 'FAILED' }

function show (result: Result): void {
  const { peer, scenario, direction, verdict, reason, note, millis, transcript, first } = result

  print(`${MARKS[verdict]} ${`${peer} ${scenario} ${direction}`.padEnd(44)} ${(millis / 1_000).toFixed(1).padStart(6)} s  ${reason ?? note ?? ''}${first === undefined ? '' : ` (second attempt; the first: ${first})`}`)

  if (values.transcript || verdict === 'failed') {
    transcript?.slice(0, values.transcript ? undefined : 40).forEach(line => { print(`         ${line}`) })
  }
}

async function run (peers: Peer[], scenarios: Scenario[], directions: Direction[]): Promise<Result[]> {
  const unbuilt = await buildAll(peers)
  const results: Result[] = []

  for (const peer of peers) {
    for (const scenario of scenarios.filter(({ muxers }) => muxers?.includes(peer.muxer) ?? true)) {
      for (const direction of directions) {
        const why = unbuilt.get(peer.language)
        const result: Result = why === undefined
          ? await runCell(peer, scenario, direction)
          : { peer: peer.name, scenario: scenario.name, direction, verdict: why.missing ? 'missing' : 'failed', reason: why.reason.split('\n')[0], millis: 0 }

        results.push(result)
        show(result)
      }
    }
  }

  return results
}

async function main (): Promise<void> {
  if (values.help) {
    print(HELP)
    return
  }

  if (values.list) {
    PEERS.forEach(({ name, title }) => { print(`${name.padEnd(20)} ${title}`) })
    SCENARIOS.forEach(({ name, title }) => { print(`${name.padEnd(20)} ${title}`) })
    return
  }

  const peers = choose(PEERS, split(values.peer), (peer, word) => [peer.name, peer.language, peer.muxer].includes(word))
  const scenarios = choose(SCENARIOS, values.golden ? GOLDEN_SCENARIOS : split(values.scenario), ({ name }, word) => name === word || (!SCENARIOS.some(other => other.name === word) && name.startsWith(word)))
  const directions = choose([{ name: 'dial' }, { name: 'listen' }], split(values.direction), ({ name }, word) => name === word)
  const started = performance.now()
  const results = await run(peers, scenarios, directions.map(({ name }) => name as Direction))

  if (values.golden) {
    writeGolden(peers, results).forEach(print)
  }

  const all = !values.golden && values.peer === undefined && values.scenario === undefined && values.direction === undefined
  const out = values.out ?? (all ? import.meta.dirname : undefined)

  if (out !== undefined) {
    fs.mkdirSync(out, { recursive: true })
    fs.writeFileSync(path.join(out, 'results.json'), JSON.stringify({ peers: peers.map(({ name, title }) => ({ name, title })), results: results.map(({ tape, ...result }) => result) }, undefined, 1) + '\n')
    fs.writeFileSync(path.join(out, 'RESULTS.md'), markdown(peers, scenarios, results))
  }

  print(`\n${summary(results)} in ${((performance.now() - started) / 1_000).toFixed(0)} s`)

  if (results.some(({ verdict }) => verdict === 'failed')) {
    process.exitCode = 1
  }
}

try {
  await main()
} catch (err: any) {
  process.stderr.write(`${err instanceof UsageError ? err.message : err.stack}\n`)
  process.exitCode = 2
}
