/**
 * The options that all muxers share. Names and meanings are libp2p's where libp2p has them; every number has a unit
 * and a reason.
 */
import type { StreamMuxerOptions, StreamOptions as LibP2PStreamOptions } from '@libp2p/interface'

/** Limits of one stream. */
export interface StreamOptions extends LibP2PStreamOptions {
  /**
   * A stream on which nothing was sent, received or read for this many milliseconds is reset. Time in which bytes wait
   * for our own reader does not count, as a paused reader is no fault of the stream, unless something of ours waits as well
   * and is not taken. `Infinity` or `0`: never.
   *
   * @default 120_000 (libp2p's default)
   */
  inactivityTimeout?: number

  /**
   * The most unread bytes that a stream keeps. A muxer with flow control holds it by never granting more, so a paused
   * reader is not reset; one without flow control resets the stream that overflows.
   *
   * @default the largest window of the muxer
   */
  maxReadBufferLength?: number

  /**
   * Bytes that `send()` may queue, after it returned `false`, before the stream is reset with `StreamBufferError`.
   *
   * @default Infinity (libp2p's default: a protocol that hands over one large answer at once must not be reset)
   */
  maxWriteBufferLength?: number

  /**
   * `send()` returns `false` once this many bytes are queued; `drain` follows when less than half of them are left.
   *
   * @default 262_144 (the initial window of yamux: enough to keep a link busy between two events)
   */
  writeHighWaterMark?: number

  /**
   * A stream that has bytes to send and got no credit for this many milliseconds is reset: yamux peers that stopped
   * reading often never say so (specs issue 627). `Infinity` or `0`: wait for ever.
   *
   * @default 30_000
   */
  writeStallTimeout?: number
}

/**
 * What one peer may cost us. The first seven are numbers of things at once, of which a tenth comes back a second, and
 * `replies`, `unreadPieces` and `streamPieces` are amounts: over any of them the connection is closed. The peer gets a GoAway,
 * our side a `BudgetExceededError` that names the budget, its limit and its option.
 *
 * `unreadBytes` and `unstartedBytes` are amounts that were granted, and wait for our own application. Over either a stream
 * gives way with a `StreamBufferError` that names the option, and the connection goes on: the oldest of those that are over
 * and were not read to their end, or else the one that holds the most.
 *
 * `Infinity` is no limit.
 */
export interface AbuseBudgets {
  /** Pings to answer. @default 10_000 (go-yamux's own stress test sends as many at once) */
  pings?: number

  /** Streams opened by the peer and reset by it. @default 10_000 (a busy node closes hundreds a second, not thousands) */
  resets?: number

  /**
   * Streams opened by the peer that it makes us reset, by sending more than may wait to be read.
   *
   * @default 10_000 (as `resets`: what the peer makes of it is the same, a stream that is gone and work that goes on)
   */
  provokedResets?: number

  /** Streams refused for want of room, each costing us an RST. @default 10_000 (ten times `maxInboundStreams`) */
  refusals?: number

  /** Frames for streams that are not open. @default 10_000 (what is in flight while we reset a stream is not counted) */
  unknownStreams?: number

  /** Frames that change nothing: empty data, credit of zero or for what has ended, repeated ACKs and GoAways. @default 10_000 */
  emptyFrames?: number

  /**
   * Frames whose header is longer than what they carry: credit, and data of which more than 16 pieces wait to be read on its
   * stream already.
   *
   * @default 10_000_000 (a million a second, as applications that write single bytes exist: two of our own muxers exchange
   * 600,000 a second)
   */
  tinyFrames?: number

  /**
   * Answers that wait because the peer does not read: pongs, refusals, and resets, whoever wanted them. Looked at when the
   * peer makes one more, or opens a stream: what our own application does in one go is no offence.
   *
   * @default 10_000 (as many as `pings` at once, of some 60 bytes each; all streams that may be open can be reset at once)
   */
  replies?: number

