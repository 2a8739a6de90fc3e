/** The options of mplex: names, defaults and reasons; and which of them make no sense together. */
import { resolveBudgets } from '../../core/budgets.ts'
import { DEFAULT_STREAM_LIMITS, atLeast, atMost, resolveLimits, resolveStreamLimits } from '../../core/checks.ts'
import { MAX_MESSAGE_LENGTH } from './frame.ts'
import type { ConnectionLimits } from '../../core/connection-state.ts'
import type { StreamLimits } from '../../core/stream-record.ts'
import type { MuxerOptions } from '../../interface/options.ts'

export interface MplexOptions extends MuxerOptions {
  /**
   * The most unread bytes that a stream keeps. Mplex cannot tell a peer to wait: a stream that receives more is reset
   * with `StreamBufferError`, and the others go on. `streamOptions.maxReadBufferLength` and the property of the stream
   * say the same. What all streams keep together is bounded by `budgets.unreadBytes`, by default a quarter more,
   * over which the stream that holds the most is reset in the same way. What the transport
   * delivers at once, up to 128 KiB of it, counts before anybody hears of it: with less also a reader that keeps up loses.
   *
   * @default 4_194_304 (as libp2p's own streams)
   */
  maxStreamBufferSize?: number

  /**
   * Accepted, as `@libp2p/mplex` has it, and of no effect: messages are passed on as they arrive, none is gathered.
   *
   * @deprecated there is nothing that it could limit
   */
  maxUnprocessedMessageQueueSize?: number

  /**
   * Accepted, as `@libp2p/mplex` has it, and of no effect: no connection is closed because its peer opens streams
   * quickly. `maxInboundStreams` bounds how many are open, `budgets` bounds what is refused.
   *
   * @deprecated use `maxInboundStreams` and `budgets`
   */
  disconnectThreshold?: number
}

const DEFAULT_STREAM: StreamLimits = {
  ...DEFAULT_STREAM_LIMITS,
  maxReadBufferLength: 4_194_304,
  // there is no credit to wait for: a transport that takes nothing meets inactivityTimeout
  writeStallTimeout: Infinity
}

/**
 * Room for one stream that is full, and for what others have not read yet: 5 MiB. Streams that are read hold next to
 * nothing, however many they are; with room for many full ones a peer fills it all.
 */
const FULL_STREAMS = 1.25

/** Fills in the defaults. Throws `InvalidParametersError` for what makes no sense, saying why. */
export function resolveConfig (options: MplexOptions = {}): ConnectionLimits {
  const stream = resolveStreamConfig({
    ...DEFAULT_STREAM,
    maxMessageSize: options.maxMessageSize ?? DEFAULT_STREAM.maxMessageSize,
    maxReadBufferLength: options.maxStreamBufferSize ?? DEFAULT_STREAM.maxReadBufferLength
  }, options.streamOptions)

  const config = resolveLimits(options, stream, resolveBudgets(
    options.budgets,
    // of those that nobody has begun to read, as much as one of them may hold
    { unreadBytes: Math.ceil(FULL_STREAMS * stream.maxReadBufferLength), unstartedBytes: stream.maxReadBufferLength },
    { unreadBytes: stream.maxReadBufferLength, unstartedBytes: stream.maxReadBufferLength }
  ))

  atMost('maxMessageSize', stream.maxMessageSize, MAX_MESSAGE_LENGTH, 'peers end the connection over longer messages')

  return config
}

/** The options of one stream on top of those of its connection. Throws `InvalidParametersError`. */
export function resolveStreamConfig (base: StreamLimits, options: MuxerOptions['streamOptions'] = {}): StreamLimits {
  const limits = resolveStreamLimits(base, options)

  atLeast('maxStreamBufferSize', limits.maxReadBufferLength, 1, 'nothing could be received')

  return limits
}
