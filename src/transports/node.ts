/**
 * @packageDocumentation
 *
 * Node's streams as libp2p's, and libp2p's as Node's: `toMessageStream()` puts a muxer on any socket or other
 * `Duplex`, `toDuplex()` gives a muxed stream to whatever takes a socket.
 *
 * @example Streams over TLS, without a libp2p node
 *
 * ```typescript
 * import tls from 'node:tls'
 * import { toMessageStream } from 'libp2p-muxers/node'
 * import { yamux } from 'libp2p-muxers/yamux'
 *
 * const socket = tls.connect({ host: 'example.com', port: 443, ...{ allowHalfOpen: true } })
 * const muxer = yamux()().createStreamMuxer(toMessageStream(socket, { direction: 'outbound' }))
 * const stream = await muxer.createStream()
 * ```
 *
 * @example HTTP over a stream
 *
 * ```typescript
 * import http from 'node:http'
 * import { toDuplex } from 'libp2p-muxers/node'
 *
 * const server = http.createServer((request, response) => { response.end('hello') })
 *
 * muxer.addEventListener('stream', event => {
 *   server.emit('connection', toDuplex(event.detail))
 * })
 * ```
 */
import { Socket } from 'node:net'
import { defaultLogger } from '@libp2p/logger'
import { ipPortToMultiaddr } from '@libp2p/utils'
import { InvalidParametersError } from '../interface/errors.ts'
import { TransportStream } from './transport-stream.ts'
import type { AdaptedStream, AdapterOptions } from './options.ts'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Duplex } from 'node:stream'
import type { Uint8ArrayList } from 'uint8arraylist'

export { toDuplex } from './duplex.ts'
export type { DuplexOptions, SocketLike } from './duplex.ts'
export type { AdaptedStream, AdapterOptions }

class DuplexMessageStream extends TransportStream {
  readonly #duplex: Duplex
  #remoteAddr: Multiaddr | undefined
  #localAddr: Multiaddr | undefined

  constructor (duplex: Duplex, options: AdapterOptions) {
    super(options, options.log ?? defaultLogger().forComponent('libp2p-muxers:transport'))

    const allowHalfOpen = options.allowHalfOpen ?? duplex.allowHalfOpen

    this.#duplex = duplex
    this.#findAddresses()

    // it is this stream that ends our half after that of the peer, or does not: behind what still waits here
    duplex.allowHalfOpen = true

    // a listener for data must not start the flow
    duplex.pause()
    duplex.on('data', this.#onData)
    duplex.on('end', () => { this.receivedEnd() })
    duplex.on('drain', () => { this.drained() })
    duplex.on('error', err => { this.failed(err) })
    duplex.on('close', () => { this.gone(duplex.errored) })

    if (duplex instanceof Socket) {
      // a muxer writes whole batches: to wait for more is to wait in vain
      duplex.setNoDelay(true)
      duplex.once('connect', () => { this.#findAddresses() })
    }

    if (duplex.writableEnded) {
      this.writeStatus = 'closed'
    }

    // later, as nobody can listen yet
    if (duplex.destroyed) {
      queueMicrotask(() => { this.gone(duplex.errored) })
    } else if (duplex.readableEnded) {
      queueMicrotask(() => { this.receivedEnd() })
    }

    this.start(allowHalfOpen)
  }

  get remoteAddr (): Multiaddr | undefined {
    return super.remoteAddr ?? this.#remoteAddr
  }

  get localAddr (): Multiaddr | undefined {
    return super.localAddr ?? this.#localAddr
  }

  protected write (data: Uint8ArrayList): boolean {
    const duplex = this.#duplex
    let more = true

    // one write of many buffers: without Nagle's algorithm each would be a packet of its own
    duplex.cork()

    for (const bytes of data) {
      more = duplex.write(bytes)
    }

    duplex.uncork()

    return more
  }

  protected endWriting (done: (err?: Error | null) => void): void {
    this.#duplex.end(done)
  }

  protected startReading (): void {
    this.#duplex.resume()
  }

  protected stopReading (): void {
    this.#duplex.pause()
  }

  protected destroy (err: Error): void {
    const duplex = this.#duplex

    const ending = duplex.writableEnded && duplex.writableLength === 0

    // without an RST the peer would take what it has got for all there was; beside a FIN there cannot be one
    if (duplex instanceof Socket && !duplex.connecting && !ending) {
      try {
        duplex.resetAndDestroy()
        return
      } catch {
        // a pipe or TLS, which have none
      }
    }

    duplex.destroy(err)
  }

  protected release (): void {
    this.#duplex.destroy()
  }

  readonly #onData = (chunk: Uint8Array): void => {
    // a Buffer is a Uint8Array whose slice() shares memory, among other surprises
    this.received(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength))
  }

  /** A socket knows its addresses only while it is connected. */
  #findAddresses (): void {
    const { remoteAddress, remotePort, localAddress, localPort } = this.#duplex as Partial<Socket>

    this.#remoteAddr ??= toMultiaddr(remoteAddress, remotePort)
    this.#localAddr ??= toMultiaddr(localAddress, localPort)
  }
}

function toMultiaddr (address: string | undefined, port: number | undefined): Multiaddr | undefined {
  if (address === undefined || port === undefined) {
    return undefined
  }

  // the zone of a link-local address means something on this machine only
  return ipPortToMultiaddr(address.split('%')[0], port)
}

/**
 * A libp2p `MessageStream` over a Node `Duplex`: `net.Socket`, `tls.TLSSocket`, `Duplex.from({ readable, writable })`
 * over standard input and output, and so on. The duplex is the stream's from then on, and nothing else should touch it.
 *
 * Backpressure: `send()` returns `false` when the duplex wants to drain; the duplex is paused while nobody reads.
 *
 * Half-close: the end of the peer is `remoteCloseWrite`; `close()` ends our half after what was sent.
 *
 * Errors: an error of the duplex is the error of the `close` event; a duplex that closed before its end gives
 * `ConnectionClosedError`. `abort()` destroys the duplex, over TCP with an RST. TLS has none: there the peer sees the
 * connection end, and what is above must tell (muxers do).
 *
 * Sockets get TCP_NODELAY.
 *
 * @throws {InvalidParametersError} when the duplex is in object mode, or decodes to strings
 */
export function toMessageStream (duplex: Duplex, options: AdapterOptions = {}): AdaptedStream {
  if (duplex.readableObjectMode || duplex.writableObjectMode || duplex.readableEncoding != null) {
    throw new InvalidParametersError('The duplex must carry bytes: no object mode, no setEncoding()')
  }

  return new DuplexMessageStream(duplex, options)
}
