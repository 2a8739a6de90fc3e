/**
 * `toDuplex()`: a libp2p stream as a Node `Duplex`, for code that takes sockets. It needs nothing of a stream but what
 * libp2p's interface promises: events, `pause()`, `resume()`, `send()`, so that it serves the streams of any muxer.
 */
import { Duplex, addAbortSignal, getDefaultHighWaterMark } from 'node:stream'
import { StreamAbortedError } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { ReceiveQueue } from '../core/receive-queue.ts'
import { withoutPin } from '../core/tail.ts'
import { ConnectionClosedError, StreamResetError, StreamStateError } from '../interface/errors.ts'
import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

export interface DuplexOptions {
  /** `false`: the end of the peer ends our half too, as it does for sockets unless told. @default true */
  allowHalfOpen?: boolean

  /**
   * Bytes that are read ahead of the reader, beside the window of the stream. They cost about as much memory, however small the
   * pieces were in which the peer sent them. @default 65_536 (Node's default)
   */
  readableHighWaterMark?: number

  /** Bytes that `write()` queues before it returns `false`, beside the queue of the stream. @default 65_536 (Node's default) */
  writableHighWaterMark?: number

  /** Destroys the duplex with an `AbortError`. */
  signal?: AbortSignal

  /** What `remoteAddress`, `remotePort` and `remoteFamily` say; a stream does not know. @default they are undefined */
  remoteAddress?: Multiaddr

  /** What `localAddress`, `localPort` and `localFamily` say. @default they are undefined */
  localAddress?: Multiaddr
}

/** What code that was written for sockets looks for. */
export interface SocketLike {
  readonly remoteAddress?: string
  readonly remotePort?: number
  readonly remoteFamily?: string
  readonly localAddress?: string
  readonly localPort?: number
  readonly localFamily?: string

  /** Milliseconds, as set by `setTimeout()`. */
  readonly timeout: number

  /** Streams are open when one has them. */
  readonly connecting: boolean

  /** `timeout` is emitted after so many milliseconds without a read or write. `0`: never. */
  setTimeout(millis: number, listener?: () => void): this

  /** Destroys it after what was written; what the peer still sends is refused. */
  destroySoon(): void

  /** Does nothing: a stream has no packets of its own. */
  setNoDelay(enable?: boolean): this

  /** Does nothing: that is for the connection to do. */
  setKeepAlive(enable?: boolean, millis?: number): this

  /** Does nothing: the connection keeps the process alive, or does not. */
  ref(): this

  /** Does nothing: the connection keeps the process alive, or does not. */
  unref(): this
}

interface Endpoint {
  address?: string
  port?: number
  family?: string
}

class StreamDuplex extends Duplex implements SocketLike {
  readonly connecting = false
  timeout = 0

  readonly #stream: Stream
  readonly #remote: Endpoint
  readonly #local: Endpoint
  readonly #highWaterMark: number

  // what was read ahead: Node would keep every byte that came alone as a buffer of its own, and all that it was cut from
  readonly #ahead = new ReceiveQueue()

  // Node wants more, or else it will say so; and the reader waits for so many bytes at once
  #asked = false
  #least = 0
  #listening = false
  #remoteEnded: boolean
  #closed = false
  #readEnded = false
  #onDrained: ((err?: Error) => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor (stream: Stream, options: DuplexOptions) {
    const highWaterMark = options.readableHighWaterMark ?? getDefaultHighWaterMark(false)

    super({
      allowHalfOpen: options.allowHalfOpen,
      // it asks for a piece once the last was read; of a mark that makes no sense it complains
      readableHighWaterMark: Math.min(highWaterMark, 0),
      writableHighWaterMark: options.writableHighWaterMark
    })
    this.#stream = stream
    this.#highWaterMark = highWaterMark
    this.#remote = toEndpoint(options.remoteAddress)
    this.#local = toEndpoint(options.localAddress)
    this.#remoteEnded = stream.remoteWriteStatus === 'closed'

