/** Raw TCP: a channel is a socket of its own. The bound of what a muxer can reach, but for what it saves in sockets. */
import { once } from 'node:events'
import net from 'node:net'
import { DuplexChannel } from './duplex.ts'
import { Inbox } from './types.ts'
import type { Address, Channel, Peer, PeerServer, Session } from './types.ts'
import type { AddressInfo, Socket } from 'node:net'

const HOST = '127.0.0.1'

class TcpSession implements Session {
  readonly channels = new Inbox<Channel>()
  readonly #port: number | undefined
  readonly #sockets = new Set<Socket>()

  constructor (port?: number) {
    this.#port = port
  }

  async open (): Promise<Channel> {
    // libp2p's TCP sets both, and ping-pong would be unfair without the first
    const socket = net.connect({ port: this.#port as number, host: HOST, noDelay: true, allowHalfOpen: true })

    await once(socket, 'connect')

    return this.add(socket)
  }

  onChannel (callback: (channel: Channel) => void): void {
    this.channels.take(callback)
  }

  close (): void {
    for (const socket of this.#sockets) {
      socket.destroy()
    }
  }

  add (socket: Socket): Channel {
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
    })

    return new DuplexChannel(socket)
  }
}

export function tcp (): Peer {
  return {
    async listen (): Promise<PeerServer> {
      let current = new TcpSession()
      const server = net.createServer({ noDelay: true, allowHalfOpen: true }, socket => {
        current.channels.add(current.add(socket))
      })

      server.listen({ port: 0, host: HOST, backlog: 4_096 })
      await once(server, 'listening')

      return {
        address: { port: (server.address() as AddressInfo).port },
        // there is no connection that sockets belong to: all that come are of the sample that is under way
        accept: async () => {
          current = new TcpSession()

          return current
        }
      }
    },
    connect: async (address: Address) => new TcpSession(address.port)
  }
}
