/** Writes the tables of the README from committed results: `npm run bench:readme -- benchmarks/results/<name>.json …`. */
import fs from 'node:fs'
import path from 'node:path'
import { describe } from './harness/machine.ts'
import { bundleTable, casesOf, titleOf } from './harness/report.ts'
import { format, summarize } from './harness/statistics.ts'
import { OURS } from './peers/index.ts'
import type { Bundle } from './harness/bundles.ts'
import type { Machine } from './harness/machine.ts'
import type { Series } from './harness/statistics.ts'

const README = path.join(import.meta.dirname, '..', 'README.md')
const BEGIN = '<!-- written by npm run bench:readme: begin -->'
const END = '<!-- written by npm run bench:readme: end -->'

/** Who is compared with whom: the last of the peers with all others. */
const TABLES: Array<{ link: string, heading: string, peers: string[] }> = [
  { link: 'bare', heading: 'Yamux over TCP', peers: ['tcp', 'no-muxer', 'http2', 'yamux', OURS] },
  { link: 'noise', heading: 'Yamux over libp2p and noise', peers: ['no-muxer', 'yamux', OURS] },
  { link: 'bare', heading: 'Yamux beside Go and Rust, in their own language at both ends', peers: ['go-yamux', 'hashicorp', 'smux', 'rust-yamux', OURS] },
  { link: 'bare', heading: 'Mplex over TCP', peers: ['mplex', 'ours-mplex'] },
  { link: 'noise', heading: 'Mplex over libp2p and noise', peers: ['mplex', 'ours-mplex'] }
]

function table (all: Series[], link: string, peers: string[]): string[] {
  const reference = peers[peers.length - 1]
  const others = peers.slice(0, -1)
  const chosen = all.filter(series => series.link === link && peers.includes(series.peer))

  const rows = casesOf(chosen).flatMap(({ benchCase }) => {
    const of = chosen.filter(series => series.case === benchCase.name)
    const ours = of.find(({ peer }) => peer === reference)

    if (ours === undefined || of.length === 1) {
      return []
    }

    return benchCase.metrics.filter(({ name }) => !['cpu', 'otherCpu', 'marks'].includes(name)).map(metric => {
      const cells = others.map(name => {
        const series = of.find(({ peer }) => peer === name)

        if (series === undefined) {
          return ''
        }

        const { median, ratio = NaN } = summarize(series, metric, all, reference)

        return Number.isFinite(median) ? `${format(median)} (${format(ratio)} ×)` : 'failed'
      })

      const { median } = summarize(ours, metric, all, reference)

      return `| ${benchCase.title}: ${metric.title}, ${metric.unit} | ${cells.join(' | ')} | **${Number.isFinite(median) ? format(median) : 'failed'}** |`
    })
  })

  return [
    `| | ${peers.map(titleOf).join(' | ')} |`,
    `|---|${peers.map(() => '---:|').join('')}`,
    ...rows
  ]
}

interface Result {
  machine: Machine
  command: string[]
  rounds: number
  series: Series[]
  bundles?: Bundle[]
}

/** What a later file has of a case and link takes the place of what an earlier one has. */
function merge (results: Result[]): Series[] {
  return results.reduce<Series[]>((all, { series }) => [
    ...all.filter(one => !series.some(other => other.case === one.case && other.link === one.link)),
    ...series
  ], [])
}

function main (files: string[]): void {
  if (files.length === 0) {
    throw new Error('which results? npm run bench:readme -- benchmarks/results/<name>.json')
  }

  const results = files.map((file): Result => JSON.parse(fs.readFileSync(file, 'utf8')))
  const series = merge(results)
  const bases = files.map(file => path.relative(path.dirname(README), file).replace(/\.json$/, ''))
  const text = [
    BEGIN,
    '',
    `${describe(results[0].machine)}. Medians of interleaved rounds; in brackets ours divided by the peer, the median of the ratios of each round.`,
    ...results.map(({ command, rounds, series }, index) => `${series.length > 0 ? `${rounds} rounds` : 'Sizes'}, made by \`npm run bench -- ${command.join(' ')}\`: [all tables](${bases[index]}.md), [every sample](${bases[index]}.json).`),
    '',
    ...TABLES.flatMap(({ heading, link, peers }) => [`### ${heading}`, '', ...table(series, link, peers.filter(name => series.some(({ peer }) => peer === name))), '']),
    ...results.filter(({ bundles = [] }) => bundles.length > 0).slice(-1).map(({ bundles = [] }) => bundleTable(bundles)),
    // the first has all cases, those that follow have what was measured again
    ...['bare', 'noise', 'native'].map(name => `![Plot: ${name}](${bases.find(base => fs.existsSync(`${base}-${name}.svg`))}-${name}.svg)`),
    '',
    END
  ].join('\n')
  const readme = fs.readFileSync(README, 'utf8')

  if (!readme.includes(BEGIN) || !readme.includes(END)) {
    throw new Error(`the README has no place between "${BEGIN}" and "${END}"`)
  }

  fs.writeFileSync(README, readme.slice(0, readme.indexOf(BEGIN)) + text + readme.slice(readme.indexOf(END) + END.length))
}

try {
  main(process.argv.slice(2))
} catch (err: any) {
  process.stderr.write(`${err.message}\n`)
  process.exitCode = 1
}
