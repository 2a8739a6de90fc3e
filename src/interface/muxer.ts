/**
 * The promises of this package: one way to hold a multiplexed connection, whatever the language on the wire, inside
 * libp2p's node or without it. Types and tiny guards only: what is written against them runs on any muxer.
 *
 * `SecuredConnection` → `Muxer.multiplex()` → `MuxedConnection` → `newStream()` / `acceptStream()` → `MuxedStream`.
 */
import type { ConnectionStatistics, StreamStatistics } from './statistics.ts'
import type { AbortOptions, MessageStream, MultiaddrConnection, PeerId, Stream, StreamOptions, StreamMuxer } from '@libp2p/interface'

/** Whatever carries bytes both ways, in order and without loss, with backpressure. */
export type SecuredConnection = MessageStream

/** What may be written: the bytes are queued by reference. */
export type Bytes = Parameters<MessageStream['send']>[0]

export type Multiaddr = MultiaddrConnection['remoteAddr']

/** How soon a stream's bytes should go: RFC 9218 §4.1, 0 is the most urgent, 7 the least. */
export type Urgency = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7

export interface Priority {
  /** @default 3 */
  readonly urgency: Urgency

  /**
   * The peer can use a part of what is sent, so that streams of the same urgency take turns. Otherwise the one that
   * began first is finished first (RFC 9218 §4.2, where the default is `false`; ours is what multiplexers always did).
   *
   * @default true
   */
  readonly incremental: boolean
}

export interface MultiplexOptions extends AbortOptions {
  /**
   * We opened the connection, the peer accepted it: decides who uses which stream ids, so the two ends must differ.
   *
   * @default the direction of the connection
   */
  initiator?: boolean

  /** Who we are, and whom we talk to, if whoever secured the connection knows. */
  localPeer?: PeerId
  remotePeer?: PeerId
  localAddress?: Multiaddr
  remoteAddress?: Multiaddr
}

/** Makes a multiplexed connection of a secured one. */
export interface Muxer {
  /** As both ends name it when they agree on it: `/yamux/1.0.0`. */
  readonly protocol: string

  /** @throws {InvalidParametersError} for options that make no sense together */
  multiplex (secured: SecuredConnection, options?: MultiplexOptions): Promise<MuxedConnection>
}

/** What one wait may take, in milliseconds; the stream stays, and what was waited for may be tried again. */
export interface StreamTimeouts {
  /** A read that waits for longer, also for its turn, rejects with `TimeoutError`, and nothing is lost. 0 is no limit. @default Infinity */
  readTimeout: number

  /** A write that waits for longer rejects with `TimeoutError`, and nothing of it was queued. 0 is no limit. @default Infinity */
  writeTimeout: number
}

export interface NewStreamOptions extends AbortOptions, StreamOptions, Partial<StreamTimeouts> {
  priority?: Partial<Priority>
}

export interface CloseOptions extends AbortOptions {
  /** What the peer is told. @default 0, no error */
  code?: number
}

/** One connection that carries many streams. */
export interface MuxedConnection extends AsyncDisposable {
  readonly protocol: string
  readonly status: StreamMuxer['status']
  readonly localPeer?: PeerId
  readonly remotePeer?: PeerId
  readonly localAddress?: Multiaddr
  readonly remoteAddress?: Multiaddr
  readonly streams: MuxedStream[]

  /** The smoothed round trip in milliseconds; absent until one was measured, and where none can be. */
  readonly rtt?: number

  /**
   * Opens a stream; waits while the peer has too many of ours to acknowledge.
   *
   * @throws {MuxerClosedError} when the connection is closing or closed, or the peer has said GoAway
   * @throws {TooManyOutboundProtocolStreamsError} at the limit of open streams
   */
  newStream (options?: NewStreamOptions): Promise<MuxedStream>

  /**
   * The next stream that the peer has opened. As many as the backlog holds wait to be accepted, further ones are reset. What the
   * peer had ended before it left is still to be had if there is anything to read; it is over by then, as its status says.
   *
   * @throws {MuxerClosedError} when the connection was closed, or the peer has left after a GoAway with code 0
   * @throws what else ended the connection
   */
  acceptStream (options?: AbortOptions): Promise<MuxedStream>

  /**
   * All streams that the peer opens, until the connection is closed, or the peer has left after a GoAway with code 0.
   *
   * @throws what else ended the connection
   */
  readonly inboundStreams: AsyncIterable<MuxedStream>

