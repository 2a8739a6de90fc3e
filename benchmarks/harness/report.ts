/** Tables: for a terminal, and in Markdown. */
import { CASES } from '../cases/index.ts'
import { OURS, PEERS } from '../peers/index.ts'
import { format, summarize } from './statistics.ts'
import type { Bundle } from './bundles.ts'
import type { Series } from './statistics.ts'
import type { BenchCase, Metric } from '../cases/types.ts'
import type { LinkName } from '../peers/index.ts'

/** A peer in a row of one case and metric. */
interface Row {
  peer: string
  median: string
  spread: string
  ratio: string
  note: string
}

export function titleOf (peer: string): string {
  return PEERS.find(({ name }) => name === peer)?.title ?? peer
}

function rowsOf (benchCase: BenchCase, link: LinkName, metric: Metric, all: Series[]): Row[] {
  return all
    .filter(series => series.case === benchCase.name && series.link === link)
    .map(series => {
      const summary = summarize(series, metric, all)
      const first = series.samples.find(({ failure }) => failure !== undefined)?.failure

      return {
        peer: titleOf(series.peer),
        median: format(summary.median),
        spread: series.samples.length > 1 ? `${format(summary.min)} … ${format(summary.max)}` : '',
        ratio: summary.ratio === undefined ? '' : `${format(summary.ratio)} × (${format(summary.ratioOfMedians ?? NaN)} ×)`,
        note: first === undefined ? '' : `${summary.failures} failed: ${first}`
      }
    })
}

/** For a terminal: one table for each case and metric. */
export function terminal (all: Series[]): string {
  const lines: string[] = []

  for (const { benchCase, link } of casesOf(all)) {
    lines.push('', `${benchCase.title} (${benchCase.name}, ${link})`)

    for (const metric of benchCase.metrics) {
      const rows = rowsOf(benchCase, link, metric, all)

      lines.push(`  ${metric.title}, ${metric.unit}; ${metric.better} is better`.padEnd(48) + 'median'.padStart(12) + 'range'.padStart(26) + 'ours / peer'.padStart(22))

      for (const row of rows) {
        lines.push(`    ${row.peer}`.padEnd(48) + row.median.padStart(12) + row.spread.padStart(26) + row.ratio.padStart(22) + (row.note === '' ? '' : `  ${row.note}`))
      }
    }
  }

  return lines.join('\n') + '\n'
}

/** What entry points weigh, in kB. */
export function bundleTable (all: Bundle[]): string {
  const kilobytes = (bytes: number): string => (bytes / 1_000).toFixed(1)

  return [
    '### Size',
    '',
    'Minified by esbuild for browsers, in kB, and after gzip -9. *Own code* is without what is imported, most of which an application of libp2p has in any case.',
    '',
    '| entry point | own code | gzip | with all it imports | gzip |',
    '|---|---:|---:|---:|---:|',
    ...all.map(one => `| ${one.title} | ${kilobytes(one.ownBytes)} | ${kilobytes(one.ownGzipBytes)} | ${kilobytes(one.wholeBytes)} | ${kilobytes(one.wholeGzipBytes)} |`),
    ''
  ].join('\n')
}

/** The cases that were run, in their order. */
export function casesOf (all: Series[]): Array<{ benchCase: BenchCase, link: LinkName }> {
  const links: LinkName[] = ['bare', 'noise']

  return links.flatMap(link => CASES
    .filter(({ name }) => all.some(series => series.case === name && series.link === link))
    .map(benchCase => ({ benchCase, link })))
}

/** What belongs together in a table and a plot. */
export interface Section {
  name: string
  heading: string
  series: Series[]
}

export function sectionsOf (all: Series[]): Section[] {
  const native = new Set(PEERS.filter(peer => peer.native !== undefined).map(({ name }) => name))
  const beside = all.filter(({ peer }) => native.has(peer))

  return [
    { name: 'bare', heading: 'Over TCP', series: all.filter(({ link, peer }) => link === 'bare' && !native.has(peer)) },
    { name: 'noise', heading: 'Over libp2p and noise', series: all.filter(({ link }) => link === 'noise') },
    {
      name: 'native',
      heading: 'Beside muxers in other languages, in their own language at both ends',
      series: all.filter(one => one.link === 'bare' &&
        beside.some(other => other.case === one.case) &&
        (native.has(one.peer) || one.peer === OURS || one.peer === 'tcp'))
    }
  ].filter(({ series }) => series.length > 0)
}

/** For the README: a table for each section, peers as columns, the metrics of a case below one another. */
export function markdown (all: Series[]): string {
  return sectionsOf(all).map(section).join('\n')
}

function section ({ heading, series: all }: Section): string {
  const peers = PEERS.filter(({ name }) => all.some(series => series.peer === name))

  const rows = casesOf(all).flatMap(({ benchCase, link }) => benchCase.metrics.map((metric, index) => {
    const cells = peers.map(({ name }) => {
      const series = all.find(one => one.case === benchCase.name && one.link === link && one.peer === name)

      return series === undefined ? '' : cell(series, metric, all)
    })
    const unit = metric.title === 'rate' ? metric.unit : `${metric.title}, ${metric.unit}`

    return `| ${index === 0 ? benchCase.title : ''} | ${unit} | ${cells.join(' | ')} |`
  }))

  return [
    `### ${heading}`,
    '',
    `| case | unit | ${peers.map(({ title }) => title).join(' | ')} |`,
    `|---|---|${peers.map(() => '---:|').join('')}`,
    ...rows,
    '',
    'In brackets: ours divided by the peer, the median of the ratios of each round.',
    ''
  ].join('\n')
}

function cell (series: Series, metric: Metric, all: Series[]): string {
  const { median, ratio } = summarize(series, metric, all)

  if (!Number.isFinite(median)) {
    // programs in Go and Rust have no heap that V8 marks
    return series.samples.some(({ failure }) => failure !== undefined) ? 'failed' : ''
  }

  return series.peer === OURS ? `**${format(median)}**` : format(median) + (ratio === undefined ? '' : ` (${format(ratio)} ×)`)
}
