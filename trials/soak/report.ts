/** Figures of a long run, kept in docs/. */
import fs from 'node:fs'
import path from 'node:path'
import { describe } from '../../benchmarks/harness/machine.ts'
import type { MuxerName } from '../command.ts'
import type { Counts } from './load.ts'
import type { Machine } from '../../benchmarks/harness/machine.ts'

const DOCS = path.join(import.meta.dirname, '..', '..', 'docs')
const MIB = 1_048_576

export interface Sample {
  seconds: number
  heapUsed: number
  external: number
  resident: number
  streams: number
  bytes: number
}

export interface Run {
  machine: Machine
  command: string
  muxer: MuxerName
  streamsAtOnce: number
  seconds: number
  counts: Counts
  errors: number
  samples: Sample[]

  /** Of the heap after collecting garbage, between the means of the second and the last quarter of the samples. */
  growth: number
}

function mean (values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Streams come and go, and what is under way differs from look to look. */
const MAX_GROWTH = 0.03
const LONG_MINUTES = 5

/** In a short run what is compiled late makes most of the growth: what counts is how much there is for each stream. */
const MAX_BYTES_PER_STREAM = 2_048

/** Of the samples, the second quarter and the last. */
function quarters (samples: Sample[], value: (sample: Sample) => number): [number, number] {
  const quarter = Math.max(1, Math.floor(samples.length / 4))
  const values = samples.map(value)

  return [mean(values.slice(quarter, 2 * quarter).concat(samples.length < 4 ? values : [])), mean(values.slice(-quarter))]
}

function live ({ heapUsed, external }: Sample): number {
  return heapUsed + external
}

export function growthOf (samples: Sample[]): number {
  const [before, after] = quarters(samples, live)

  return after / before - 1
}

/** What `growthOf` grew by, for each stream that came and went meanwhile. */
export function bytesPerStream (samples: Sample[]): number {
  const [before, after] = quarters(samples, live)
  const [streamsBefore, streamsAfter] = quarters(samples, ({ streams }) => streams)

  return (after - before) / Math.max(1, streamsAfter - streamsBefore)
}

export function isLeak (samples: Sample[], minutes: number): boolean {
  return minutes >= LONG_MINUTES ? growthOf(samples) > MAX_GROWTH : bytesPerStream(samples) > MAX_BYTES_PER_STREAM
}

function section (run: Run): string[] {
  const { counts, samples } = run
  // absent from runs that were kept before there were any
  const { halfClosedAhead = 0 } = counts
  const every = Math.max(1, Math.ceil(samples.length / 15))

  return [
    `## ${run.muxer}`,
    '',
    `${describe(run.machine)}; \`${run.command}\`.`,
    '',
    `${run.streamsAtOnce} streams at a time for ${(run.seconds / 60).toFixed(1)} minutes: ${counts.streams.toLocaleString('en')} streams (${counts.halfClosed.toLocaleString('en')} half-closed and read to their end, ${halfClosedAhead.toLocaleString('en')} of them with all but the first KiB still to come, ${counts.resetByUs.toLocaleString('en')} reset by who opened them, ${counts.resetByThem.toLocaleString('en')} by the other side), ${counts.messages.toLocaleString('en')} messages, ${(counts.bytes / MIB).toFixed(0)} MiB echoed, ${run.errors} errors. Live memory from the second quarter of the run to the last: ${run.growth >= 0 ? '+' : ''}${(run.growth * 100).toFixed(2)} %.`,
    '',
    '| after | heap, collected | outside of the heap | resident | streams so far | MiB echoed so far |',
    '|---|---|---|---|---|---|',
    ...samples.filter((_, index) => index % every === 0 || index === samples.length - 1).map(sample =>
      `| ${(sample.seconds / 60).toFixed(1)} min | ${(sample.heapUsed / MIB).toFixed(1)} MiB | ${(sample.external / MIB).toFixed(1)} MiB | ${(sample.resident / MIB).toFixed(0)} MiB | ${sample.streams.toLocaleString('en')} | ${(sample.bytes / MIB).toFixed(0)} |`),
    ''
  ]
}

/** In place of what an earlier run of the same muxer left. */
export function write (run: Run): string[] {
  const json = path.join(DOCS, 'soak.json')
  const page = path.join(DOCS, 'soak.md')
  const others: Run[] = fs.existsSync(json) ? JSON.parse(fs.readFileSync(json, 'utf8')) : []
  const runs = [...others.filter(({ muxer }) => muxer !== run.muxer), run].sort((one, other) => other.muxer.localeCompare(one.muxer))

  fs.mkdirSync(DOCS, { recursive: true })
  fs.writeFileSync(json, JSON.stringify(runs, undefined, 2) + '\n')
  fs.writeFileSync(page, [
    '# Soak',
    '',
    'Written by `npm run soak`. Two libp2p nodes in one process, over TCP and noise, with default options: each of the',
    'streams is opened, echoes up to 200 messages of up to 20 kB, every byte of which is compared, and is then half-closed',
    'and read to its end, or half-closed first and read after that, or reset by either side, as chance will have it; then the',
    'next takes its place. Memory is that of both ends, after collecting garbage.',
    '',
    ...runs.flatMap(section)
  ].join('\n'))

  return [page, json]
}
