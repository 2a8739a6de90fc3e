/**
 * Error codes of libp2p (specs pull request 623): 0 is no code, below 0x1000 are the transport's own, 0x1000 to 0xffff
 * libp2p's, and above them the application's, in blocks of 256.
 *
 * For streams the draft and go-libp2p 0.40 and later differ by one. What is on the wire today is go's, and so are these.
 */

/** Why a stream was reset. */
export const StreamErrorCode = {
  none: 0,
  protocolNegotiationFailed: 0x1001,
  resourceLimitExceeded: 0x1002,
  rateLimited: 0x1003,
  protocolViolation: 0x1004,
  supplanted: 0x1005,
  garbageCollected: 0x1006,
  shutdown: 0x1007,
  gated: 0x1008,
  codeOutOfRange: 0x1009
} as const

/** Why a connection was ended. Below 0x1000: those of yamux itself. */
export const ConnectionErrorCode = {
  none: 0,
  protocolError: 1,
  internalError: 2,
  protocolNegotiationFailed: 0x1000,
  resourceLimitExceeded: 0x1001,
  rateLimited: 0x1002,
  protocolViolation: 0x1003,
  supplanted: 0x1004,
  garbageCollected: 0x1005,
  shutdown: 0x1006,
  gated: 0x1007,
  codeOutOfRange: 0x1008
} as const

/** The name of a code, if it has one: what an application means by its own codes is its own affair. */
export function errorCodeName (scope: 'stream' | 'connection', code: number): string | undefined {
  const table = scope === 'stream' ? StreamErrorCode : ConnectionErrorCode

  return Object.entries(table).find(([, value]) => value === code)?.[0]
}
