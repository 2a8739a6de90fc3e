/**
 * @packageDocumentation
 *
 * Stream multiplexers for js-libp2p.
 */
export { muxedConnection } from './connection/foreign.ts'
export type { ForeignOptions } from './connection/foreign.ts'
export { mplex } from './mplex.ts'
export type { MplexComponents, MplexOptions } from './mplex.ts'
export { yamux } from './yamux.ts'
export type { YamuxComponents, YamuxOptions, YamuxStreamOptions } from './yamux.ts'
export * from './interface/index.ts'