    stream.addEventListener('drain', this.#onDrain)
    stream.addEventListener('remoteCloseWrite', this.#onRemoteCloseWrite)
    stream.addEventListener('end', this.#onEnd)
    stream.addEventListener('close', this.#onClose)

    if (options.signal !== undefined) {
      // not as an option of Duplex: one that has aborted destroys what is not there yet
      addAbortSignal(options.signal, this)
    }

    if (this.#isBroken()) {
      this.destroy(new StreamResetError(`The stream was ${stream.status} before`, { origin: stream.status === 'reset' ? 'remote' : 'local' }))
    }
  }

  // @ts-expect-error typed as a property, which it is not
  get readableHighWaterMark (): number {
    return this.#highWaterMark
  }

  // @ts-expect-error typed as a property, which it is not
  get readableLength (): number {
    return this.#given + this.#ahead.byteLength
  }

  get remoteAddress (): string | undefined {
    return this.#remote.address
  }

  get remotePort (): number | undefined {
    return this.#remote.port
  }

  get remoteFamily (): string | undefined {
    return this.#remote.family
  }

  get localAddress (): string | undefined {
    return this.#local.address
  }

  get localPort (): number | undefined {
    return this.#local.port
  }

  get localFamily (): string | undefined {
    return this.#local.family
  }

  setTimeout (millis: number, listener?: () => void): this {
    clearTimeout(this.#timer)
    this.timeout = millis

    if (millis > 0) {
      this.#timer = setTimeout(() => {
        this.emit('timeout')
      }, millis).unref()
    }

    if (listener !== undefined) {
      if (millis > 0) {
        this.once('timeout', listener)
      } else {
        this.removeListener('timeout', listener)
      }
    }

    return this
  }

  destroySoon (): void {
    if (this.writable) {
      this.end()
    }

    if (this.writableFinished) {
      this.destroy()
    } else {
      this.once('finish', () => { this.destroy() })
    }
  }

  setNoDelay (): this {
    return this
  }

  setKeepAlive (): this {
    return this
  }

  ref (): this {
    return this
  }

  unref (): this {
    return this
  }

  read (size?: number): any {
    if (size !== 0) {
      this.#least = size ?? 0
      this.#fill()
    }

    return super.read(size)
  }

  /** @internal */
  _read (): void {
    const stream = this.#stream

    this.#asked = true
    this.#fill()

    if (!this.#listening) {
      // not before: a stream without a listener keeps its bytes, and its sender, waiting
      this.#listening = true
      stream.addEventListener('message', this.#onMessage)
    }

    if (stream.readStatus === 'paused' && !this.#isFull) {
      stream.resume()
    }

    this.#endIfRead()
  }

  /** @internal */
  _write (chunk: Uint8Array, encoding: BufferEncoding, callback: (err?: Error | null) => void): void {
    this.#send(chunk, callback)
  }

  /** @internal */
  _writev (chunks: Array<{ chunk: Uint8Array }>, callback: (err?: Error | null) => void): void {
    this.#send(Uint8ArrayList.fromUint8Arrays(chunks.map(({ chunk }) => chunk)), callback)
  }

  /** @internal */
  _final (callback: (err?: Error | null) => void): void {
    this.#stream.close().then(() => { callback() }, callback)
  }

  /** @internal */
  _destroy (err: Error | null, callback: (err?: Error | null) => void): void {
    const stream = this.#stream

    clearTimeout(this.#timer)
    stream.removeEventListener('message', this.#onMessage)
    stream.removeEventListener('drain', this.#onDrain)
    stream.removeEventListener('remoteCloseWrite', this.#onRemoteCloseWrite)
    stream.removeEventListener('end', this.#onEnd)
    stream.removeEventListener('close', this.#onClose)
    this.#ahead.clear()

    if (err != null || this.writableLength > 0) {
      stream.abort(err ?? new StreamAbortedError(`The duplex was destroyed with ${this.writableLength} bytes unsent`))
    } else if (stream.status === 'open' || stream.status === 'closing') {
      // an abort could overtake what was written: a server that closes an idle connection must not take its answer back
      stream.close().catch(() => {})
      stream.closeRead().catch(() => {})
    }

    this.#drained(err ?? new StreamStateError('The duplex was destroyed while writing'))
    callback(err)
  }

  readonly #onMessage = ({ data }: StreamMessageEvent): void => {
    this.#timer?.refresh()

    // a list is of many small pieces, of which each would be an event by itself
    const bytes = data instanceof Uint8Array ? data : data.subarray()

    // an empty chunk would be taken for a reader's turn without any bytes
    if (bytes.byteLength > 0) {
      this.#ahead.push(bytes)
    }

    this.#fill()
    this.#ahead.settle()

    if (this.#isFull && this.#stream.readStatus === 'readable') {
      this.#stream.pause()
    }

    this.#endIfRead()
  }

  /** Bytes that Node has, and the reader has not. */
  get #given (): number {
    // @ts-expect-error typed as a property, which it is not
    return super.readableLength
  }

  /** So much was read ahead, and Node has what it asked for: it asks again when that was read. */
  get #isFull (): boolean {
    return !this.#asked && this.readableLength >= this.#highWaterMark
  }

  /** Gives Node what it asked for. While the reader waits for more than there is, it stays here, where it is joined. */
  #fill (): void {
    const ahead = this.#ahead

    while (this.#asked && ahead.byteLength > 0 && (this.#given === 0 || this.readableLength >= this.#least)) {
      this.#give()
    }
  }

  #give (): void {
    const piece = this.#ahead.shift() as Uint8Array

    // before, as the reader has it at once where it flows, and may ask for more amid this
    this.#asked = false

    if (this.push(this.readableFlowing === true ? piece : withoutPin(piece))) {
      this.#asked = true
    }
  }

  readonly #onDrain = (): void => {
    this.#drained()
  }

  readonly #onRemoteCloseWrite = (): void => {
    this.#remoteEnded = true
    this.#endIfRead()
  }

  readonly #onEnd = (): void => {
    this.#endIfRead()
  }

  readonly #onClose = ({ error }: StreamCloseEvent): void => {
    if (error != null) {
      this.destroy(error)
      return
    }

    this.#closed = true
    this.#endIfRead()
    this.#drained(new StreamStateError('The stream was closed while writing'))

    if (!this.writableEnded) {
      // our half was ended by somebody who holds the stream itself
      this.end()
    }
  }

