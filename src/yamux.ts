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
 */
import { serviceCapabilities } from '@libp2p/interface'
import { allocUnsafe } from 'uint8arrays/alloc'
import { MuxedConnection } from './connection/connection.ts'
import { resolveConfig } from './protocols/yamux/config.ts'
import { YamuxEngine } from './protocols/yamux/engine.ts'
import type { YamuxConfig, YamuxOptions, YamuxStreamOptions } from './protocols/yamux/config.ts'
import type { MessageStream, StreamMuxerFactory } from '@libp2p/interface'

export { GoAwayCode } from './protocols/yamux/frame.ts'
export { MuxedConnection } from './connection/connection.ts'
export { MuxedStream } from './connection/stream.ts'
export type { CloseOptions } from './connection/connection.ts'
export type { YamuxOptions, YamuxStreamOptions }

/** The name that `@libp2p/yamux` gives its options. */
export type YamuxMuxerInit = YamuxOptions

export const YAMUX_PROTOCOL = '/yamux/1.0.0'

class Yamux implements StreamMuxerFactory<MuxedConnection> {
  readonly protocol = YAMUX_PROTOCOL
  readonly [Symbol.toStringTag] = '@libp2p/yamux'
  readonly [serviceCapabilities]: string[] = ['@libp2p/stream-multiplexing']
  readonly #config: YamuxConfig

  constructor (options: YamuxOptions) {
    this.#config = { ...resolveConfig(options), allocate: allocUnsafe }
  }

  createStreamMuxer (maConn: MessageStream): MuxedConnection {
    const config = this.#config
    const role = maConn.direction === 'outbound' ? 'client' : 'server'

    return new MuxedConnection(maConn, {
      protocol: this.protocol,
      name: 'yamux',
      role,
      maxEarlyStreams: config.maxEarlyStreams,
      maxBatchLength: config.maxBatchLength,
      createEngine: now => new YamuxEngine(role, config, now)
    })
  }
}

/**
 * A drop-in for the `yamux()` of `@libp2p/yamux`.
 *
 * @throws {InvalidParametersError} for options that make no sense together
 */
export function yamux (options: YamuxOptions = {}): () => StreamMuxerFactory<MuxedConnection> {
  const factory = new Yamux(options)

  return () => factory
}
