/** The options of yamux: names, defaults and reasons; and which of them make no sense together. */
import { resolveBudgets } from '../../core/budgets.ts'
import { DEFAULT_STREAM_LIMITS, atLeast, atMost, positive, resolveLimits, resolveStreamLimits } from '../../core/checks.ts'
import { INITIAL_WINDOW } from './frame.ts'
import type { ConnectionLimits } from '../../core/connection-state.ts'
import type { StreamLimits } from '../../core/stream-record.ts'
import type { MuxerOptions, StreamOptions } from '../../interface/options.ts'

export interface YamuxStreamOptions extends StreamOptions {
  /**
   * The window that we grant a new stream, in bytes. More than the protocol's own 262,144 is announced in the SYN or
   * the ACK.
   *
   * @default 262_144
   */
  initialStreamWindowSize?: number

  /**
   * What the window of one stream may grow to, in bytes.
   *
   * @default 16_777_216 (1 Gbit/s at 130 ms; go-libp2p's limit)
   */
  maxStreamWindowSize?: number
}

export interface YamuxOptions extends MuxerOptions {
  /**
   * Ping the peer now and then: it finds dead connections and measures the round trip, which bounds what windows grow to.
   *
   * @default true
   */
  enableKeepAlive?: boolean

  /**
   * Milliseconds between pings.
   *
   * @default 30_000 (as go-yamux and hashicorp/yamux)
   */
  keepAliveInterval?: number

  /**
   * The connection is closed when a ping was not answered, and nothing else came either, for this many milliseconds.
   *
   * @default 10_000 (as go-yamux and hashicorp/yamux)
   */
  keepAliveTimeout?: number

  /**
   * Bytes by which the windows of all streams together may grow beyond their initial size.
   *
   * @default 67_108_864 (four streams at their limit, or 256 at twice their initial window)
   */
  connectionWindowBudget?: number

  streamOptions?: YamuxStreamOptions
}

/** Every option with its value. */
export interface YamuxConfig extends ConnectionLimits {
  enableKeepAlive: boolean
  keepAliveInterval: number
  keepAliveTimeout: number
  connectionWindowBudget: number
  stream: YamuxStreamConfig
}

export interface YamuxStreamConfig extends StreamLimits {
  initialStreamWindowSize: number
  maxStreamWindowSize: number
}

const MAX_U32 = 2 ** 32 - 1

/** The largest payload that we send: rust-yamux and jvm-libp2p end the connection over larger frames. */
export const MAX_MESSAGE_LENGTH = 1_048_576

/** So many windows may be full at the same time, beside all that windows may grow by. */
const FULL_WINDOWS = 256

/** So many of them on streams that the application has not begun to read: 3 MiB, which in small pieces cost twice as much. */
const UNSTARTED_WINDOWS = 12

/** Fills in the defaults. Throws `InvalidParametersError` for what makes no sense, saying why. */
export function resolveConfig (options: YamuxOptions = {}): YamuxConfig {
  const stream = resolveStreamConfig({ ...DEFAULT_STREAM, maxMessageSize: options.maxMessageSize ?? DEFAULT_STREAM.maxMessageSize }, options.streamOptions)
  const connectionWindowBudget = options.connectionWindowBudget ?? 67_108_864

  atLeast('connectionWindowBudget', connectionWindowBudget, 0, 'it is a number of bytes')

  const config: YamuxConfig = {
    ...resolveLimits(options, stream, resolveBudgets(
      options.budgets,
      {
        unreadBytes: connectionWindowBudget + FULL_WINDOWS * stream.initialStreamWindowSize,
        unstartedBytes: UNSTARTED_WINDOWS * stream.initialStreamWindowSize
      },
      {
        unreadBytes: connectionWindowBudget + stream.initialStreamWindowSize,
        unstartedBytes: stream.initialStreamWindowSize
      }
    )),
    enableKeepAlive: options.enableKeepAlive ?? true,
    keepAliveInterval: options.keepAliveInterval ?? 30_000,
    keepAliveTimeout: options.keepAliveTimeout ?? 10_000,
    connectionWindowBudget
  }

  positive('keepAliveInterval', config.keepAliveInterval)
  positive('keepAliveTimeout', config.keepAliveTimeout)
  atMost('maxMessageSize', config.stream.maxMessageSize, MAX_MESSAGE_LENGTH, 'rust-yamux and jvm-libp2p end the connection over larger frames')

  return config
}

const DEFAULT_STREAM: YamuxStreamConfig = {
  ...DEFAULT_STREAM_LIMITS,
  maxReadBufferLength: 16_777_216,
  initialStreamWindowSize: INITIAL_WINDOW,
  maxStreamWindowSize: 16_777_216
}

/** The options of one stream on top of those of its connection. Throws `InvalidParametersError`. */
export function resolveStreamConfig (base: YamuxStreamConfig, options: YamuxStreamOptions = {}): YamuxStreamConfig {
  const initial = options.initialStreamWindowSize ?? base.initialStreamWindowSize
  // who asks for a larger initial window than the default limit means it
  const maximum = options.maxStreamWindowSize ?? Math.max(base.maxStreamWindowSize, initial)
  // what may be unread follows the window until somebody says otherwise
  const unread = base.maxReadBufferLength === base.maxStreamWindowSize ? maximum : base.maxReadBufferLength

  const config: YamuxStreamConfig = {
    ...resolveStreamLimits(base, options),
    maxReadBufferLength: options.maxReadBufferLength ?? unread,
    initialStreamWindowSize: initial,
    maxStreamWindowSize: maximum
  }

  atLeast('streamOptions.initialStreamWindowSize', initial, INITIAL_WINDOW, 'the protocol grants that much to every stream unasked')
  atMost('streamOptions.initialStreamWindowSize', initial, MAX_U32, 'windows have 32 bits on the wire')
  atLeast('streamOptions.maxStreamWindowSize', config.maxStreamWindowSize, initial, 'windows start at initialStreamWindowSize')
  atMost('streamOptions.maxStreamWindowSize', config.maxStreamWindowSize, MAX_U32, 'windows have 32 bits on the wire')
  atLeast('streamOptions.maxReadBufferLength', config.maxReadBufferLength, initial,
    'a peer may fill the initial window before anything is read, and a stream would be reset for what it was granted')

  return config
}
