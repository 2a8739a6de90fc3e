/** All peers, in the order of the tables. */
import type { MuxerFactory } from './libp2p-bare.ts'
import type { Peer } from './types.ts'

/** What carries the muxer: a TCP connection, or libp2p's noise over one, with libp2p's own nodes at both ends. */
export type LinkName = 'bare' | 'noise'

export interface PeerInfo {
  name: string
  title: string
  links: LinkName[]

  /** Runs these cases only. */
  cases?: RegExp

  /** A muxer of this program, in its own language at both ends; otherwise a peer in JavaScript. */
  native?: { language: Language, muxer: string }
  create?(link: LinkName): Promise<Peer>
}

export type Language = 'go' | 'rust'

/** Ours in the tables; all others are compared with it. */
export const OURS = 'ours'

/** Enough for every case: limits on the number of streams are not what is measured. */
const MANY = 1_000_000

export const PEERS: PeerInfo[] = [
  {
    name: 'tcp',
    title: 'raw TCP',
    links: ['bare'],
    create: async () => (await import('./tcp.ts')).tcp()
  },
  {
    name: 'no-muxer',
    title: 'no muxer',
    links: ['bare', 'noise'],
    cases: /^(download-1|upload-1|messages-100|messages-512|ping-pong)$/,
    create: async link => {
      if (link === 'noise') {
        await (await import('./libp2p-noise.ts')).startIdleNode()
      }

      return (await import('./libp2p-bare.ts')).libp2pBare(undefined, link)
    }
  },
  {
    name: 'framing',
    title: 'no muxer, but frames',
    links: ['bare', 'noise'],
    cases: /^(download-1|upload-1|ping-pong)$/,
    create: async link => {
      const { FramingChannel } = await import('./framing.ts')

      return (await import('./libp2p-bare.ts')).libp2pBare(undefined, link, maConn => new FramingChannel(maConn))
    }
  },
  {
    name: 'copying',
    title: 'no muxer, but messages go together',
    links: ['bare', 'noise'],
    cases: /^messages-(100|512)$/,
    create: async link => {
      const { CopyingChannel } = await import('./copying.ts')
      const { scavenges } = await import(new URL('../../dist/src/connection/scavenges.js', import.meta.url).href) as typeof import('../../src/connection/scavenges.ts')

      if (link === 'noise') {
        await (await import('./libp2p-noise.ts')).startIdleNode()
      }

      return (await import('./libp2p-bare.ts')).libp2pBare(undefined, link, maConn => new CopyingChannel(maConn, scavenges))
    }
  },
  {
    name: 'http2',
    title: 'node:http2',
    links: ['bare'],
    create: async () => (await import('./http2.ts')).http2Peer('default')
  },
  {
    name: 'http2-windows',
    title: 'node:http2, 16 MiB windows',
    links: ['bare'],
    cases: /^shaped/,
    create: async () => (await import('./http2.ts')).http2Peer('large')
  },
  {
    name: 'yamux',
    title: '@libp2p/yamux',
    links: ['bare', 'noise'],
    create: async link => libp2p(link, (await import('@libp2p/yamux')).yamux({ maxInboundStreams: MANY, maxOutboundStreams: MANY, maxEarlyStreams: MANY }))
  },
  {
    name: 'chainsafe',
    title: '@chainsafe/libp2p-yamux',
    links: ['bare', 'noise'],
    // what @libp2p/yamux was before it moved: nearly the same code, so not everything twice
    cases: /^(download-1|upload-1|upload-100|messages-100|messages-512|messages-1000-streams|ping-pong|open|echo-under-bulk|idle)$/,
    create: async link => libp2p(link, (await import('@chainsafe/libp2p-yamux')).yamux({ maxInboundStreams: MANY, maxOutboundStreams: MANY, maxEarlyStreams: MANY }) as MuxerFactory)
  },
  {
    name: 'mplex',
    title: '@libp2p/mplex',
    links: ['bare', 'noise'],
    create: async link => libp2p(link, (await import('@libp2p/mplex')).mplex({ disconnectThreshold: MANY }))
  },
  {
    name: 'ours-mplex',
    title: 'libp2p-muxers/mplex',
    links: ['bare', 'noise'],
    create: async link => libp2p(link, (await built('mplex')).mplex({ maxInboundStreams: MANY, maxOutboundStreams: MANY, maxEarlyStreams: MANY }))
  },
  {
    name: 'ours-socket',
    title: 'libp2p-muxers/yamux on a socket, without libp2p',
    links: ['bare'],
    cases: /^(download-1|upload-1|upload-100|download-100|messages-100|messages-512|ping-pong|open|echo-under-bulk)$/,
    create: async () => {
      const { toMessageStream } = await built('node')

      return (await import('./sockets.ts')).sockets((await built('yamux')).yamux({ maxInboundStreams: MANY, maxOutboundStreams: MANY, acceptBacklog: MANY })(), toMessageStream)
    }
  },
  {
    name: OURS,
    title: 'libp2p-muxers/yamux',
    links: ['bare', 'noise'],
    create: async link => libp2p(link, (await built('yamux')).yamux({ maxInboundStreams: MANY, maxOutboundStreams: MANY, maxEarlyStreams: MANY }))
  },
  // what the window costs an echo that goes beside bulk, and what it is worth to the bulk
  ...[['ours-256k', '256 KiB and no more', 262_144, 262_144], ['ours-512k', '512 KiB', 524_288], ['ours-1m', '1 MiB', 1_048_576], ['ours-2m', '2 MiB', 2_097_152]].map(([name, size, initialStreamWindowSize, maxStreamWindowSize = 16_777_216]): PeerInfo => ({
    name: `${name}`,
    title: `libp2p-muxers/yamux, windows of ${size}`,
    links: ['bare', 'noise'],
    cases: /^echo-under-bulk$/,
    create: async link => libp2p(link, (await built('yamux')).yamux({ streamOptions: { initialStreamWindowSize: Number(initialStreamWindowSize), maxStreamWindowSize: Number(maxStreamWindowSize) } }))
  })),
  {
    name: 'go-yamux',
    title: 'libp2p/go-yamux (Go)',
    links: ['bare'],
    native: { language: 'go', muxer: 'go-yamux' }
  },
  {
    name: 'hashicorp',
    title: 'hashicorp/yamux (Go)',
    links: ['bare'],
    native: { language: 'go', muxer: 'hashicorp' }
  },
  {
    name: 'smux',
    title: 'xtaci/smux (Go)',
    links: ['bare'],
    native: { language: 'go', muxer: 'smux' }
  },
  {
    name: 'rust-yamux',
    title: 'rust-yamux (Rust)',
    links: ['bare'],
    native: { language: 'rust', muxer: 'yamux' }
  }
]

interface Built {
  mplex: typeof import('../../src/mplex.ts')
  node: typeof import('../../src/transports/node.ts')
  yamux: typeof import('../../src/yamux.ts')
}

/**
 * Ours as it is published, and as all others are: built. With types to strip a process is larger before it does anything,
 * and bulk was a third slower for that alone.
 */
async function built<Name extends keyof Built> (name: Name): Promise<Built[Name]> {
  return import(`libp2p-muxers/${name}`)
}

async function libp2p (link: LinkName, factory: MuxerFactory): Promise<Peer> {
  return link === 'bare'
    ? (await import('./libp2p-bare.ts')).libp2pBare(factory)
    : (await import('./libp2p-noise.ts')).libp2pNoise(factory)
}
