/** A muxer of libp2p in two nodes of libp2p, over TCP and noise. A channel costs a round of multistream-select. */
import { noise } from '@chainsafe/libp2p-noise'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { portOf } from './libp2p-bare.ts'
import { StreamChannel } from './libp2p-stream.ts'
import { Arrivals, Inbox } from './types.ts'
import type { MuxerFactory } from './libp2p-bare.ts'
import type { Address, Channel, Peer, PeerServer, Session } from './types.ts'
import type { Connection, Libp2p } from '@libp2p/interface'

const PROTOCOL = '/benchmark/1.0.0'

/** Nodes are made to meet strangers; here limits would end samples of peers that are slow. */
const PATIENCE_MILLIS = 120_000

class NodeSession implements Session {
  readonly channels = new Inbox<Channel>()
  readonly #connection: Connection

  constructor (connection: Connection) {
    this.#connection = connection
  }

  async open (): Promise<Channel> {
    return new StreamChannel(await this.#connection.newStream(PROTOCOL, { maxOutboundStreams: Infinity }))
  }

  onChannel (callback: (channel: Channel) => void): void {
    this.channels.take(callback)
  }

  close (): void {
    this.#connection.abort(new Error('the sample is over'))
  }
}

/** Of a process that has no use for it: what V8 marks is as large as with a muxer, whose bulk has to pay for that. */
export async function startIdleNode (): Promise<void> {
  await createNode([], [])
}

async function createNode (streamMuxers: MuxerFactory[], listen: string[]): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen },
    transports: [tcp({ inboundSocketInactivityTimeout: 600_000, outboundSocketInactivityTimeout: 600_000 })],
    connectionEncrypters: [noise()],
    streamMuxers,
    connectionManager: {
      inboundConnectionThreshold: Infinity,
      maxConnections: Infinity,
      inboundStreamProtocolNegotiationTimeout: PATIENCE_MILLIS,
      outboundStreamProtocolNegotiationTimeout: PATIENCE_MILLIS
    },
    // its pings would be streams of their own
    connectionMonitor: { enabled: false }
  })
}

export function libp2pNoise (factory: MuxerFactory): Peer {
  let client: Libp2p | undefined

  return {
    async listen (): Promise<PeerServer> {
      const arrivals = new Arrivals<Session>()
      const sessions = new WeakMap<Connection, NodeSession>()
      const node = await createNode([factory], ['/ip4/127.0.0.1/tcp/0'])

      node.addEventListener('connection:open', event => {
        const session = new NodeSession(event.detail)

        sessions.set(event.detail, session)
        arrivals.add(session)
      })
      await node.handle(PROTOCOL, (stream, connection) => {
        sessions.get(connection)?.channels.add(new StreamChannel(stream))
      }, { maxInboundStreams: Infinity })

      return {
        address: { port: portOf(node.getMultiaddrs()[0].toString()), peerId: node.peerId.toString() },
        accept: async () => arrivals.next()
      }
    },
    async connect (address: Address): Promise<Session> {
      client ??= await createNode([factory], [])

      return new NodeSession(await client.dial(multiaddr(`/ip4/127.0.0.1/tcp/${address.port}/p2p/${address.peerId}`), { force: true }))
    }
  }
}
