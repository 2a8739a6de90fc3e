/**
 * @packageDocumentation
 *
 * mplex for libp2p nodes, and for whoever holds one secured connection: an engine and a connection put together.
 *
 * The specifications deprecate mplex, as it has no flow control: a peer cannot be told to wait. Offer it beside yamux, for
 * peers that speak nothing else.
 *
 * @example A libp2p node
 *
 * ```typescript
 * import { createLibp2p } from 'libp2p'
 * import { mplex } from 'libp2p-muxers/mplex'
 * import { yamux } from 'libp2p-muxers/yamux'
 *
 * const node = await createLibp2p({
 *   // transports, encryption …
 *   streamMuxers: [yamux(), mplex()]
 * })
 * ```
 *
 * @example Without libp2p's node
 *
 * ```typescript
 * import { mplex } from 'libp2p-muxers/mplex'
 * import type { SecuredConnection } from 'libp2p-muxers/interface'
 *
 * declare const secured: SecuredConnection
 *
 * const connection = await mplex()().multiplex(secured, { initiator: true })
 * const stream = await connection.newStream()
 *
 * await stream.write(new TextEncoder().encode('hello'))
 * ```
 */
import { allocUnsafe } from 'uint8arrays/alloc'
import { MuxerFactory } from './connection/factory.ts'
import { resolveConfig } from './protocols/mplex/config.ts'
import { MplexEngine } from './protocols/mplex/engine.ts'
import type { MuxedConnection } from './connection/connection.ts'
import type { MuxerComponents } from './connection/factory.ts'
import type { Muxer } from './interface/muxer.ts'
import type { MplexOptions } from './protocols/mplex/config.ts'
import type { StreamMuxerFactory } from '@libp2p/interface'

export { MuxedConnection } from './connection/connection.ts'
export { MuxedStream } from './connection/stream.ts'
export type { CloseOptions } from './connection/connection.ts'
export type { MplexOptions }

/** The name that `@libp2p/mplex` gives its options. */
export type MplexInit = MplexOptions

/** What a libp2p node gives its muxers, as far as this one uses it. */
export type MplexComponents = MuxerComponents

export const MPLEX_PROTOCOL = '/mplex/6.7.0'

/**
 * A drop-in for the `mplex()` of `@libp2p/mplex`. Deprecated by the specifications: for peers that speak nothing else.
 *
 * @throws {InvalidParametersError} for options that make no sense together
 */
export function mplex (options: MplexOptions = {}): (components?: MplexComponents) => StreamMuxerFactory<MuxedConnection> & Muxer {
  const config = { ...resolveConfig(options), allocate: allocUnsafe }

  return (components = {}) => new MuxerFactory({
    protocol: MPLEX_PROTOCOL,
    name: 'mplex',
    limits: config,
    createEngine: (role, now) => new MplexEngine(config, now)
  }, components)
}
