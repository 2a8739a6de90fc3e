/** Bar charts as SVG, without a library: a panel for each case, a bar for each peer. */
import { OURS } from '../peers/index.ts'
import { casesOf, titleOf } from './report.ts'
import { format, summarize } from './statistics.ts'
import type { Series } from './statistics.ts'

export interface Bar {
  label: string
  value: number
  text: string
  ours: boolean
}

export interface Panel {
  title: string
  subtitle: string
  bars: Bar[]
}

const COLUMNS = 2
const PANEL_WIDTH = 456
const GAP = 24
const LABEL_WIDTH = 184
const TEXT_WIDTH = 74
const BAR_HEIGHT = 14
const BAR_STEP = 20
const HEAD_HEIGHT = 46

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 13px }
  .quiet { fill: #57606a }
  .bar { fill: #afb8c1 }
  .ours { fill: #1f6feb }
  .strong { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .quiet { fill: #8b949e }
    .bar { fill: #57606a }
    .ours { fill: #58a6ff }
  }
`

function escape (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** The first metric of each case that was run over that link. */
export function panelsOf (all: Series[]): Panel[] {
  return casesOf(all).map(({ benchCase, link }) => {
    const [metric] = benchCase.metrics

    return {
      title: `${benchCase.title}${link === 'noise' ? ' (noise)' : ''}`,
      subtitle: `${metric.title}, ${metric.unit}; ${metric.better} is better`,
      bars: all
        .filter(series => series.case === benchCase.name && series.link === link)
        .map(series => {
          const { median } = summarize(series, metric, all)

          return {
            label: titleOf(series.peer),
            value: Number.isFinite(median) ? median : 0,
            text: Number.isFinite(median) ? format(median) : 'failed',
            ours: series.peer === OURS
          }
        })
    }
  })
}

export function chart (panels: Panel[]): string {
  const rows = Array.from({ length: Math.ceil(panels.length / COLUMNS) }, (_, row) => panels.slice(row * COLUMNS, (row + 1) * COLUMNS))
  const parts: string[] = []
  let y = 8

  for (const row of rows) {
    for (const [column, panel] of row.entries()) {
      parts.push(drawPanel(panel, column * (PANEL_WIDTH + GAP) + 8, y))
    }

    y += HEAD_HEIGHT + Math.max(...row.map(({ bars }) => bars.length)) * BAR_STEP + GAP
  }

  const width = Math.min(COLUMNS, panels.length) * (PANEL_WIDTH + GAP) - GAP + 16

  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" role="img">
<style>${STYLE}</style>
${parts.join('\n')}
</svg>
`
}

function drawPanel (panel: Panel, x: number, y: number): string {
  const largest = Math.max(...panel.bars.map(({ value }) => value), Number.MIN_VALUE)
  const room = PANEL_WIDTH - LABEL_WIDTH - TEXT_WIDTH

  const bars = panel.bars.map(({ label, value, text, ours }, index) => {
    const top = y + HEAD_HEIGHT + index * BAR_STEP
    const middle = top + BAR_HEIGHT - 3
    const length = Math.max(1, value / largest * room)
    const strong = ours ? ' class="strong"' : ''

    return `<text x="${x + LABEL_WIDTH - 8}" y="${middle}" text-anchor="end"${strong}>${escape(label)}</text>` +
      `<rect x="${x + LABEL_WIDTH}" y="${top}" width="${length.toFixed(1)}" height="${BAR_HEIGHT}" rx="2" class="${ours ? 'ours' : 'bar'}"/>` +
      `<text x="${(x + LABEL_WIDTH + length + 6).toFixed(1)}" y="${middle}"${strong}>${escape(text)}</text>`
  })

  return `<text x="${x}" y="${y + 14}" class="title">${escape(panel.title)}</text>` +
    `<text x="${x}" y="${y + 31}" class="quiet">${escape(panel.subtitle)}</text>\n${bars.join('\n')}`
}
