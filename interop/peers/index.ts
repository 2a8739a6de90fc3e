/** Whom we meet. A new peer is an entry here, and a program that keeps to the contract in ../README.md. */
import path from 'node:path'
import { BUILD, versionOf } from './toolchains.ts'
import type { Command } from './program.ts'
import type { Language } from './toolchains.ts'
import type { Carrier, MuxerName } from '../ours/index.ts'

/** What a scenario may need, and not every peer has. */
export type Ability =
  /** Its application can reset a stream. */
  'reset' |
  /** A reset, or the end of a connection, of its application's carries the code that it is given. */
  'reset-code' |
  'close-code' |
  /** It can ping when it is told to. */
  'ping' |
  /** Its application can end the connection. */
  'close' |
  /** Its streams can be ended without being read. */
  'close-unread' |
  /** It can leave streams of ours alone, so that it does not acknowledge them. */
  'noaccept'

export interface Peer {
  name: string

  /** For people, with the version that is pinned. */
  title: string
  language: Language

  /** How the peer's program calls it. */
  argument: string
  muxer: MuxerName
  carrier: Carrier

  /** Codes of resets, and of GoAways, get through to its application and from it. */
  resetCodes?: boolean
  goAwayCodes?: boolean

  /** What its application writes at once, 1 MB in `source`, goes into one frame if the window has room. */
  hugeFrames?: boolean

  /** What it has no way to do, and why. */
  cannot?: Partial<Record<Ability, string>>

  /** Bulk is divided by so much: it is about the protocol, not about patience. */
  slowness?: number
}

const NO_HOST: Partial<Record<Ability, string>> = { noaccept: 'a host takes what is opened, and that acknowledges it' }

/** Why the peer cannot do it, if it cannot. */
export function whyNot ({ carrier, cannot }: Peer, ability: Ability): string | undefined {
  return cannot?.[ability] ?? (carrier === 'host' ? NO_HOST[ability] : undefined)
}

function go (name: string, module: string, init: Partial<Peer> = {}): Peer {
  return {
    name,
    title: `${module.replace(/^.*?\//, '').replace(/\/v5$/, '')} ${versionOf('go', module)}`,
    language: 'go',
    argument: name,
    muxer: 'yamux',
    carrier: 'bare',
    ...init
  }
}

function rust (name: string, crate: string, init: Partial<Peer>): Peer {
  return {
    name,
    title: `${crate.split('@')[0]} ${versionOf('rust', crate)} (Rust)`,
    language: 'rust',
    argument: name,
    muxer: 'yamux',
    carrier: 'bare',
    cannot: {
      ping: 'the yamux crate pings by itself, and has no call for it',
      'reset-code': 'a stream is reset by dropping it, without a code',
      'close-code': 'a connection is closed without a code'
    },
    ...init
  }
}

function js (name: string, module: string, muxer: MuxerName): Peer {
  return {
    name,
    title: `${module} ${versionOf('js', module)}`,
    language: 'js',
    argument: module,
    muxer,
    carrier: 'host',
    cannot: { 'reset-code': 'a stream is reset by abort(), without a code' }
  }
}

function python (name: string, muxer: MuxerName): Peer {
  return {
    name,
    title: `py-libp2p ${versionOf('python', 'libp2p')}`,
    language: 'python',
    argument: `libp2p-${muxer}`,
    muxer,
    carrier: 'host',
    cannot: {
      ping: 'it pings by itself, and has no call for it',
      'reset-code': 'reset() takes no code'
    },
    slowness: 32
  }
}

export const PEERS: Peer[] = [
  {
    ...go('go-libp2p', 'github.com/libp2p/go-libp2p'),
    argument: 'libp2p-yamux',
    carrier: 'host',
    resetCodes: true,
    goAwayCodes: true,
    cannot: { ping: 'a host has no access to the pings of its muxer' }
  },
  go('go-yamux', 'github.com/libp2p/go-yamux/v5', { resetCodes: true, goAwayCodes: true }),
  go('hashicorp', 'github.com/hashicorp/yamux', {
    hugeFrames: true,
    cannot: {
      reset: 'hashicorp/yamux has no call that resets a stream',
      'reset-code': 'hashicorp/yamux has no call that resets a stream',
      'close-code': 'its GoAway() takes no code'
    }
  }),
  rust('rust-libp2p', 'libp2p-yamux', { argument: 'libp2p-yamux', carrier: 'host' }),
  rust('rust-0.13', 'yamux@0.13', { argument: 'yamux-0.13' }),
  rust('rust-0.14', 'yamux@0.14', { argument: 'yamux-0.14' }),
  js('js-libp2p', '@libp2p/yamux', 'yamux'),
  js('chainsafe', '@chainsafe/libp2p-yamux', 'yamux'),
  python('py-libp2p', 'yamux'),
  { ...go('go-libp2p-mplex', 'github.com/libp2p/go-libp2p-mplex'), argument: 'libp2p-mplex', muxer: 'mplex', carrier: 'host' },
  go('go-mplex', 'github.com/libp2p/go-mplex', { muxer: 'mplex' }),
  rust('rust-libp2p-mplex', 'libp2p-mplex', { argument: 'libp2p-mplex', muxer: 'mplex', carrier: 'host' }),
  js('js-mplex', '@libp2p/mplex', 'mplex'),
  python('py-mplex', 'mplex')
]

/** Whom we would like to meet, and why we cannot. */
export const ABSENT = [{
  name: 'jvm-libp2p',
  reason: 'its packages (io.libp2p:jvm-libp2p) are published in a registry of its own and not on Maven Central, so that Maven and Gradle find nothing where only that is reached'
}]

export function commandOf (peer: Peer, args: string[]): Command {
  const here = import.meta.dirname

  switch (peer.language) {
    case 'go':
      return { program: path.join(BUILD, 'go/peer'), args: [peer.argument, ...args] }
    case 'rust':
      return { program: path.join(BUILD, 'rust/release/peer'), args: [peer.argument, ...args] }
    case 'python':
      return { program: path.join(BUILD, 'python/bin/python'), args: [path.join(here, 'python/peer.py'), peer.argument, ...args] }
    default:
      return { program: process.execPath, args: [path.join(here, 'js/peer.ts'), peer.argument, ...args] }
  }
}
