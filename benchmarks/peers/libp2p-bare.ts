/**
 * A muxer of libp2p over @libp2p/tcp, with nothing between: the transport hands its connection to an upgrader, and the
 * upgrader here does no more than to put the muxer on it.
 */
import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { defaultLogger } from '@libp2p/logger'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { StreamChannel } from './libp2p-stream.ts'
import { Arrivals, Inbox } from './types.ts'
import type { LinkName } from './index.ts'
import type { Address, Channel, Peer, PeerServer, Session } from './types.ts'
import type { Connection, ConnectionEncrypter, MessageStream, MultiaddrConnection, Stream, StreamMuxer, StreamMuxerFactory, Transport, Upgrader } from '@libp2p/interface'

export type MuxerFactory = (components: any) => StreamMuxerFactory

/** Makes the one channel of a connection that has no muxer. */
export type ToChannel = (maConn: MessageStream) => Channel

class BareSession implements Session {
  readonly #maConn: MultiaddrConnection
  readonly #muxer: StreamMuxer
  readonly #channels = new Inbox<Channel>()

  constructor (maConn: MultiaddrConnection, muxer: StreamMuxer) {
    this.#maConn = maConn
    this.#muxer = muxer
    muxer.addEventListener('stream', (event: CustomEvent<Stream>) => {
      this.#channels.add(new StreamChannel(event.detail))
    })
  }

  async open (): Promise<Channel> {
    return new StreamChannel(await this.#muxer.createStream())
  }

  onChannel (callback: (channel: Channel) => void): void {
    this.#channels.take(callback)
  }

  close (): void {
    const reason = new Error('the sample is over')

    this.#muxer.abort(reason)
    this.#maConn.abort(reason)
  }
}

/** No muxer: the connection is the one channel there is. What the link under all muxers of libp2p allows. */
class PlainSession implements Session {
  readonly #maConn: MessageStream
  readonly #toChannel: ToChannel

  constructor (maConn: MessageStream, toChannel: ToChannel) {
    this.#maConn = maConn
    this.#toChannel = toChannel
  }

  async open (): Promise<Channel> {
    return this.#toChannel(this.#maConn)
  }

  onChannel (callback: (channel: Channel) => void): void {
    callback(this.#toChannel(this.#maConn))
  }

  close (): void {
    this.#maConn.abort(new Error('the sample is over'))
  }
}

/** What encrypts a connection, at either end. */
async function createEncrypter (): Promise<ConnectionEncrypter> {
  const privateKey = await generateKeyPair('Ed25519')

  return noise()({
    privateKey,
    peerId: peerIdFromPrivateKey(privateKey),
    logger: defaultLogger(),
    upgrader: { getStreamMuxers: () => new Map() } as unknown as Upgrader
  })
}

export function libp2pBare (factory?: MuxerFactory, link: LinkName = 'bare', toChannel: ToChannel = maConn => new StreamChannel(maConn)): Peer {
  const components = { logger: defaultLogger() }
  const transport: Transport = tcp({
    // pauses between two rounds are not to end a connection
    inboundSocketInactivityTimeout: 600_000,
    outboundSocketInactivityTimeout: 600_000
  })(components)
  const muxers = factory?.(components)

  const encrypting = link === 'noise' ? createEncrypter() : undefined

  function upgrader (use: (session: Session) => void): Upgrader {
    const upgrade = async (maConn: MultiaddrConnection): Promise<Connection> => {
      const encrypter = await encrypting

      if (encrypter !== undefined) {
        const secure = maConn.direction === 'outbound' ? encrypter.secureOutbound : encrypter.secureInbound
        const { connection } = await secure.call(encrypter, maConn, { skipStreamMuxerNegotiation: true })

        use(new PlainSession(connection, toChannel))
      } else {
        use(muxers === undefined ? new PlainSession(maConn, toChannel) : new BareSession(maConn, muxers.createStreamMuxer(maConn)))
      }

      return maConn as unknown as Connection
    }

    return { upgradeInbound: upgrade, upgradeOutbound: upgrade } as unknown as Upgrader
  }

  return {
    async listen (): Promise<PeerServer> {
      const arrivals = new Arrivals<Session>()
      const listener = transport.createListener({
        upgrader: upgrader(session => {
          arrivals.add(session)
        })
      })

      await listener.listen(multiaddr('/ip4/127.0.0.1/tcp/0'))

      return {
        address: { port: portOf(listener.getAddrs()[0].toString()) },
        accept: async () => arrivals.next()
      }
    },
    async connect (address: Address): Promise<Session> {
      const arrivals = new Arrivals<Session>()

      await transport.dial(multiaddr(`/ip4/127.0.0.1/tcp/${address.port}`), {
        // the socket listens to it as long as it lives, so it must not be one that times out
        signal: new AbortController().signal,
        upgrader: upgrader(session => {
          arrivals.add(session)
        })
      })

      return arrivals.next()
    }
  }
}

export function portOf (address: string): number {
  return Number(/\/tcp\/(\d+)/.exec(address)?.[1])
}
