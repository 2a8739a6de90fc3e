/** The open streams of one connection: by id in O(1), counted by direction, with the ids that are ours to give out. */
import type { StreamId, StreamRecord } from './stream-record.ts'

export type Role = 'client' | 'server'

/** Streams by their id, whoever chose it. */
export class Streams<Stream extends StreamRecord> {
  inbound = 0
  outbound = 0
  openedInbound = 0
  openedOutbound = 0

  readonly #streams = new Map<StreamId, Stream>()

  get (id: Stream['id']): Stream | undefined {
    return this.#streams.get(id)
  }

  values (): IterableIterator<Stream> {
    return this.#streams.values()
  }

  get size (): number {
    return this.#streams.size
  }

  add (stream: Stream): void {
    this.#streams.set(stream.id, stream)

    if (stream.inbound) {
      this.inbound++
      this.openedInbound++
    } else {
      this.outbound++
      this.openedOutbound++
    }
  }

  delete (stream: Stream): boolean {
    if (!this.#streams.delete(stream.id)) {
      return false
    }

    if (stream.inbound) {
      this.inbound--
    } else {
      this.outbound--
    }

    return true
  }
}

/** The same, where both sides take their ids from one space: odd for the client, even for the server. */
export class StreamTable<Stream extends StreamRecord> extends Streams<Stream> {
  readonly #localParity: number
  readonly #maxId: number
  #nextId: number

  constructor (role: Role, maxId: number) {
    super()
    this.#localParity = role === 'client' ? 1 : 0
    this.#nextId = role === 'client' ? 1 : 2
    this.#maxId = maxId
  }

  isLocal (id: number): boolean {
    return id % 2 === this.#localParity
  }

  /** The next id of ours, or `undefined` once they are used up: ids are never used twice. */
  nextId (): number | undefined {
    if (this.#nextId > this.#maxId) {
      return undefined
    }

    const id = this.#nextId

    this.#nextId += 2

    return id
  }
}
