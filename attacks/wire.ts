/** The attacker's end: raw TCP, on which anything can be said, as fast as the victim takes it. */
import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { FrameReader, GO_AWAY } from '../test/support/frames.ts'
import type { Language } from './types.ts'
import type { Socket } from 'node:net'

/** Frames are small: so many bytes of them go out together. */
const CHUNK_BYTES = 65_536

export class Wire {
  /** Bytes that were handed to the socket, and that came from the victim. */
  sent = 0
  heard = 0
  closed = false

  /** The victim's last word: its GoAway, or else how the connection ended. */
  told: string | undefined

  readonly #socket: Socket
  readonly #frames: FrameReader | undefined
  readonly #onTold: (what: string) => void

  constructor (socket: Socket, language: Language, onTold: (what: string) => void) {
    this.#socket = socket
    this.#frames = language === 'yamux' ? new FrameReader() : undefined
    this.#onTold = onTold
    socket.on('error', () => {
      this.#tell('RST')
    })
    socket.once('end', () => {
      this.#tell('FIN')
    })
    socket.once('close', () => {
      this.closed = true
    })
  }

  static async connect (port: number, language: Language, onTold: (what: string) => void): Promise<Wire> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })

    await once(socket, 'connect')

    return new Wire(socket, language, onTold)
  }

  /** Until then all that the victim sends stays in the socket. */
  listen (): void {
    if (this.#socket.listenerCount('data') > 0) {
      return
    }

    this.#socket.on('data', chunk => {
      this.heard += chunk.byteLength

      const goAway = this.#frames?.push(chunk).find(({ type }) => type === GO_AWAY)

      if (goAway !== undefined) {
        this.#tell(`GoAway ${goAway.length}`)
      }
    })
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

  /** What comes behind the first is the same end, once more. */
  #tell (what: string): void {
    if (this.told === undefined) {
      this.told = what
      this.#onTold(what)
    }
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
