/** What options of every language must be, and the defaults that they share. */
import { InvalidParametersError } from '../interface/errors.ts'
import { resolveBudgets } from './budgets.ts'
import { SEGMENT_BYTES } from './output.ts'
import type { ConnectionLimits } from './connection-state.ts'
import type { StreamLimits } from './stream-record.ts'
import type { MuxerOptions, StreamOptions } from '../interface/options.ts'

/** What noise adds to a message: its length and a tag. */
const NOISE_BYTES = 18

/** Fills in what all languages share, around what is known of streams and budgets. Throws `InvalidParametersError`. */
export function resolveLimits<Stream extends StreamLimits> (options: MuxerOptions, stream: Stream, budgets = resolveBudgets(options.budgets)): ConnectionLimits & { stream: Stream } {
  const limits = {
    maxInboundStreams: options.maxInboundStreams ?? 1_000,
    maxOutboundStreams: options.maxOutboundStreams ?? 1_000,
    // as many as may be open: libp2p's own muxers end the connection over the eleventh, and with it what an honest peer opens as
    // soon as it is connected, as a node of js-libp2p takes its time to put the connection together
    maxEarlyStreams: options.maxEarlyStreams ?? options.maxInboundStreams ?? 1_000,
    acceptBacklog: options.acceptBacklog ?? 256,
    maxBatchLength: options.maxBatchLength ?? SEGMENT_BYTES - NOISE_BYTES,
    connectionWriteHighWaterMark: options.connectionWriteHighWaterMark ?? 3_145_728,
    budgets,
    stream
  }

  for (const name of ['maxInboundStreams', 'maxOutboundStreams', 'maxEarlyStreams', 'acceptBacklog'] as const) {
    atLeast(name, limits[name], 0, 'it is a number of things')
  }

  atMost('maxEarlyStreams', options.maxEarlyStreams ?? 0, limits.maxInboundStreams, 'so many streams are never open at once')
  positive('connectionWriteHighWaterMark', limits.connectionWriteHighWaterMark)
  atLeast('maxMessageSize', stream.maxMessageSize, 1_024, 'headers would be a large part of what is sent')
  atLeast('maxBatchLength', limits.maxBatchLength, 1_024, 'no data is sent that has no room behind its header')

  return limits
}

export const DEFAULT_STREAM_LIMITS: StreamLimits = {
  inactivityTimeout: 120_000,
  maxMessageSize: 65_536,
  maxReadBufferLength: Infinity,
  maxWriteBufferLength: Infinity,
  writeHighWaterMark: 262_144,
  writeStallTimeout: 30_000
}

/** The options of one stream on top of those of its connection. Throws `InvalidParametersError`. */
export function resolveStreamLimits (base: StreamLimits, options: StreamOptions): StreamLimits {
  const unsent = options.maxWriteBufferLength ?? base.maxWriteBufferLength

  const limits: StreamLimits = {
    inactivityTimeout: neverIfZero(options.inactivityTimeout ?? base.inactivityTimeout),
    maxMessageSize: base.maxMessageSize,
    maxReadBufferLength: options.maxReadBufferLength ?? base.maxReadBufferLength,
    maxWriteBufferLength: unsent,
    writeHighWaterMark: options.writeHighWaterMark ?? Math.min(base.writeHighWaterMark, Math.max(1, unsent)),
    writeStallTimeout: neverIfZero(options.writeStallTimeout ?? base.writeStallTimeout)
  }

  const { inactivityTimeout, writeStallTimeout, writeHighWaterMark, maxWriteBufferLength } = limits

  checkLimits({ inactivityTimeout, writeStallTimeout, writeHighWaterMark, maxWriteBufferLength }, 'streamOptions.')
  atMost('streamOptions.writeHighWaterMark', limits.writeHighWaterMark, Math.max(1, limits.maxWriteBufferLength), 'nobody would be told to wait before the stream is reset')

  return limits
}

const CHECKS: Record<keyof StreamLimits, (name: string, value: number) => void> = {
  inactivityTimeout: positive,
  writeStallTimeout: positive,
  writeHighWaterMark: positive,
  // less than the option, as libp2p's compliance tests set less on a stream that is to be slow
  maxMessageSize: (name, value) => { atLeast(name, value, 1, 'nothing could be sent') },
  maxReadBufferLength: (name, value) => { atLeast(name, value, 1, 'nothing could be received') },
  maxWriteBufferLength: (name, value) => { atLeast(name, value, 0, 'it is a number of bytes') }
}

/** What a limit must be by itself, given as an option or set on a stream later. Throws `InvalidParametersError`. */
export function checkLimits (limits: Partial<StreamLimits>, prefix = ''): void {
  for (const [name, value] of Object.entries(limits)) {
    CHECKS[name as keyof StreamLimits](prefix + name, value)
  }
}

export function neverIfZero (millis: number): number {
  return millis === 0 ? Infinity : millis
}

export function positive (name: string, value: number): void {
  if (typeof value !== 'number' || !(value > 0)) {
    throw new InvalidParametersError(`${name} must be more than 0, was ${value}`)
  }
}

export function atLeast (name: string, value: number, least: number, reason: string): void {
  if (!Number.isInteger(value) && value !== Infinity) {
    throw new InvalidParametersError(`${name} must be a whole number, was ${value}`)
  }

  if (!(value >= least)) {
    throw new InvalidParametersError(`${name} must be at least ${least}, was ${value}: ${reason}`)
  }
}

export function atMost (name: string, value: number, most: number, reason: string): void {
  if (!(value <= most)) {
    throw new InvalidParametersError(`${name} must be at most ${most}, was ${value}: ${reason}`)
  }
}
