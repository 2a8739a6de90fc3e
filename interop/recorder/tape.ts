/** Every byte that went either way, in the pieces in which it came: as long as it is little. */

const MOST_BYTES = 16_384

export type Piece = ['>' | '<', string]

export class Tape {
  readonly pieces: Piece[] = []
  #bytes = 0

  /** Nothing is missing. */
  get complete (): boolean {
    return this.#bytes <= MOST_BYTES
  }

  add (direction: '>' | '<', buffers: Uint8Array[]): void {
    this.#bytes += buffers.reduce((sum, { byteLength }) => sum + byteLength, 0)

    if (this.complete) {
      this.pieces.push([direction, Buffer.concat(buffers).toString('hex')])
    }
  }
}
