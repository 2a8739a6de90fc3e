/**
 * What small messages that go together take whoever makes them: each is copied behind the one before, and what has come
 * together goes at the end of the turn, or as one segment. There is no header, stream, queue, window or event for a message, and
 * one copy, where ours has two. As ours it has scavenges come in time, in memory that nobody has zeroed.
 */
import { StreamChannel } from './libp2p-stream.ts'
import type { Chunk } from './types.ts'
import type { scavenges } from '../../src/connection/scavenges.ts'
import type { MessageStream } from '@libp2p/interface'

/** Of ours: no more than a message of noise or a segment of loopback TCP. */
const BATCH_BYTES = 65_446
const SLAB_BYTES = 4 * BATCH_BYTES

export class CopyingChannel extends StreamChannel {
  readonly #connection: MessageStream
  readonly #scavenges: typeof scavenges
  #slab: Uint8Array = new Uint8Array(0)
  #start = 0
  #end = 0
  #writable = true

  constructor (connection: MessageStream, pacer: typeof scavenges) {
    super(connection)
    this.#connection = connection
    this.#scavenges = pacer
    connection.addEventListener('drain', () => {
      this.#writable = true
    })
    connection.addEventListener('message', ({ data }) => {
      pacer.moved(data.byteLength)
    })
  }

  /** Only messages that are smaller than a batch. */
  send (bytes: Chunk): boolean {
    if (this.#end - this.#start + bytes.byteLength > BATCH_BYTES) {
      this.#flush()
    }

    if (this.#end === this.#start) {
      queueMicrotask(this.#flush)

      if (this.#slab.byteLength - this.#end < BATCH_BYTES) {
        this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
        this.#start = 0
        this.#end = 0
      }
    }

    this.#slab.set(bytes as Uint8Array, this.#end)
    this.#end += bytes.byteLength

    return this.#writable
  }

  readonly #flush = (): void => {
    if (this.#end > this.#start) {
      this.#scavenges.moved(this.#end - this.#start)
      this.#writable = this.#connection.send(this.#slab.subarray(this.#start, this.#end))
      this.#start = this.#end
    }
  }
}
