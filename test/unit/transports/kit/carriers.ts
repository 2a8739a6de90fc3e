/** Everything that can be adapted, as connections with both ends in this process. */
import { once } from 'node:events'
import net from 'node:net'
import { duplexPair } from 'node:stream'
import tls from 'node:tls'
import { toMessageStream } from '../../../../src/transports/node.ts'
import { toMessageStream as webToMessageStream } from '../../../../src/transports/web.ts'
import { selfSigned } from './certificate.ts'
import type { Identity } from './certificate.ts'
import type { AdaptedStream, AdapterOptions } from '../../../../src/transports/node.ts'
import type { Duplex } from 'node:stream'

export interface Connected {
  outbound: AdaptedStream
  inbound: AdaptedStream

  /** The connection breaks, and neither end has a say in it. */
  cut(): void
}

export interface Carrier {
  name: string

  /** Whether an end that is aborted looks like one to the peer, or like a mere end. */
  tellsAborts: boolean
  connect(options?: AdapterOptions): Promise<Connected>
}

export interface Ends {
  dialer: Duplex
  listener: Duplex
}

function adapt ({ dialer, listener }: Ends, options: AdapterOptions = {}): Connected {
  return {
    outbound: toMessageStream(dialer, { ...options, direction: 'outbound' }),
    inbound: toMessageStream(listener, { ...options, direction: 'inbound' }),
    cut () {
      for (const duplex of [dialer, listener]) {
        if (duplex instanceof net.Socket) {
          duplex.destroy()
        } else {
          duplex.destroy(new Error('the cable was cut'))
        }
      }
    }
  }
}

/** In memory, with Node's own high-water marks. */
export function memoryDuplexes (): Ends {
  const [dialer, listener] = duplexPair({ allowHalfOpen: true })

  return { dialer, listener }
}

/** Two sockets that are connected to each other. The server does not outlive the first connection. */
export async function tcpSockets (options: net.ServerOpts = { allowHalfOpen: true }): Promise<{ dialer: net.Socket, listener: net.Socket }> {
  const server = net.createServer(options).listen(0, '127.0.0.1')

  await once(server, 'listening')

  const dialer = net.connect({ host: '127.0.0.1', port: (server.address() as net.AddressInfo).port, allowHalfOpen: options.allowHalfOpen })
  const [[listener]] = await Promise.all([once(server, 'connection'), once(dialer, 'connect')])

  server.close()

  return { dialer, listener }
}

let identity: Identity | undefined

export async function tlsSockets (): Promise<{ dialer: tls.TLSSocket, listener: tls.TLSSocket }> {
  identity ??= selfSigned('localhost')

  const server = tls.createServer({ ...identity, allowHalfOpen: true }).listen(0, '127.0.0.1')

  await once(server, 'listening')

  const dialer = tls.connect({
    ca: identity.cert,
    host: '127.0.0.1',
    servername: 'localhost',
    port: (server.address() as net.AddressInfo).port,
    // not in the types of tls.connect(), which hands its options on to the socket
    ...{ allowHalfOpen: true }
  })
  const [[listener]] = await Promise.all([once(server, 'secureConnection'), once(dialer, 'secureConnect')])

  server.close()

  return { dialer, listener }
}

/** Two ways, each a TransformStream that passes on what it gets, and can be made to fail. */
export function webStreams (): { ways: Array<TransformStream<Uint8Array, Uint8Array>>, fail(err: Error): void } {
  const controllers: Array<TransformStreamDefaultController<Uint8Array>> = []
  const ways = [0, 1].map(() => new TransformStream<Uint8Array, Uint8Array>({
    start (controller) {
      controllers.push(controller)
    }
  }))

  return {
    ways,
    fail (err) {
      for (const controller of controllers) {
        controller.error(err)
      }
    }
  }
}

export const carriers: Carrier[] = [{
  name: 'duplexes in memory',
  tellsAborts: true,
  async connect (options) {
    return adapt(memoryDuplexes(), options)
  }
}, {
  name: 'TCP sockets',
  tellsAborts: true,
  async connect (options) {
    return adapt(await tcpSockets(), options)
  }
}, {
  name: 'TLS sockets',
  tellsAborts: false,
  async connect (options) {
    return adapt(await tlsSockets(), options)
  }
}, {
  name: 'Web Streams',
  tellsAborts: true,
  async connect (options) {
    const { ways: [there, back], fail } = webStreams()

    return {
      outbound: webToMessageStream({ readable: back.readable, writable: there.writable }, { ...options, direction: 'outbound' }),
      inbound: webToMessageStream({ readable: there.readable, writable: back.writable }, { ...options, direction: 'inbound' }),
      cut () {
        fail(new Error('the cable was cut'))
      }
    }
  }
}]
