/** Who is attacked: every muxer with its default options, as its users have it. */
import type { Language } from './types.ts'
import type { StreamMuxerFactory } from '@libp2p/interface'

export type Factory = (components: any) => StreamMuxerFactory

export interface Victim {
  name: string
  title: string
  language: Language
  ours: boolean
  load(): Promise<Factory>
}

export const VICTIMS: Victim[] = [
  {
    name: 'ours',
    title: 'libp2p-muxers/yamux',
    language: 'yamux',
    ours: true,
    load: async () => (await import('../src/yamux.ts')).yamux()
  },
  {
    name: 'yamux',
    title: '@libp2p/yamux',
    language: 'yamux',
    ours: false,
    load: async () => (await import('@libp2p/yamux')).yamux()
  },
  {
    name: 'chainsafe',
    title: '@chainsafe/libp2p-yamux',
    language: 'yamux',
    ours: false,
    load: async () => (await import('@chainsafe/libp2p-yamux')).yamux() as Factory
  },
  {
    name: 'ours-mplex',
    title: 'libp2p-muxers/mplex',
    language: 'mplex',
    ours: true,
    load: async () => (await import('../src/mplex.ts')).mplex()
  },
  {
    name: 'mplex',
    title: '@libp2p/mplex',
    language: 'mplex',
    ours: false,
    load: async () => (await import('@libp2p/mplex')).mplex()
  }
]

export function victimOf (name: string): Victim {
  const victim = VICTIMS.find(each => each.name === name)

  if (victim === undefined) {
    throw new Error(`there is no victim ${name}; there are ${VICTIMS.map(each => each.name).join(', ')}`)
  }

  return victim
}
