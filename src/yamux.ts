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
import { allocUnsafe } from 'uint8arrays/alloc'
import { MuxerFactory } from './connection/factory.ts'
import { resolveConfig } from './protocols/yamux/config.ts'
import { YamuxEngine } from './protocols/yamux/engine.ts'
import type { MuxedConnection } from './connection/connection.ts'
import type { MuxerComponents } from './connection/factory.ts'
import type { Muxer } from './interface/muxer.ts'
import type { YamuxOptions, YamuxStreamOptions } from './protocols/yamux/config.ts'
import type { StreamMuxerFactory } from '@libp2p/interface'

export { GoAwayCode } from './protocols/yamux/frame.ts'
export { MuxedConnection } from './connection/connection.ts'
export { MuxedStream } from './connection/stream.ts'
export type { CloseOptions } from './connection/connection.ts'
export type { YamuxOptions, YamuxStreamOptions }

/** The name that `@libp2p/yamux` gives its options. */
export type YamuxMuxerInit = YamuxOptions

/** What a libp2p node gives its muxers, as far as this one uses it. */
export type YamuxComponents = MuxerComponents

export const YAMUX_PROTOCOL = '/yamux/1.0.0'

/**
 * A drop-in for the `yamux()` of `@libp2p/yamux`.
 *
 * @throws {InvalidParametersError} for options that make no sense together
 */
export function yamux (options: YamuxOptions = {}): (components?: YamuxComponents) => StreamMuxerFactory<MuxedConnection> & Muxer {
  const config = { ...resolveConfig(options), allocate: allocUnsafe }

  return (components = {}) => new MuxerFactory({
    protocol: YAMUX_PROTOCOL,
    name: 'yamux',
    limits: config,
    createEngine: (role, now) => new YamuxEngine(role, config, now)
  }, components)
}
