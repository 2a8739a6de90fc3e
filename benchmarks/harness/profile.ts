/** Where the time of a sample goes: V8's sampling profiler, its self times summed up by whose code it was. */
import { Session } from 'node:inspector/promises'
import { median } from './statistics.ts'
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

/** For a terminal: what each end of each peer did, the largest first; medians over the rounds. */
export function profileLines (figures: Figures[]): string[] {
  const names = new Set(figures.flatMap(one => Object.keys(one).filter(name => name.startsWith(PROFILE_PREFIX))))

  return ['client', 'server'].map(end => {
    const shares = [...names]
      .filter(name => name.startsWith(`${PROFILE_PREFIX} ${end} `))
      .map(name => ({ owner: name.slice(`${PROFILE_PREFIX} ${end} `.length), share: median(figures.map(one => one[name] ?? 0)) }))
      .filter(({ share }) => share >= 0.5)
      .sort((a, b) => b.share - a.share)

    return `${end}: ${shares.map(({ owner, share }) => `${owner} ${share.toFixed(1)} %`).join(', ')}`
  })
}
