/** Tables: for a terminal, and in Markdown. */
import { CASES } from '../cases/index.ts'
import { OURS, PEERS } from '../peers/index.ts'
import { format, summarize } from './statistics.ts'
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

      lines.push(`  ${metric.title}, ${metric.unit}; ${metric.better} is better`.padEnd(48) + 'median'.padStart(12) + 'range'.padStart(22) + 'ours / peer'.padStart(22))

      for (const row of rows) {
        lines.push(`    ${row.peer}`.padEnd(48) + row.median.padStart(12) + row.spread.padStart(22) + row.ratio.padStart(22) + (row.note === '' ? '' : `  ${row.note}`))
      }
    }
  }

  return lines.join('\n') + '\n'
}

/** The cases that were run, in their order. */
export function casesOf (all: Series[]): Array<{ benchCase: BenchCase, link: LinkName }> {
  const links: LinkName[] = ['bare', 'noise']

  return links.flatMap(link => CASES
    .filter(({ name }) => all.some(series => series.case === name && series.link === link))
    .map(benchCase => ({ benchCase, link })))
}

/** For the README: a table for each link, peers as columns, the first metric of each case and others below it. */
export function markdown (all: Series[]): string {
  const lines: string[] = []

  for (const link of ['bare', 'noise'] as const) {
    const cases = casesOf(all).filter(one => one.link === link)

    if (cases.length === 0) {
      continue
    }

    const peers = PEERS.filter(({ name }) => all.some(series => series.peer === name && series.link === link))

    lines.push(
      link === 'bare' ? '### Over TCP' : '### Over libp2p and noise',
      '',
      `| case | unit | ${peers.map(({ title }) => title).join(' | ')} |`,
      `|---|---|${peers.map(() => '---:|').join('')}`
    )

    for (const { benchCase } of cases) {
      for (const metric of benchCase.metrics) {
        const cells = peers.map(({ name }) => {
          const series = all.find(one => one.case === benchCase.name && one.link === link && one.peer === name)

          if (series === undefined) {
            return ''
          }

          const { median, ratio } = summarize(series, metric, all)
          const value = format(median)

          return name === OURS ? `**${value}**` : value + (ratio === undefined ? '' : ` (${format(ratio)} ×)`)
        })

        lines.push(`| ${metric === benchCase.metrics[0] ? benchCase.title : ''} | ${metric === benchCase.metrics[0] ? '' : `${metric.title}, `}${metric.unit} | ${cells.join(' | ')} |`)
      }
    }

    lines.push('', 'In brackets: ours divided by the peer, the median of the ratios of each round.', '')
  }

  return lines.join('\n')
}
