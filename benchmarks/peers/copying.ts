/**
 * The least that is done with small messages that go together, over a connection of libp2p: each is copied behind the one
 * before, and what has come together goes at the end of the turn, or as one segment. There is no header, stream, window or
 * event for a message, so that nobody could tell them apart at the other end: any muxer takes more.
 */
import { StreamChannel } from './libp2p-stream.ts'
import type { Chunk } from './types.ts'
import type { MessageStream } from '@libp2p/interface'

/** Of ours, and no more than a message of noise or a segment of loopback TCP. */
const BATCH_BYTES = 65_446

export class CopyingChannel extends StreamChannel {
  readonly #connection: MessageStream
  #batch = new Uint8Array(BATCH_BYTES)
  #length = 0
  #writable = true

  constructor (connection: MessageStream) {
    super(connection)
    this.#connection = connection
    connection.addEventListener('drain', () => {
      this.#writable = true
    })
  }

  /** Only messages that are smaller than a batch. */
  send (bytes: Chunk): boolean {
    if (this.#length + bytes.byteLength > BATCH_BYTES) {
      this.#flush()
    } else if (this.#length === 0) {
      queueMicrotask(this.#flush)
    }

    this.#batch.set(bytes as Uint8Array, this.#length)
    this.#length += bytes.byteLength

    return this.#writable
  }

  readonly #flush = (): void => {
    if (this.#length > 0) {
      this.#writable = this.#connection.send(this.#batch.subarray(0, this.#length))
      this.#batch = new Uint8Array(BATCH_BYTES)
      this.#length = 0
    }
  }
}
