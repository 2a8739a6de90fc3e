/**
 * @packageDocumentation
 *
 * Stream multiplexers for js-libp2p.
 */
export { yamux } from './yamux.ts'
export type { YamuxOptions, YamuxStreamOptions } from './yamux.ts'
