/** What the adapters take and give. */
import type { Logger, MessageStream, MessageStreamDirection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

/** A `MessageStream` that knows the addresses of its ends, where they have any. */
export interface AdaptedStream extends MessageStream {
  readonly remoteAddr?: Multiaddr
  readonly localAddr?: Multiaddr
}

export interface AdapterOptions {
  /** Who opened the connection: muxers take their role from it. @default 'outbound' */
  direction?: MessageStreamDirection

  /** @default a logger named `libp2p-muxers:transport` */
  log?: Logger

  /** Of the peer. @default what the socket says, if there is one */
  remoteAddress?: Multiaddr

  /** Ours. @default what the socket says, if there is one */
  localAddress?: Multiaddr

  /** Aborts the stream, now or later, with the signal's reason. */
  signal?: AbortSignal

  /** `false`: when the peer ends its half we end ours, after all that was sent. @default true, or what the duplex says */
  allowHalfOpen?: boolean

  /**
   * Bytes that wait here for a reader that comes late. Only three things put any here: the chunk that arrived when the
   * last reader left, bytes that were pushed back, and what arrives after `close()` when nobody listens. With more than
   * that the stream is aborted with `StreamBufferError`.
   *
   * @default 4_194_304 (libp2p's default)
   */
  maxReadBufferLength?: number

  /**
   * Bytes that `send()` may queue, after it returned `false`, before the stream is aborted with `StreamBufferError`.
   *
   * @default Infinity (libp2p's default)
   */
  maxWriteBufferLength?: number

  /**
   * The stream is aborted with `TimeoutError` when nothing was sent or received for this many milliseconds. `Infinity`
   * or `0`: never.
   *
   * @default Infinity (quiet is no fault of a connection; a muxer's keep-alive finds out whether it is broken)
   */
  inactivityTimeout?: number

  /**
   * After `close()`, while nobody listens: the stream is aborted with `TimeoutError` when the peer was silent for this
   * many milliseconds and did not end its half. `Infinity` or `0`: never.
   *
   * @default 30_000 (a peer that keeps its half open keeps our socket)
   */
  closeTimeout?: number
}
