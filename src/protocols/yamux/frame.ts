/**
 * What a yamux frame is made of. All fields are big-endian; section names are those of the libp2p yamux specification
 * (r0, 2023-02-17).
 *
 * ```
 * Version (8) | Type (8) | Flags (16) | StreamID (32) | Length (32)
 * ```
 */

/** Section "Framing". */
export const HEADER_LENGTH = 12

/** Section "Version Field": always 0. */
export const VERSION = 0

/** Section "Type Field". */
export const FrameType = {
  data: 0,
  windowUpdate: 1,
  ping: 2,
  goAway: 3
} as const

/** Section "Flag Field". The other twelve bits mean nothing to us, and nothing is what we do about them. */
export const Flag = {
  syn: 1,
  ack: 2,
  fin: 4,
  rst: 8
} as const

/** Section "Length Field", for a GoAway. */
export const GoAwayCode = {
  normalTermination: 0,
  protocolError: 1,
  internalError: 2
} as const

/** Section "StreamID Field": what is not about a stream. */
export const SESSION_ID = 0

/** Ids have 32 bits. */
export const MAX_STREAM_ID = 2 ** 32 - 1

/** Section "Flow Control": what either side may send on a new stream before it hears of any window, in bytes. */
export const INITIAL_WINDOW = 262_144

/** Section "ACK backlog": how many streams of ours the peer may leave unacknowledged (go resets, rust ends, beyond it). */
export const MAX_UNACKNOWLEDGED = 256