  #send (data: Uint8Array | Uint8ArrayList, callback: (err?: Error | null) => void): void {
    this.#timer?.refresh()
    this.#onDrained = callback

    try {
      if (this.#stream.send(data)) {
        this.#drained()
      }
    } catch (err: any) {
      this.#drained(err)
    }
  }

  #drained (err?: Error): void {
    const callback = this.#onDrained

    if (callback !== undefined) {
      this.#timer?.refresh()
      this.#onDrained = undefined
      callback(err)
    }
  }

  #endIfRead (): void {
    const stream = this.#stream

    // a stream that broke closes its ends as well: its error is on its way
    if (!this.#listening || this.#readEnded || stream.readBufferLength > 0 || this.#isBroken()) {
      return
    }

    if (this.#remoteEnded || (stream.status !== 'closed' && stream.readStatus === 'closed')) {
      this.#readEnded = true

      while (this.#ahead.byteLength > 0) {
        this.#give()
      }

      this.push(null)
    } else if (this.#closed) {
      // some muxers do not tell a connection that was cut from one that ended
      this.destroy(new ConnectionClosedError('The stream was closed before the peer ended it', { origin: 'transport' }))
    }
  }

  #isBroken (): boolean {
    return this.#stream.status === 'aborted' || this.#stream.status === 'reset'
  }
}

function toEndpoint (address: Multiaddr | undefined): Endpoint {
  const endpoint: Endpoint = {}

  for (const { name, value } of address?.getComponents() ?? []) {
    if (name === 'ip4' || name === 'ip6') {
      endpoint.address = value
      endpoint.family = name === 'ip4' ? 'IPv4' : 'IPv6'
    } else if (name === 'tcp' || name === 'udp') {
      endpoint.port = Number(value)
    }
  }

  return endpoint
}

/**
 * A Node `Duplex` over a libp2p stream, ours or any other: `http.createServer().emit('connection', toDuplex(stream))`
 * serves HTTP, `pipeline(source, createGzip(), toDuplex(stream))` sends what it zips. The stream is the duplex's from
 * then on. It has the methods of a socket that such code looks for, see `SocketLike`.
 *
 * Backpressure: the stream is paused while nobody reads; a write is done when the stream has room for more. Bytes go by
 * reference, as with `send()`: do not write into a buffer that was written.
 *
 * Half-close: the end of the peer is `end`; `end()` closes our half after what was written.
 *
 * Errors: a reset, or a connection that was cut, is `error`, then `close`. `destroy(err)` aborts the stream. Without an
 * error it does as with a socket: our half ends, and what the peer still sends is refused, unless there are bytes that
 * were not sent; then the stream is aborted with `StreamAbortedError`.
 */
export function toDuplex (stream: Stream, options: DuplexOptions = {}): Duplex & SocketLike {
  return new StreamDuplex(stream, options)
}
