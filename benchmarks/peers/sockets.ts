/** A muxer of ours on a socket of Node.js by our own adapter: what `libp2p-muxers/node` gives those who have no libp2p. */
import { once } from 'node:events'
import net from 'node:net'
import { StreamChannel } from './libp2p-stream.ts'
import { Arrivals, Inbox } from './types.ts'
import type { Address, Channel, Peer, PeerServer, Session } from './types.ts'
import type { MuxedConnection, Muxer } from '../../src/interface/muxer.ts'
import type { toMessageStream } from '../../src/transports/node.ts'
import type { AddressInfo } from 'node:net'

const HOST = '127.0.0.1'

class SocketSession implements Session {
  readonly #connection: MuxedConnection
  readonly #channels = new Inbox<Channel>()

  constructor (connection: MuxedConnection) {
    this.#connection = connection
    // ends with the sample, by an error
    this.#accept().catch(() => {})
  }

  async open (): Promise<Channel> {
    return new StreamChannel(await this.#connection.newStream())
  }

  onChannel (callback: (channel: Channel) => void): void {
    this.#channels.take(callback)
  }

  close (): void {
    this.#connection.abort(new Error('the sample is over'))
  }

  async #accept (): Promise<void> {
    for await (const stream of this.#connection.inboundStreams) {
      this.#channels.add(new StreamChannel(stream))
    }
  }
}

export function sockets (muxer: Muxer, adapt: typeof toMessageStream): Peer {
  return {
    async listen (): Promise<PeerServer> {
      const arrivals = new Arrivals<Session>()
      const server = net.createServer({ allowHalfOpen: true }, async socket => {
        arrivals.add(new SocketSession(await muxer.multiplex(adapt(socket), { initiator: false })))
      })

      server.listen({ port: 0, host: HOST })
      await once(server, 'listening')

      return { address: { port: (server.address() as AddressInfo).port }, accept: async () => arrivals.next() }
    },
    async connect (address: Address): Promise<Session> {
      const socket = net.connect({ port: address.port, host: HOST, allowHalfOpen: true })

      await once(socket, 'connect')

      return new SocketSession(await muxer.multiplex(adapt(socket), { initiator: true }))
    }
  }
}
