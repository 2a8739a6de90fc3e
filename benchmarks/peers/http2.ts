/**
 * node:http2, without TLS. Settings are Node's defaults but for what limits the number of streams; the peer
 * `http2-windows` has windows of 16 MiB besides, as is advised for long links, since Node does not tune them.
 */
import { once } from 'node:events'
import http2 from 'node:http2'
import { DuplexChannel } from './duplex.ts'
import { Arrivals, Inbox, ignore } from './types.ts'
import type { Address, Channel, Peer, PeerServer, Session } from './types.ts'
import type { ClientHttp2Session, Http2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'

const HOST = '127.0.0.1'
const LARGE_WINDOW = 16_777_216

/** In megabytes, for 10,000 streams. */
const LIMITS = { maxSessionMemory: 4_096 }

class Http2SessionAdapter implements Session {
  readonly channels = new Inbox<Channel>()
  readonly #session: Http2Session

  constructor (session: Http2Session) {
    this.#session = session
    session.on('error', ignore)
  }

  async open (): Promise<Channel> {
    const stream = (this.#session as ClientHttp2Session).request({ ':method': 'POST', ':path': '/' }, { endStream: false })

    return new DuplexChannel(stream)
  }

  onChannel (callback: (channel: Channel) => void): void {
    this.channels.take(callback)
  }

  close (): void {
    this.#session.destroy()
  }
}

export function http2Peer (windows: 'default' | 'large'): Peer {
  const settings = windows === 'large' ? { initialWindowSize: LARGE_WINDOW } : {}

  function widen (session: Http2Session): void {
    if (windows === 'large') {
      session.setLocalWindowSize(LARGE_WINDOW)
    }
  }

  return {
    async listen (): Promise<PeerServer> {
      const arrivals = new Arrivals<Session>()
      const sessions = new WeakMap<Http2Session, Http2SessionAdapter>()
      const server = http2.createServer({ ...LIMITS, settings })

      server.on('session', session => {
        const adapter = new Http2SessionAdapter(session)

        widen(session)
        sessions.set(session, adapter)
        arrivals.add(adapter)
      })
      server.on('stream', stream => {
        stream.respond({ ':status': 200 })
        sessions.get(stream.session as Http2Session)?.channels.add(new DuplexChannel(stream))
      })
      server.on('sessionError', ignore)
      server.listen(0, HOST)
      await once(server, 'listening')

      return {
        address: { port: (server.address() as AddressInfo).port },
        accept: async () => arrivals.next()
      }
    },
    async connect (address: Address): Promise<Session> {
      const session = http2.connect(`http://${HOST}:${address.port}`, { ...LIMITS, settings })

      await once(session, 'remoteSettings')
      widen(session)

      return new Http2SessionAdapter(session)
    }
  }
}
