/** The attacker's end: raw TCP, on which anything can be said, as fast as the victim takes it. */
import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Socket } from 'node:net'

/** Frames are small: so many bytes of them go out together. */
const CHUNK_BYTES = 65_536

export class Wire {
  /** Bytes that were handed to the socket, and that came from the victim. */
  sent = 0
  heard = 0
  closed = false

  readonly #socket: Socket

  constructor (socket: Socket, deaf: boolean) {
    this.#socket = socket
    socket.on('error', () => {})
    socket.once('close', () => {
      this.closed = true
    })

    if (deaf) {
      return
    }

    socket.on('data', chunk => {
      this.heard += chunk.byteLength
    })
  }

  static async connect (port: number, deaf = false): Promise<Wire> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })

    await once(socket, 'connect')

    return new Wire(socket, deaf)
  }

  /** Resolves when the victim has taken enough for more to be sent, or closed the connection. */
  async send (...parts: Uint8Array[]): Promise<void> {
    for (const bytes of parts) {
      if (this.closed) {
        return
      }

      this.sent += bytes.byteLength

      if (!this.#socket.write(bytes)) {
        await this.#drain()
      }
    }
  }

  /** The same bytes over and over. */
  async repeat (count: number, bytes: Uint8Array): Promise<void> {
    const many = Math.max(1, Math.floor(CHUNK_BYTES / bytes.byteLength))
    const chunk = Buffer.concat(Array.from({ length: Math.min(many, count) }, () => bytes))

    for (let left = count; left > 0 && !this.closed; left -= many) {
      await this.send(left >= many ? chunk : chunk.subarray(0, left * bytes.byteLength))
    }
  }

  /** Bytes of each `i` in turn, many of them together. */
  async each (count: number, make: (i: number) => Uint8Array | Uint8Array[]): Promise<void> {
    let parts: Uint8Array[] = []
    let length = 0

    for (let i = 0; i < count && !this.closed; i++) {
      for (const bytes of [make(i)].flat()) {
        parts.push(bytes)
        length += bytes.byteLength
      }

      if (length >= CHUNK_BYTES) {
        await this.send(Buffer.concat(parts))
        parts = []
        length = 0
      }
    }

    await this.send(Buffer.concat(parts))
  }

  /** An attacker that takes its time. */
  async pause (millis: number): Promise<void> {
    await delay(millis)
  }

  async #drain (): Promise<void> {
    await new Promise<void>(resolve => {
      const done = (): void => {
        this.#socket.removeListener('drain', done)
        this.#socket.removeListener('close', done)
        resolve()
      }

      this.#socket.once('drain', done)
      this.#socket.once('close', done)
    })
  }
}
