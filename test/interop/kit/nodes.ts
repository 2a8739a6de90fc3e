/** Real libp2p nodes over TCP and noise: ours, and one with another implementation of the same language. */
import { noise } from '@chainsafe/libp2p-noise'
import { yamux as chainsafeYamux } from '@chainsafe/libp2p-yamux'
import { tcp } from '@libp2p/tcp'
import { yamux as libp2pYamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { yamux } from '../../../src/yamux.ts'
import type { MuxedConnection, YamuxOptions } from '../../../src/yamux.ts'
import type { Connection, Libp2p, Stream, StreamHandler, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'

export type MuxerFactory = (components: any) => StreamMuxerFactory

const THEIRS: Record<string, () => MuxerFactory> = {
  '@libp2p/yamux': () => libp2pYamux(),
  '@chainsafe/libp2p-yamux': () => chainsafeYamux() as MuxerFactory,
  'our own': () => yamux()
}

export interface Node {
  libp2p: Libp2p
  muxers: StreamMuxer[]
}

/**
 * Two nodes, one of which has our muxer, and the other one of theirs. Each has no other: over noise, nodes of js-libp2p
 * that share more than one may disagree on which it is.
 */
export class Pairing {
  readonly weDial: boolean
  ours!: Node
  theirs!: Node
  connection!: Connection

  readonly #muxers: Record<'ours' | 'theirs', () => MuxerFactory>

  constructor (muxers: Record<'ours' | 'theirs', () => MuxerFactory>, weDial: boolean) {
    this.#muxers = muxers
    this.weDial = weDial
  }

  get dialer (): Node {
    return this.weDial ? this.ours : this.theirs
  }

  get listener (): Node {
    return this.weDial ? this.theirs : this.ours
  }

  get ourMuxer (): MuxedConnection {
    return this.ours.muxers[0] as MuxedConnection
  }

  async start (): Promise<void> {
    [this.ours, this.theirs] = await Promise.all([createNode(this.#muxers.ours()), createNode(this.#muxers.theirs())])
  }

  /** Once handlers are registered, so that no stream comes too early for them. */
  async connect (): Promise<Connection> {
    const inbound = new Promise<void>(resolve => {
      this.listener.libp2p.addEventListener('connection:open', () => { resolve() }, { once: true })
    })

    this.connection = await this.dialer.libp2p.dial(this.listener.libp2p.getMultiaddrs())
    await inbound

    return this.connection
  }

  async handle (node: Node, protocol: string, handler: StreamHandler): Promise<void> {
    await node.libp2p.handle(protocol, handler, { maxInboundStreams: 1_000, maxOutboundStreams: 1_000 })
  }

  /** A stream of the dialer's, or of the listener's. */
  async open (protocol: string, from: Node = this.dialer): Promise<Stream> {
    const connection = from === this.dialer ? this.connection : from.libp2p.getConnections()[0]

    return connection.newStream(protocol, { maxOutboundStreams: 1_000 })
  }

  async stop (): Promise<void> {
    await Promise.all([this.ours.libp2p.stop(), this.theirs.libp2p.stop()])
  }
}

async function createNode (muxer: MuxerFactory): Promise<Node> {
  const muxers: StreamMuxer[] = []

  const libp2p = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [components => {
      const factory = muxer(components)

      // libp2p does not give the muxer of a connection away
      return {
        protocol: factory.protocol,
        createStreamMuxer (maConn) {
          const muxer = factory.createStreamMuxer(maConn)

          muxers.push(muxer)

          return muxer
        }
      }
    }],
    connectionMonitor: { enabled: false }
  })

  return { libp2p, muxers }
}

/** Says the same of every implementation of yamux, with each side dialling. */
export function withEveryPeer (what: string, say: (pairing: () => Pairing) => void, options?: YamuxOptions): void {
  for (const [name, theirMuxer] of Object.entries(THEIRS)) {
    withPeer(`${what}, with ${name}`, { ours: () => yamux(options), theirs: theirMuxer }, say)
  }
}

export function withPeer (what: string, muxers: Record<'ours' | 'theirs', () => MuxerFactory>, say: (pairing: () => Pairing) => void): void {
  for (const weDial of [true, false]) {
    describe(`interop: ${what}, ${weDial ? 'we' : 'they'} dial`, function () {
      this.timeout(30_000)

      let pairing: Pairing

      beforeEach(async () => {
        pairing = new Pairing(muxers, weDial)
        await pairing.start()
      })

      afterEach(async () => {
        await pairing.stop()
      })

      say(() => pairing)
    })
  }
}
