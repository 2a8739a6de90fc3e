/**
 * @packageDocumentation
 *
 * Stream multiplexers for js-libp2p.
 */
export { yamux } from './yamux.ts'
export type { YamuxComponents, YamuxOptions, YamuxStreamOptions } from './yamux.ts'
export * from './interface/index.ts'
