/** What is made of samples. */
import { OURS } from '../peers/index.ts'
import type { Figures, Metric } from '../cases/types.ts'
import type { LinkName } from '../peers/index.ts'

/** One peer in one round; without figures if it failed. */
export interface Sample {
  round: number
  figures?: Figures
  failure?: string
}

/** All samples of one peer in one case. */
export interface Series {
  case: string
  link: LinkName
  peer: string
  samples: Sample[]
}

export interface Summary {
  median: number
  min: number
  max: number

  /** Ours to this peer: the median of the ratios within a round, which a noisy machine disturbs least. */
  ratio?: number

  /** Ours to this peer: the ratio of the medians. */
  ratioOfMedians?: number
  failures: number
}

export function median (values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1

  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Ratios are those of the reference, divided by the peer. */
export function summarize (series: Series, metric: Metric, all: Series[], reference = OURS): Summary {
  const own = valuesOf(series, metric)
  const values = [...own.values()]
  const ours = all.find(other => other.peer === reference && other.case === series.case && other.link === series.link)
  const summary: Summary = {
    median: values.length === 0 ? NaN : median(values),
    min: Math.min(...values),
    max: Math.max(...values),
    failures: series.samples.filter(({ failure }) => failure !== undefined).length
  }

  if (ours === undefined || series.peer === reference || values.length === 0) {
    return summary
  }

  const ourValues = valuesOf(ours, metric)
  const ratios = [...own].flatMap(([round, value]) => {
    const our = ourValues.get(round)

    return our === undefined || value === 0 ? [] : [our / value]
  })

  if (ratios.length === 0) {
    return summary
  }

  return { ...summary, ratio: median(ratios), ratioOfMedians: median([...ourValues.values()]) / summary.median }
}

function valuesOf (series: Series, metric: Metric): Map<number, number> {
  const values = new Map<number, number>()

  for (const { round, figures } of series.samples) {
    const value = figures?.[metric.name]

    if (value != null && Number.isFinite(value)) {
      values.set(round, value)
    }
  }

  return values
}

/** Three significant digits, and thousands told apart. */
export function format (value: number): string {
  if (!Number.isFinite(value)) {
    return '–'
  }

  if (value === 0) {
    return '0'
  }

  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))

  if (digits > 0) {
    return value.toFixed(Math.min(digits, 4))
  }

  const scale = 10 ** Math.max(0, Math.floor(Math.log10(Math.abs(value))) - 3)

  return (Math.round(value / scale) * scale).toLocaleString('en-US')
}
