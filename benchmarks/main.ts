/** The benchmark: `npm run bench -- --help`. */
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { CASES } from './cases/index.ts'
import { keepAwake } from './harness/awake.ts'
import { bundles } from './harness/bundles.ts'
import { describe, machine } from './harness/machine.ts'
import { profileLines, profileTable } from './harness/profile.ts'
import { bundleTable, markdown, sectionsOf, terminal } from './harness/report.ts'
import { clock, runPlan } from './harness/schedule.ts'
import { chart, panelsOf } from './harness/svg.ts'
import { OURS, PEERS } from './peers/index.ts'
import type { Plan } from './harness/schedule.ts'
import type { LinkName } from './peers/index.ts'

const HELP = `Usage: npm run bench -- [options]

  --case a,b      cases, or the beginnings of their names (default: all)
  --peer x,y      peers, or js or native for all of a kind (default: all); ours is called ${OURS}
  --link bare     bare, noise or all (default: all)
  --rounds N      samples of each peer, after as many to warm up as it takes (default: 5)
  --millis N      how long a sample measures (default: 600)
  --profile       where the time goes at each end, in tables too; slows down the rest
  --awake         no core sleeps meanwhile: of a virtual machine's, waking takes longer than a muxer (needs chrt)
  --quick         3 rounds of 250 ms: to see that it works, not to compare
  --out DIR       where results go (default: benchmarks/results)
  --name NAME     of the result files (default: the date and time)
  --list          cases and peers
  --help
`

/** Of no use to the processes that run cases: nothing runs, something is weighed. */
const BUNDLE = { name: 'bundle', title: 'size of the entry points, minified and compressed', links: [] }
const ALL_CASES = [...CASES, BUNDLE]

interface Options {
  plan: Plan
  awake: boolean
  bundles: boolean
  directory: string
  name: string
}

function print (text: string): void {
  process.stdout.write(text)
}

class UsageError extends Error {}

function choose<T extends { name: string }> (all: T[], wanted: string | undefined, what: string, matches: (name: string, word: string) => boolean): T[] {
  const words = wanted?.split(',').map(word => word.trim()).filter(word => word !== '') ?? []

  for (const word of words) {
    if (!all.some(({ name }) => matches(name, word))) {
      throw new UsageError(`there is no ${what} ${word}; there are ${all.map(({ name }) => name).join(', ')}`)
    }
  }

  return words.length === 0 ? all : all.filter(({ name }) => words.some(word => matches(name, word)))
}

function isPeer (name: string, word: string): boolean {
  const native = PEERS.find(peer => peer.name === name)?.native !== undefined

  return name === word || (word === 'native' && native) || (word === 'js' && !native)
}

function positive (value: string | undefined, name: string, otherwise: number): number {
  const number = Number(value ?? otherwise)

  if (!Number.isInteger(number) || number < 1) {
    throw new UsageError(`--${name} must be a whole number above 0, was ${value}`)
  }

  return number
}

function linksOf (value: string): LinkName[] {
  if (value !== 'all' && value !== 'bare' && value !== 'noise') {
    throw new UsageError(`--link must be bare, noise or all, was ${value}`)
  }

  return value === 'all' ? ['bare', 'noise'] : [value]
}

function list (): string {
  const lines = ['Cases:', ...ALL_CASES.map(({ name, title, links }) => `  ${name.padEnd(24)}${title}${links.length === 0 ? '' : ` (${links.join(', ')})`}`)]

  return [...lines, 'Peers:', ...PEERS.map(({ name, title, links }) => `  ${name.padEnd(24)}${title} (${links.join(', ')})`), ''].join('\n')
}

/** Nothing to run when only something was asked. */
function parse (args: string[]): Options | undefined {
  const { values } = parseArgs({
    args,
    options: {
      case: { type: 'string' },
      peer: { type: 'string' },
      link: { type: 'string', default: 'all' },
      rounds: { type: 'string' },
      millis: { type: 'string' },
      quick: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      awake: { type: 'boolean', default: false },
      out: { type: 'string', default: path.join(import.meta.dirname, 'results') },
      name: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })

  if (values.help || values.list) {
    print(values.help ? HELP : list())
    return undefined
  }

  const chosen = choose<{ name: string }>(ALL_CASES, values.case, 'case', (name, word) => name === word || (!CASES.some(other => other.name === word) && name.startsWith(word)))

  return {
    awake: values.awake,
    bundles: chosen.includes(BUNDLE),
    plan: {
      cases: CASES.filter(one => chosen.includes(one)),
      peers: choose(PEERS, values.peer, 'peer', isPeer),
      links: linksOf(values.link),
      rounds: positive(values.rounds, 'rounds', values.quick ? 3 : 5),
      parameters: { millis: positive(values.millis, 'millis', values.quick ? 250 : 600), quick: values.quick, profile: values.profile }
    },
    directory: values.out,
    name: values.name ?? new Date().toISOString().slice(0, 19).replace(/[T:]/g, '-')
  }
}

async function main (args: string[]): Promise<void> {
  const options = parse(args)

  if (options === undefined) {
    return
  }

  const { plan, directory, name } = options
  const facts = machine()
  const started = performance.now()

  print(`${describe(facts)}\n`)

  const rest = options.awake ? await keepAwake() : undefined
  const series = await runPlan(plan, line => {
    print(`${clock((performance.now() - started) / 1_000)} ${line}\n`)
  }).finally(rest)

  const weighed = options.bundles ? await bundles() : []
  const sizes = weighed.length === 0 ? '' : bundleTable(weighed)
  const profiles = plan.parameters.profile ? `\n${profileTable(series)}` : ''
  const base = path.join(directory, name)

  fs.mkdirSync(directory, { recursive: true })
  fs.writeFileSync(`${base}.json`, JSON.stringify({ machine: facts, command: args, rounds: plan.rounds, parameters: plan.parameters, series, bundles: weighed }, undefined, 2) + '\n')
  fs.writeFileSync(`${base}.md`, `${describe(facts)}; medians of ${plan.rounds}\n\n${markdown(series)}\n${sizes}${profiles}`)

  for (const section of sectionsOf(series)) {
    fs.writeFileSync(`${base}-${section.name}.svg`, chart(panelsOf(section.series)))
  }

  if (plan.parameters.profile) {
    for (const one of series) {
      print([`\n${one.case} (${one.link}), ${one.peer}`, ...profileLines(one), ''].join('\n    '))
    }
  }

  print(`${terminal(series)}\n${sizes}\n${clock((performance.now() - started) / 1_000)}; every sample is in ${base}.json, tables in ${base}.md, plots in ${base}-*.svg\n`)
}

try {
  await main(process.argv.slice(2))
} catch (err: any) {
  process.stderr.write(`${err.message}\n`)
  process.exitCode = err instanceof UsageError || err.code?.startsWith('ERR_PARSE_ARGS') === true ? 2 : 1
}