  /**
   * Pieces in which bytes wait for our application on all streams together, each of which costs some 200 bytes more. Small
   * ones are joined where a stream has more than 16, or all streams together more than 2,048; and all of them, to 32 KiB and
   * more, before the connection ends. A stream that is over and was not read to its end counts for 64 at least, and gives
   * way before that. With less room than what may be unread takes then, peers of slow readers lose their connections.
   *
   * @default 65_536 (a thousand streams that are over may wait to be read; of streams that are open they are 2 GiB)
   */
  unreadPieces?: number

  /**
   * Of those pieces, what one stream may keep, joined to 32 KiB and more before the connection ends: with less than 513 a
   * window of 16 MiB can be more.
   *
   * @default 16_384 (512 MiB)
   */
  streamPieces?: number

  /**
   * Bytes of memory beyond those that wait for our application, of all streams together, as a slice keeps the whole buffer that it was
   * cut from. One that has less than 7/8 of its buffer, or half once some of it was read, is copied at once. Before there
   * are more than this all are copied, so that nobody loses a stream or the connection for it. Not counted is the room for small
   * pieces to come, an eighth at most of what waits on each stream. For each eighth of the budget that may have come all that is
   * kept is looked at: with less than 64 KiB reading in small parts takes long.
   *
   * @default 4_194_304 (a peer that wants them copied has to have as much unread for each time)
   */
  pinnedBytes?: number

  /**
   * Bytes of all streams together that wait for our application. Windows bound each stream, and this all of them: a
   * thousand windows of 256 KiB would be 256 MiB.
   *
   * @default 134_217_728 with yamux's other defaults (`connectionWindowBudget`, and 256 initial windows, all of them full)
   */
  unreadBytes?: number

  /**
   * Of those bytes, what waits on streams of the peer of which the application has read less than 1 KiB: negotiated, it
   * may be, and not begun. Windows let a peer fill them before anybody has looked at the stream. Who takes many uploads
   * at once, and has to ask somebody before it reads them, raises it.
   *
   * @default 3_145_728 (twelve of yamux's initial windows; for mplex `maxStreamBufferSize`, as much as one stream may hold)
   */
  unstartedBytes?: number
}

/** Options of every muxer of this package. */
export interface MuxerOptions extends StreamMuxerOptions<StreamOptions> {
  /**
   * The largest payload of a frame that we send, in bytes: what another stream may have to wait for.
   *
   * @default 65_536 (go-yamux sends as much; jvm-libp2p and rust-yamux refuse more than 1 MiB)
   */
  maxMessageSize?: number

  /**
   * About as much as the transport is given at once, in bytes; up to 4 KiB more, so that no stream ends in a runt.
   *
   * @default 65_446 (one message of noise which, encrypted, is one segment of TCP between two processes of a machine, by either
   * version of IP: of 65,519 some went as a second segment of a few bytes, and bulk had a tenth less. Of more than one message
   * what an encrypter has made piles up in front of the socket, where nothing urgent can pass)
   */
  maxBatchLength?: number

  /**
   * Once the other streams of the connection have this many bytes queued together, `send()` returns `false` on every
   * stream that has anything queued, below its own `writeHighWaterMark` as well, and `drain` follows when its queue is
   * empty, if not before. Each stream may still have one message on its way, so that none starves; a stream that is the
   * only one to write is not held up.
   *
   * @default 3_145_728 (twelve streams at their `writeHighWaterMark`: a thousand of them would hold 250 MiB for a peer
   * that does not read)
   */
  connectionWriteHighWaterMark?: number

  /**
   * Streams of the peer that may come in before anybody listens for them; over one more the connection ends, with a
   * `MaxEarlyStreamsError`. No more than `maxInboundStreams`.
   *
   * @default maxInboundStreams (libp2p's own muxers take 10, and end the connection over what an honest peer opens as soon
   * as it is connected)
   */
  maxEarlyStreams?: number

  /**
   * Streams of the peer that may wait for `acceptStream()`; further ones are reset. Of no effect in libp2p's node, which
   * is told of streams by an event.
   *
   * @default 256 (as many as a peer may open unacknowledged)
   */
  acceptBacklog?: number

  /** Limits on what is cheap for a peer to send and costly to answer. */
  budgets?: AbuseBudgets
}
