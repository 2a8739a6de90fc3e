/** A channel over a stream of libp2p, whichever muxer made it, or over a connection without a muxer. */
import type { Channel, Chunk } from './types.ts'
import type { MessageStream, Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'

export class StreamChannel implements Channel {
  readonly #stream: MessageStream
  #listener: ((event: StreamMessageEvent) => void) | undefined

  constructor (stream: MessageStream) {
    this.#stream = stream
  }

  send (bytes: Chunk): boolean {
    return this.#stream.send(bytes)
  }

  end (): void {
    // a stream that died in the meantime says so by its close event
    this.#stream.close().catch(() => {})
  }

  pause (): void {
    this.#stream.pause()
  }

  resume (): void {
    this.#stream.resume()
  }

  onData (callback: (chunk: Chunk) => void): void {
    const before = this.#listener

    this.#listener = event => {
      callback(event.data)
    }
    this.#stream.addEventListener('message', this.#listener)

    if (before !== undefined) {
      this.#stream.removeEventListener('message', before)
    }
  }

  onDrain (callback: () => void): void {
    this.#stream.addEventListener('drain', callback)
  }

  onEnd (callback: (err?: Error) => void): void {
    if ((this.#stream as Partial<Stream>).remoteWriteStatus === 'closed') {
      // it waited to be accepted when the remote ended it: what is unread is delivered first
      queueMicrotask(callback)
    }

    this.#stream.addEventListener('remoteCloseWrite', () => {
      callback()
    })
    this.#stream.addEventListener('close', (event: StreamCloseEvent) => {
      if (event.error != null) {
        callback(event.error)
      }
    })
  }
}
