/** Where the time of a sample goes: V8's sampling profiler, its self times summed up by whose code it was. */
import { Session } from 'node:inspector/promises'
import { median } from './statistics.ts'
import type { Series } from './statistics.ts'
import type { Figures } from '../cases/types.ts'
import type { Profiler as Cdp } from 'node:inspector'

/** Shares of figures that are profiles. */
export const PROFILE_PREFIX = 'profile'

const INTERVAL_MICROS = 200

/** Functions of Node that are no JavaScript. What is called (program) is mostly libuv, which reads sockets. */
const NATIVE = new Map([
  ...['writeBuffer', 'writev', 'writeUtf8String', 'readStart', 'readStop', 'shutdown', '(program)'].map(name => [name, 'sockets'] as const),
  ...['update', 'final', 'setAAD', 'setAuthTag', 'getAuthTag', 'CipherBase', 'Cipheriv', 'Decipheriv'].map(name => [name, 'ciphers'] as const)
])

export class SampleProfiler {
  readonly #session = new Session()

  async start (): Promise<void> {
    this.#session.connect()
    await this.#session.post('Profiler.enable')
    await this.#session.post('Profiler.setSamplingInterval', { interval: INTERVAL_MICROS })
    await this.#session.post('Profiler.start')
  }

  /** Per cent of the time, as figures of that end. */
  async stop (end: string): Promise<Figures> {
    const { profile } = await this.#session.post('Profiler.stop')

    this.#session.disconnect()

    const shares = Object.entries(sharesOf(profile))

    return Object.fromEntries(shares.map(([owner, share]) => [`${PROFILE_PREFIX} ${end} ${owner}`, share]))
  }
}

function sharesOf ({ nodes, samples = [], timeDeltas = [] }: Cdp.Profile): Record<string, number> {
  const owners = new Map(nodes.map(({ id, callFrame }) => [id, ownerOf(callFrame)]))
  const total = timeDeltas.reduce((sum, delta) => sum + delta, 0)
  const shares: Record<string, number> = {}

  samples.forEach((id, index) => {
    const owner = owners.get(id) as string

    shares[owner] = (shares[owner] ?? 0) + timeDeltas[index] / total * 100
  })

  return shares
}

function ownerOf ({ functionName, url }: { functionName: string, url: string }): string {
  if (functionName === '(idle)') {
    return 'idle'
  }

  if (functionName === '(garbage collector)') {
    return 'garbage'
  }

  if (url === '') {
    return NATIVE.get(functionName) ?? 'native'
  }

  if (url.startsWith('wasm:')) {
    // noise has its ciphers for small messages in WebAssembly
    return 'ciphers'
  }

  if (url.startsWith('node:')) {
    return 'node'
  }

  const dependency = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(url)?.[1]

  return dependency ?? (url.includes('/benchmarks/') ? 'harness' : 'muxer')
}

/** Those that have a column of their own in tables; the others are packages. */
const COLUMNS = ['idle', 'sockets', 'ciphers', 'garbage', 'node', 'native', 'muxer', 'harness']

const ENDS = ['client', 'server']

/** Smaller ones are not told. */
const LEAST_SHARE = 0.5

/** What one end did, the largest first; medians over the rounds. */
function mediansOf (figures: Figures[], end: string): Array<{ owner: string, share: number }> {
  const prefix = `${PROFILE_PREFIX} ${end} `
  const names = new Set(figures.flatMap(one => Object.keys(one).filter(name => name.startsWith(prefix))))

  return [...names]
    .map(name => ({ owner: name.slice(prefix.length), share: median(figures.map(one => one[name] ?? 0)) }))
    .filter(({ share }) => share >= LEAST_SHARE)
    .sort((a, b) => b.share - a.share)
}

function figuresOf ({ samples }: Series): Figures[] {
  return samples.flatMap(({ figures }) => figures === undefined ? [] : [figures])
}

/** For a terminal. */
export function profileLines (series: Series): string[] {
  return ENDS.map(end => {
    const shares = mediansOf(figuresOf(series), end)

    return `${end}: ${shares.map(({ owner, share }) => `${owner} ${share.toFixed(1)} %`).join(', ')}`
  })
}

/** In Markdown: a row for each end of each peer; none of those in other languages. */
export function profileTable (all: Series[]): string {
  const rows = all.flatMap(series => ENDS.flatMap(end => {
    const shares = mediansOf(figuresOf(series), end)

    if (shares.length === 0) {
      return []
    }

    const columns = COLUMNS.map(column => shares.find(({ owner }) => owner === column)?.share.toFixed(1) ?? '')
    const packages = shares.filter(({ owner }) => !COLUMNS.includes(owner)).map(({ owner, share }) => `${owner} ${share.toFixed(1)}`)

    return `| ${series.case} (${series.link}) | ${series.peer} | ${end} | ${columns.join(' | ')} | ${packages.join(', ')} |`
  }))

  return [
    '### Where the time went',
    '',
    `Per cent of the time of the main thread, by whose code it was; medians over the rounds, of what is ${LEAST_SHARE} % or more. \`muxer\` is ours, that of others is among the packages.`,
    '',
    `| case | peer | end | ${COLUMNS.join(' | ')} | packages |`,
    `|---|---|---|${COLUMNS.map(() => '---:|').join('')}---|`,
    ...rows,
    ''
  ].join('\n')
}
