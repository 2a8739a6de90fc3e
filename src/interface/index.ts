/**
 * @packageDocumentation
 *
 * What a multiplexed connection is, apart from every implementation: types, tiny guards, the errors and the codes. Code
 * that is written against it runs on any muxer.
 *
 * @example
 *
 * ```typescript
 * import type { MuxedConnection } from 'libp2p-muxers/interface'
 *
 * export async function ask (connection: MuxedConnection, question: Uint8Array): Promise<Uint8Array | null> {
 *   await using stream = await connection.newStream()
 *
 *   await stream.writeLengthPrefixed(question)
 *
 *   return stream.readLengthPrefixed()
 * }
 * ```
 */
export * from './codes.ts'
export * from './errors.ts'
export * from './muxer.ts'
export type * from './options.ts'
export type * from './statistics.ts'
