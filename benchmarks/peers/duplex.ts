/** A channel over one of Node's own duplex streams: a TCP socket, or a stream of node:http2. */
import { ignore } from './types.ts'
import type { Channel, Chunk } from './types.ts'
import type { Duplex } from 'node:stream'

export class DuplexChannel implements Channel {
  readonly #stream: Duplex

  constructor (stream: Duplex) {
    this.#stream = stream
    stream.on('error', ignore)
  }

  send (bytes: Chunk): boolean {
    // what a duplex delivered, and so what is echoed, is never a list
    return this.#stream.write(bytes as Uint8Array)
  }

  end (): void {
    this.#stream.end()
  }

  pause (): void {
    this.#stream.pause()
  }

  resume (): void {
    this.#stream.resume()
  }

  onData (callback: (chunk: Chunk) => void): void {
    this.#stream.removeAllListeners('data')
    this.#stream.on('data', callback)
  }

  onDrain (callback: () => void): void {
    this.#stream.removeAllListeners('drain')
    this.#stream.on('drain', callback)
  }

  onEnd (callback: (err?: Error) => void): void {
    this.#stream.on('end', callback)
    this.#stream.on('error', callback)
  }
}
