/**
 * @packageDocumentation
 *
 * Web Streams as libp2p's: `toMessageStream()` puts a muxer on a pair of a `ReadableStream` and a `WritableStream`, as
 * WebTransport, WebSocketStream, workers and `TransformStream` have them.
 *
 * @example
 *
 * ```typescript
 * import { toMessageStream } from 'libp2p-muxers/web'
 * import { yamux } from 'libp2p-muxers/yamux'
 *
 * const { readable, writable } = await transport.createBidirectionalStream()
 * const muxer = yamux()().createStreamMuxer(toMessageStream({ readable, writable }, { direction: 'outbound' }))
 * ```
 */
import { defaultLogger } from '@libp2p/logger'
import { InvalidParametersError } from '../interface/errors.ts'
import { TransportStream, toError } from './transport-stream.ts'
import type { AdaptedStream, AdapterOptions } from './options.ts'
import type { Uint8ArrayList } from 'uint8arraylist'

export type { AdaptedStream, AdapterOptions }

/** Two Web Streams that are the two ways of one connection. */
export interface WebStreamPair {
  readable: ReadableStream<Uint8Array | ArrayBuffer>
  writable: WritableStream<Uint8Array>
}

class WebMessageStream extends TransportStream {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array | ArrayBuffer>
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>
  #reading = false
  #pulling = false

  constructor ({ readable, writable }: WebStreamPair, options: AdapterOptions) {
    super(options, options.log ?? defaultLogger().forComponent('libp2p-muxers:transport'))
    this.#reader = readable.getReader()
    this.#writer = writable.getWriter()

    // these tell also while nobody reads or writes
    this.#reader.closed.catch(err => { this.#onError(err) })
    this.#writer.closed.then(() => { this.#onWriterClosed() }, err => { this.#onError(err) })

    this.start(options.allowHalfOpen ?? true)
  }

  protected write (data: Uint8ArrayList): boolean {
    // one chunk in memory of its own: a sink may transfer, or post to a worker, all the memory that a chunk is a part of
    const chunk = new Uint8Array(data.byteLength)
    let at = 0

    for (const bytes of data) {
      chunk.set(bytes, at)
      at += bytes.byteLength
    }

    // its failure is the writer's
    this.#writer.write(chunk).catch(() => {})

    if ((this.#writer.desiredSize ?? 0) > 0) {
      return true
    }

    this.#writer.ready.then(() => { this.drained() }, () => {})

    return false
  }

  protected endWriting (done: (err?: Error | null) => void): void {
    this.#writer.close().then(() => { done() }, err => { done(toError(err)) })
  }

  protected startReading (): void {
    this.#reading = true

    if (!this.#pulling) {
      void this.#pull()
    }
  }

  protected stopReading (): void {
    this.#reading = false
  }

  protected destroy (err: Error): void {
    this.#writer.abort(err).catch(() => {})
    this.#reader.cancel(err).catch(() => {})
  }

  protected release (): void {}

  async #pull (): Promise<void> {
    this.#pulling = true

    try {
      while (this.#reading) {
        const { done, value } = await this.#reader.read()

        if (done) {
          this.receivedEnd()
          return
        }

        this.received(toBytes(value))
      }
    } catch (err) {
      this.#onError(err)
    } finally {
      this.#pulling = false
    }
  }

  /** One half of a connection that broke leaves nothing for the other. */
  #onError (reason: unknown): void {
    const err = toError(reason)

    this.failed(err)
    this.destroy(err)
  }

  #onWriterClosed (): void {
    if (this.writeStatus === 'writable') {
      this.#onError(new InvalidParametersError('The writable was closed by somebody else'))
    }
  }
}

function toBytes (chunk: Uint8Array | ArrayBuffer): Uint8Array {
  if (chunk instanceof Uint8Array) {
    return chunk
  }

  if (chunk instanceof ArrayBuffer) {
    return new Uint8Array(chunk)
  }

  throw new InvalidParametersError(`The readable must give bytes, it gave a ${typeof chunk}`)
}

/**
 * A libp2p `MessageStream` over a pair of Web Streams, both locked by it from then on.
 *
 * Backpressure: `send()` returns `false` when the writable's `desiredSize` is spent, `drain` follows its `ready`; the
 * readable is pulled only while somebody reads.
 *
 * Half-close: the readable's end is `remoteCloseWrite`; `close()` closes the writable after what was sent.
 *
 * Errors: an error of either stream is the error of the `close` event, and breaks the other. `abort()` aborts the
 * writable and cancels the readable with its error.
 *
 * Each `send()` is one chunk, copied: sinks may transfer what they are given. A chunk of the readable that is neither a
 * `Uint8Array` nor an `ArrayBuffer` breaks the stream with `InvalidParametersError`.
 *
 * @throws {TypeError} when one of the streams is locked already
 */
export function toMessageStream (pair: WebStreamPair, options: AdapterOptions = {}): AdaptedStream {
  return new WebMessageStream(pair, options)
}
