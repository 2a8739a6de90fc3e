/**
 * What a case sees of whoever is measured: sessions that open channels. An adapter adds as little as it can, since
 * what it costs is counted as the peer's.
 */
import type { Uint8ArrayList } from 'uint8arraylist'

export type Chunk = Uint8Array | Uint8ArrayList

/** Listeners are attached when they are first set, so that an idle channel pays for those only that it has. */
export interface Channel {
  /** `false`: wait for `onDrain`. */
  send(bytes: Chunk): boolean

  /** Ends our half. */
  end(): void
  pause(): void
  resume(): void
  onData(callback: (chunk: Chunk) => void): void
  onDrain(callback: () => void): void

  /** The remote ended its half, or the channel died: then with the reason. */
  onEnd(callback: (err?: Error) => void): void
}

export interface Session {
  open(): Promise<Channel>
  onChannel(callback: (channel: Channel) => void): void

  /** At once, whatever is under way. */
  close(): void
}

export interface Address {
  port: number
  peerId?: string
}

export interface PeerServer {
  address: Address
  accept(): Promise<Session>
}

export interface Peer {
  listen(): Promise<PeerServer>
  connect(address: Address): Promise<Session>
}

/** Things that arrive, and those who wait for them. */
export class Arrivals<T> {
  readonly #items: T[] = []
  readonly #waiters: Array<(item: T) => void> = []

  add (item: T): void {
    const waiter = this.#waiters.shift()

    if (waiter === undefined) {
      this.#items.push(item)
    } else {
      waiter(item)
    }
  }

  async next (): Promise<T> {
    const item = this.#items.shift()

    return item ?? new Promise(resolve => {
      this.#waiters.push(resolve)
    })
  }
}

/** Hands over what arrives, or keeps it until somebody takes it. */
export class Inbox<T> {
  #items: T[] = []
  #callback: ((item: T) => void) | undefined

  add (item: T): void {
    if (this.#callback === undefined) {
      this.#items.push(item)
    } else {
      this.#callback(item)
    }
  }

  take (callback: (item: T) => void): void {
    this.#callback = callback

    for (const item of this.#items.splice(0)) {
      callback(item)
    }
  }
}

export function ignore (): void {}
