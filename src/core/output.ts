/**
 * What goes to the transport in one call. Headers and small payloads are packed into one contiguous run, because every
 * buffer of a list costs a transport one write and an encrypter one record; large payloads go by reference, because
 * fresh memory costs more than the second write.
 *
 * Runs are cut from slabs that are never used twice: a transport does not say when it has let go of the bytes.
 */

/** Memory that need not be zeroed: below the line there is no `Buffer` to ask for it. */
export type Allocate = (byteLength: number) => Uint8Array

/**
 * Payloads of this many bytes or more go by reference. Measured on loopback TCP: at 16 KiB and below packing wins by up
 * to 2.4 times, at 64 KiB the reference wins by 1.4. Under noise, which pays for every buffer, it is the same: packing
 * 64 KiB took a fifth more time of the sender, most of it to collect the garbage.
 */
export const REFERENCE_BYTES = 32_768

/**
 * The largest segment of TCP over loopback, by IPv6 (65,483 by IPv4). A write of 64 KiB is one of these and one of a few bytes,
 * and the latter costs the kernels at both ends as much: raw sockets carried 1.2 to 1.4 times as much in writes of 65,483 bytes.
 * Other networks make segments from whatever they are given.
 */
export const SEGMENT_BYTES = 65_464

/** What a payload has over whole segments goes with the header in front of it, which is a write anyway, if it is no more than this. */
const OVER_BYTES = 4_096

/** Room for two full batches: what a slow transport pins of a slab is little, and fresh ones are rare. */
const SLAB_BYTES = 262_144

export class Output {
  /** The bytes appended since the last `take()`. */
  byteLength = 0

  /** Where the room is that `reserve()` gave. */
  offset = 0

  readonly #allocate: Allocate
  #slab: Uint8Array = EMPTY
  #start = 0
  #end = 0
  #buffers: Uint8Array[] = []

  constructor (allocate: Allocate = length => new Uint8Array(length)) {
    this.#allocate = allocate
  }

  /** Room for `length` contiguous bytes, for the caller to fill at once. Returns the slab; the place is `offset`. */
  reserve (length: number): Uint8Array {
    if (this.#slab.byteLength - this.#end < length) {
      this.#renewSlab(length)
    }

    this.offset = this.#end
    this.#end += length
    this.byteLength += length

    return this.#slab
  }

  append (payload: Uint8Array): void {
    if (payload.byteLength < REFERENCE_BYTES) {
      this.#copy(payload)
      return
    }

    const over = this.#end > this.#start && payload.byteLength > SEGMENT_BYTES ? payload.byteLength % SEGMENT_BYTES : 0
    const start = over <= OVER_BYTES ? over : 0

    this.#copy(payload.subarray(0, start))
    this.#closeRun()
    this.#buffers.push(start > 0 ? payload.subarray(start) : payload)
    this.byteLength += payload.byteLength - start
  }

  #copy (payload: Uint8Array): void {
    this.reserve(payload.byteLength).set(payload, this.offset)
  }

  take (): Uint8Array[] {
    this.#closeRun()

    const buffers = this.#buffers

    this.#buffers = []
    this.byteLength = 0

    return buffers
  }

  /** The run under way moves to the new slab, so that it stays one. */
  #renewSlab (length: number): void {
    const run = this.#slab.subarray(this.#start, this.#end)

    this.#slab = this.#allocate(Math.max(SLAB_BYTES, run.byteLength + length))
    this.#slab.set(run)
    this.#start = 0
    this.#end = run.byteLength
  }

  #closeRun (): void {
    if (this.#end > this.#start) {
      this.#buffers.push(this.#slab.subarray(this.#start, this.#end))
      this.#start = this.#end
    }
  }
}

const EMPTY = new Uint8Array(0)
