/** The options of yamux: names, defaults and reasons; and which of them make no sense together. */
import { InvalidParametersError } from '../../interface/errors.ts'
import { INITIAL_WINDOW } from './frame.ts'
import type { Allocate } from '../../core/output.ts'
import type { StreamLimits } from '../../core/stream-record.ts'
import type { AbuseBudgets, MuxerOptions, StreamOptions } from '../../interface/options.ts'

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
   * Ping the peer now and then: it finds dead connections and measures the round trip that windows grow by.
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
export interface YamuxConfig {
  enableKeepAlive: boolean
  keepAliveInterval: number
  keepAliveTimeout: number
  maxInboundStreams: number
  maxOutboundStreams: number
  maxEarlyStreams: number
  acceptBacklog: number
  maxBatchLength: number
  connectionWindowBudget: number
  budgets: Required<AbuseBudgets>
  stream: YamuxStreamConfig

  /** Memory that need not be zeroed, where the platform has it. */
  allocate?: Allocate
}

export interface YamuxStreamConfig extends StreamLimits {
  initialStreamWindowSize: number
  maxStreamWindowSize: number
}

const MAX_U32 = 2 ** 32 - 1

/** Fills in the defaults. Throws `InvalidParametersError` for what makes no sense, saying why. */
export function resolveConfig (options: YamuxOptions = {}): YamuxConfig {
  const config: YamuxConfig = {
    enableKeepAlive: options.enableKeepAlive ?? true,
    keepAliveInterval: options.keepAliveInterval ?? 30_000,
    keepAliveTimeout: options.keepAliveTimeout ?? 10_000,
    maxInboundStreams: options.maxInboundStreams ?? 1_000,
    maxOutboundStreams: options.maxOutboundStreams ?? 1_000,
    maxEarlyStreams: options.maxEarlyStreams ?? Math.min(10, options.maxInboundStreams ?? 10),
    acceptBacklog: options.acceptBacklog ?? 256,
    maxBatchLength: options.maxBatchLength ?? 65_519,
    connectionWindowBudget: options.connectionWindowBudget ?? 67_108_864,
    budgets: resolveBudgets(options.budgets),
    stream: resolveStreamConfig({ ...DEFAULT_STREAM, maxMessageSize: options.maxMessageSize ?? DEFAULT_STREAM.maxMessageSize }, options.streamOptions)
  }

  positive('keepAliveInterval', config.keepAliveInterval)
  positive('keepAliveTimeout', config.keepAliveTimeout)

  for (const name of ['maxInboundStreams', 'maxOutboundStreams', 'maxEarlyStreams', 'acceptBacklog', 'connectionWindowBudget'] as const) {
    atLeast(name, config[name], 0, 'it is a number of things')
  }

  atMost('maxEarlyStreams', options.maxEarlyStreams ?? 0, config.maxInboundStreams, 'so many streams are never open at once')

  atLeast('maxMessageSize', config.stream.maxMessageSize, 1_024, 'headers would be a large part of what is sent')
  atLeast('maxBatchLength', config.maxBatchLength, 1_024, 'no data is sent that has no room behind its header')
  atMost('maxMessageSize', config.stream.maxMessageSize, 1_048_576, 'rust-yamux and jvm-libp2p end the connection over larger frames')

  return config
}

const DEFAULT_BUDGETS: Required<AbuseBudgets> = {
  pings: 10_000,
  resets: 10_000,
  refusals: 10_000,
  unknownStreams: 10_000,
  emptyFrames: 10_000
}

function resolveBudgets (options: AbuseBudgets = {}): Required<AbuseBudgets> {
  const budgets = { ...DEFAULT_BUDGETS }

  for (const name of Object.keys(budgets) as Array<keyof AbuseBudgets>) {
    budgets[name] = options[name] ?? budgets[name]
    atLeast(`budgets.${name}`, budgets[name], 1, 'with nothing allowed no peer could use the connection')
  }

  return budgets
}

const DEFAULT_STREAM: YamuxStreamConfig = {
  inactivityTimeout: 120_000,
  maxMessageSize: 65_536,
  maxReadBufferLength: 16_777_216,
  maxWriteBufferLength: Infinity,
  writeHighWaterMark: 262_144,
  writeStallTimeout: 30_000,
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

  const unsent = options.maxWriteBufferLength ?? base.maxWriteBufferLength

  const config: YamuxStreamConfig = {
    inactivityTimeout: neverIfZero(options.inactivityTimeout ?? base.inactivityTimeout),
    maxMessageSize: base.maxMessageSize,
    maxReadBufferLength: options.maxReadBufferLength ?? unread,
    maxWriteBufferLength: unsent,
    writeHighWaterMark: options.writeHighWaterMark ?? Math.min(base.writeHighWaterMark, Math.max(1, unsent)),
    writeStallTimeout: neverIfZero(options.writeStallTimeout ?? base.writeStallTimeout),
    initialStreamWindowSize: initial,
    maxStreamWindowSize: maximum
  }

  positive('streamOptions.inactivityTimeout', config.inactivityTimeout)
  positive('streamOptions.writeStallTimeout', config.writeStallTimeout)
  positive('streamOptions.writeHighWaterMark', config.writeHighWaterMark)
  atLeast('streamOptions.maxWriteBufferLength', config.maxWriteBufferLength, 0, 'it is a number of bytes')
  atMost('streamOptions.writeHighWaterMark', config.writeHighWaterMark, Math.max(1, config.maxWriteBufferLength), 'nobody would be told to wait before the stream is reset')
  atLeast('streamOptions.initialStreamWindowSize', initial, INITIAL_WINDOW, 'the protocol grants that much to every stream unasked')
  atMost('streamOptions.initialStreamWindowSize', initial, MAX_U32, 'windows have 32 bits on the wire')
  atLeast('streamOptions.maxStreamWindowSize', config.maxStreamWindowSize, initial, 'windows start at initialStreamWindowSize')
  atMost('streamOptions.maxStreamWindowSize', config.maxStreamWindowSize, MAX_U32, 'windows have 32 bits on the wire')
  atLeast('streamOptions.maxReadBufferLength', config.maxReadBufferLength, initial,
    'a peer may fill the initial window before anything is read, and a stream would be reset for what it was granted')

  return config
}

function neverIfZero (millis: number): number {
  return millis === 0 ? Infinity : millis
}

function positive (name: string, value: number): void {
  if (typeof value !== 'number' || !(value > 0)) {
    throw new InvalidParametersError(`${name} must be more than 0, was ${value}`)
  }
}

function atLeast (name: string, value: number, least: number, reason: string): void {
  if (!Number.isInteger(value) && value !== Infinity) {
    throw new InvalidParametersError(`${name} must be a whole number, was ${value}`)
  }

  if (!(value >= least)) {
    throw new InvalidParametersError(`${name} must be at least ${least}, was ${value}: ${reason}`)
  }
}

function atMost (name: string, value: number, most: number, reason: string): void {
  if (!(value <= most)) {
    throw new InvalidParametersError(`${name} must be at most ${most}, was ${value}: ${reason}`)
  }
}
