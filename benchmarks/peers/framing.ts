/**
 * The least that a muxer does over a connection of libp2p: a header in front of each message, and an event for what came
 * behind one. There is one stream, and no window, budget, turn, state or end: what this takes, every muxer takes there.
 */
import { StreamMessageEvent } from '@libp2p/interface'
import { TypedEventEmitter } from 'main-event'
import { Uint8ArrayList } from 'uint8arraylist'
import { StreamChannel } from './libp2p-stream.ts'
import type { Chunk } from './types.ts'
import type { MessageStream, MessageStreamEvents } from '@libp2p/interface'

const HEADER_BYTES = 12
const LENGTH_AT = 8

/** Payloads of so many bytes are not copied behind their header, as with ours. */
const REFERENCE_BYTES = 32_768
const SLAB_BYTES = 262_144

export class FramingChannel extends StreamChannel {
  readonly #connection: MessageStream
  readonly #events = new TypedEventEmitter<MessageStreamEvents>()
  readonly #header = new Uint8Array(HEADER_BYTES)
  #slab = new Uint8Array(0)
  #slabEnd = 0
  #headerLength = 0
  #missing = 0

  constructor (connection: MessageStream) {
    super(connection)
    this.#connection = connection
    connection.addEventListener('message', event => {
      for (const piece of event.data instanceof Uint8Array ? [event.data] : event.data) {
        this.#receive(piece)
      }
    })
  }

  send (bytes: Chunk): boolean {
    const packed = bytes.byteLength < REFERENCE_BYTES
    const length = HEADER_BYTES + (packed ? bytes.byteLength : 0)

    if (this.#slab.byteLength - this.#slabEnd < length) {
      this.#slab = new Uint8Array(SLAB_BYTES)
      this.#slabEnd = 0
    }

    const start = this.#slabEnd

    writeLength(this.#slab, start + LENGTH_AT, bytes.byteLength)
    this.#slabEnd = start + length

    if (packed) {
      this.#slab.set(bytes.subarray(), start + HEADER_BYTES)

      return this.#connection.send(this.#slab.subarray(start, this.#slabEnd))
    }

    return this.#connection.send(new Uint8ArrayList(this.#slab.subarray(start, this.#slabEnd), bytes))
  }

  onData (callback: (chunk: Chunk) => void): void {
    this.#events.addEventListener('message', event => {
      callback(event.data)
    })
  }

  #receive (piece: Uint8Array): void {
    let start = 0

    while (start < piece.byteLength) {
      if (this.#missing === 0) {
        this.#header[this.#headerLength++] = piece[start++]

        if (this.#headerLength === HEADER_BYTES) {
          this.#headerLength = 0
          this.#missing = readLength(this.#header, LENGTH_AT)
        }
      } else {
        const end = Math.min(piece.byteLength, start + this.#missing)

        this.#missing -= end - start
        this.#events.dispatchEvent(new StreamMessageEvent(start === 0 && end === piece.byteLength ? piece : piece.subarray(start, end)))
        start = end
      }
    }
  }
}

function writeLength (bytes: Uint8Array, at: number, length: number): void {
  bytes[at] = length >>> 24
  bytes[at + 1] = length >>> 16
  bytes[at + 2] = length >>> 8
  bytes[at + 3] = length
}

function readLength (bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0
}
