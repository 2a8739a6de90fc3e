/** Streams that the peer opened and nobody has taken yet, in order. Those that were reset meanwhile are not kept. */
import type { MuxedStream } from './stream.ts'

export class Backlog {
  #streams: MuxedStream[] = []

  /** How many wait, once this one does. */
  add (stream: MuxedStream): number {
    this.#streams.push(stream)
    this.#streams = this.#streams.filter(isWanted)

    return this.#streams.length
  }

  next (): MuxedStream | undefined {
    this.#streams = this.#streams.filter(isWanted)

    return this.#streams.shift()
  }

  clear (): void {
    this.#streams = []
  }
}

function isWanted (stream: MuxedStream): boolean {
  return stream.status === 'open'
}
