/**
 * What an mplex message is made of; section names are those of the libp2p mplex specification.
 *
 * ```
 * id << 3 | flag (varint) | length (varint) | body
 * ```
 */

/**
 * Section "Opening a new stream" and those that follow it. The side that opened a stream says so in each message, as
 * both sides use the same ids: even flags are its, odd ones those of the other side.
 */
export const Flag = {
  newStream: 0,
  messageReceiver: 1,
  messageInitiator: 2,
  closeReceiver: 3,
  closeInitiator: 4,
  resetReceiver: 5,
  resetInitiator: 6
} as const

/** Section "Writing to a stream": the longest body, in bytes. */
export const MAX_MESSAGE_LENGTH = 1_048_576

/** Section "Message format": three bits of flag and 60 of id, seven to a byte. */
export const MAX_HEADER_LENGTH = 9

/** A varint of the longest body. */
export const MAX_LENGTH_LENGTH = 3

/** The first four bytes of a header hold the flag and so many bits of the id: what bit operators can handle. */
export const LOW_ID_BITS = 25

/** How many ids that are. Not worked out where it is used: raising to a power took a twentieth of decoding. */
export const LOW_IDS = 2 ** LOW_ID_BITS
