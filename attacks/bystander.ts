/** Somebody polite on another connection of the victim: small echoes one after another, and how long each takes. */
import { defaultLogger } from '@libp2p/logger'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { victimOf } from './victims.ts'
import type { Connection, MultiaddrConnection, Stream, StreamCloseEvent, StreamMessageEvent, StreamMuxer, Upgrader } from '@libp2p/interface'

const GAP_MILLIS = 5

/** Echoes that go first, so that what the victim compiles and keeps for good is not taken for growth. */
const WARM_ECHOES = 300
const WARM_BYTES = 65_536

export class Bystander {
  /** Milliseconds of the longest echo since `restart()`. */
  longest = 0

  readonly #maConn: MultiaddrConnection
  readonly #muxer: StreamMuxer
  #stream: Stream | undefined
  #sentAt: number | undefined
  #timer: NodeJS.Timeout | undefined

  constructor (maConn: MultiaddrConnection, muxer: StreamMuxer) {
    this.#maConn = maConn
    this.#muxer = muxer
  }

  static async connect (port: number, victim: string): Promise<Bystander> {
    const components = { logger: defaultLogger() }
    const factory = (await victimOf(victim).load())(components)

    return new Promise((resolve, reject) => {
      const upgrade = async (maConn: MultiaddrConnection): Promise<Connection> => {
        resolve(new Bystander(maConn, factory.createStreamMuxer(maConn)))

        return maConn as unknown as Connection
      }

      tcp()(components).dial(multiaddr(`/ip4/127.0.0.1/tcp/${port}`), {
        signal: new AbortController().signal,
        upgrader: { upgradeInbound: upgrade, upgradeOutbound: upgrade } as unknown as Upgrader
      }).catch(reject)
    })
  }

  async warmUp (): Promise<void> {
    const stream = await this.#muxer.createStream()

    for (let i = 0; i < WARM_ECHOES; i++) {
      await this.#echoed(stream, new Uint8Array(i % 10 === 0 ? WARM_BYTES : 32))
    }

    await stream.close()
  }

  /** Echoes from now on, until `stop()`. */
  async start (): Promise<void> {
    this.#stream = await this.#muxer.createStream()
    this.#stream.addEventListener('message', () => {
      this.#settle()
      this.#timer = setTimeout(() => { this.#send() }, GAP_MILLIS)
    })
    this.#send()
  }

  /** The longest until now, counted anew. */
  restart (): number {
    this.#settle(true)

    const { longest } = this

    this.longest = 0

    return longest
  }

  stop (): void {
    clearTimeout(this.#timer)
    this.#muxer.abort(new Error('enough seen'))
    this.#maConn.abort(new Error('enough seen'))
  }

  #send (): void {
    this.#sentAt = performance.now()

    try {
      this.#stream?.send(new Uint8Array(32))
    } catch {
      // its connection is gone: the echo never comes, and that is what is told
    }
  }

  #settle (keep = false): void {
    if (this.#sentAt !== undefined) {
      this.longest = Math.max(this.longest, performance.now() - this.#sentAt)
      this.#sentAt = keep ? this.#sentAt : undefined
    }
  }

  async #echoed (stream: Stream, bytes: Uint8Array): Promise<void> {
    let left = bytes.byteLength

    await new Promise<void>((resolve, reject) => {
      const onMessage = ({ data }: StreamMessageEvent): void => {
        left -= data.byteLength

        if (left === 0) {
          stream.removeEventListener('message', onMessage)
          stream.removeEventListener('close', onClose)
          resolve()
        }
      }

      const onClose = (event: StreamCloseEvent): void => {
        reject(event.error ?? new Error('the victim closed the stream of the warm-up'))
      }

      stream.addEventListener('message', onMessage)
      stream.addEventListener('close', onClose)
      stream.send(bytes)
    })
  }
}
