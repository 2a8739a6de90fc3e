/**
 * @packageDocumentation
 *
 * yamux for libp2p nodes, and for whoever holds one secured connection: an engine and a connection put together.
 *
 * @example A libp2p node
 *
 * ```typescript
 * import { createLibp2p } from 'libp2p'
 * import { yamux } from 'libp2p-muxers/yamux'
 *
 * const node = await createLibp2p({
 *   // transports, encryption …
 *   streamMuxers: [yamux()]
 * })
 * ```
 *
 * @example Without libp2p's node
 *
 * ```typescript
 * import { yamux } from 'libp2p-muxers/yamux'
 * import type { SecuredConnection } from 'libp2p-muxers/interface'
 *
 * declare const secured: SecuredConnection
 *
 * const connection = await yamux()().multiplex(secured, { initiator: true })
 * const stream = await connection.newStream()
 *
 * await stream.write(new TextEncoder().encode('hello'))
 * ```
 */
import { serviceCapabilities } from '@libp2p/interface'
import { allocUnsafe } from 'uint8arrays/alloc'
import { MuxedConnection } from './connection/connection.ts'
import { muxerMetrics } from './connection/metrics.ts'
import { resolveConfig } from './protocols/yamux/config.ts'
import { YamuxEngine } from './protocols/yamux/engine.ts'
import type { ConnectionInit } from './connection/connection.ts'
import type { MuxerMetrics } from './connection/metrics.ts'
import type { Role } from './core/stream-table.ts'
import type { Muxer, MultiplexOptions, SecuredConnection } from './interface/muxer.ts'
import type { YamuxConfig, YamuxOptions, YamuxStreamOptions } from './protocols/yamux/config.ts'
import type { MessageStream, Metrics, StreamMuxerFactory } from '@libp2p/interface'

export { GoAwayCode } from './protocols/yamux/frame.ts'
export { MuxedConnection } from './connection/connection.ts'
export { MuxedStream } from './connection/stream.ts'
export type { CloseOptions } from './connection/connection.ts'
export type { YamuxOptions, YamuxStreamOptions }

/** The name that `@libp2p/yamux` gives its options. */
export type YamuxMuxerInit = YamuxOptions

export const YAMUX_PROTOCOL = '/yamux/1.0.0'

/** In logs and metrics. */
const NAME = 'yamux'

/** What a libp2p node gives its muxers, as far as this one uses it. */
export interface YamuxComponents {
  metrics?: Metrics
}

class Yamux implements StreamMuxerFactory<MuxedConnection>, Muxer {
  readonly protocol = YAMUX_PROTOCOL
  readonly [Symbol.toStringTag] = '@libp2p/yamux'
  readonly [serviceCapabilities]: string[] = ['@libp2p/stream-multiplexing']
  readonly #config: YamuxConfig
  readonly #metrics?: MuxerMetrics

  constructor (config: YamuxConfig, { metrics }: YamuxComponents) {
    this.#config = config
    this.#metrics = metrics == null ? undefined : muxerMetrics(metrics, NAME)
  }

  createStreamMuxer (maConn: MessageStream): MuxedConnection {
    return this.#create(maConn, roleOf(maConn))
  }

  async multiplex (secured: SecuredConnection, options: MultiplexOptions = {}): Promise<MuxedConnection> {
    options.signal?.throwIfAborted()

    return this.#create(secured, roleOf(secured, options.initiator), {
      peers: options,
      acceptBacklog: this.#config.acceptBacklog
    })
  }

  #create (maConn: MessageStream, role: Role, init: Partial<ConnectionInit> = {}): MuxedConnection {
    const config = this.#config

    return new MuxedConnection(maConn, {
      ...init,
      protocol: this.protocol,
      name: NAME,
      role,
      metrics: this.#metrics,
      maxEarlyStreams: config.maxEarlyStreams,
      maxBatchLength: config.maxBatchLength,
      createEngine: now => new YamuxEngine(role, config, now)
    })
  }
}

function roleOf (maConn: MessageStream, initiator = maConn.direction === 'outbound'): Role {
  return initiator ? 'client' : 'server'
}

/**
 * A drop-in for the `yamux()` of `@libp2p/yamux`.
 *
 * @throws {InvalidParametersError} for options that make no sense together
 */
export function yamux (options: YamuxOptions = {}): (components?: YamuxComponents) => StreamMuxerFactory<MuxedConnection> & Muxer {
  const config = { ...resolveConfig(options), allocate: allocUnsafe }

  return (components = {}) => new Yamux(config, components)
}