  /**
   * Measures a round trip that begins after the call, in milliseconds. While many are under way, 16 on connections of our own,
   * it waits for one of them to end, and shares the next with all who wait.
   *
   * @throws {UnsupportedOperationError} where the protocol has no ping
   */
  ping (options?: AbortOptions): Promise<number>

  /**
   * Opens and accepts no more streams, resets those that nobody has accepted yet, lets those that are open finish, then
   * closes. Where the protocol carries no codes, the peer gets none; the code stands also when `close()` follows.
   *
   * @throws {InvalidParametersError} for a code that is not an unsigned integer of 32 bits
   * @throws what ended the connection before its streams did
   */
  goAway (code?: number, options?: AbortOptions): Promise<void>

  /**
   * Ends our half of every stream, after what was written; tells the peer; then closes the connection underneath.
   *
   * @throws {InvalidParametersError} for a code that is not an unsigned integer of 32 bits
   * @throws what ended the connection before all was delivered; or the signal's reason, the end still on its way
   */
  close (options?: CloseOptions): Promise<void>

  /** Ends everything at once. */
  abort (err: Error): void
  stats (): ConnectionStatistics
}

export interface ReadOptions extends AbortOptions {
  /** Exactly so many bytes. */
  bytes?: number
}

export interface ReadLengthPrefixedOptions extends AbortOptions {
  /** The longest message accepted, in bytes. @default 65_536 */
  maxSize?: number

  /** Whether a message may have no bytes. @default true */
  allowEmpty?: boolean
}

/** One stream: libp2p's `Stream`, and what else one expects of a stream. */
export interface MuxedStream extends Stream, StreamTimeouts, AsyncDisposable {
  /** How soon its bytes go; may be changed at any time. Where the muxer has no priorities it is kept and has no effect. */
  priority: Priority

  /** Bytes that the peer still lets us send, and the window that we keep open; absent where there are no windows. */
  readonly sendWindow?: number
  readonly receiveWindow?: number

  /** For `it-pipe`: `pipe(stream, transform, stream)`. */
  readonly source: AsyncGenerator<Uint8Array>
  sink (source: AsyncIterable<Bytes> | Iterable<Bytes>): Promise<void>

  /** As Web Streams; each may be asked for once. */
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>

  /**
   * The next bytes, `null` at the end; with `bytes`, exactly so many.
   *
   * @throws {UnexpectedEOFError} when the stream ends before it has brought `bytes`
   * @throws {StreamResetError} when it was reset
   */
  read (options: ReadOptions & { bytes: number }): Promise<Uint8Array>
  read (options?: ReadOptions): Promise<Uint8Array | null>

  /**
   * Waits while `writableNeedsDrain`, then queues the bytes, and resolves as soon as the stream takes more: at once while
   * less than the high-water mark is queued, else when the queue has drained. A write that rejects for its signal or
   * its time limit has queued nothing; once the bytes are queued either of them ends the wait, and the write resolves.
   *
   * @throws {StreamStateError} after our end
   * @throws what ended the stream, when it was not our end: `StreamResetError`, `ConnectionClosedError`, …
   */
  write (data: Bytes, options?: AbortOptions): Promise<void>

  /** Ends our half as `close()` does, and unlike it rejects with what broke the stream before that. */
  closeWrite (options?: AbortOptions): Promise<void>

  /** Ends both halves at once; the peer gets the code, where the protocol carries one. @default 0 */
  reset (code?: number): void

  /**
   * One message, preceded on the wire by its length as an unsigned varint; `null` at the end of the stream.
   *
   * @throws {InvalidDataLengthError} judged by the prefix, before a byte of the message is kept
   * @throws {InvalidDataLengthLengthError} for a length of more than 53 bits, or not written in its shortest form
   * @throws {InvalidMessageLengthError} with `allowEmpty: false`
   * @throws {UnexpectedEOFError} when the stream ends within a message
   */
  readLengthPrefixed (options?: ReadLengthPrefixedOptions): Promise<Uint8Array | null>
  writeLengthPrefixed (data: Bytes, options?: AbortOptions): Promise<void>

  /** All messages, until the end of the stream. */
  lengthPrefixed (options?: ReadLengthPrefixedOptions): AsyncGenerator<Uint8Array>
  stats (): StreamStatistics
}

/** Whether a stream has the surface of a `MuxedStream`, or is a plain libp2p one. */
export function isMuxedStream (stream: Stream): stream is MuxedStream {
  return typeof (stream as Partial<MuxedStream>).readLengthPrefixed === 'function'
}
