/** What lies between two nodes: passes everything on, until it cuts the connection after so many bytes. */
import { once } from 'node:events'
import net from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

/** `rst`: both ends hear at once. `fin`: both hear an end. `blackhole`: neither hears anything more. */
export type Cut = 'rst' | 'fin' | 'blackhole'

export class Proxy {
  readonly port: number

  /** When it cut, in milliseconds of `performance.now()`. */
  cutAt: number | undefined

  readonly #server: Server
  readonly #sockets: Socket[] = []
  readonly #cut: Cut
  #left: number

  private constructor (server: Server, port: number, target: number, cut: Cut, after: number) {
    this.#server = server
    this.port = port
    this.#cut = cut
    this.#left = after
    server.on('connection', near => {
      this.#join(near, net.connect({ port: target, host: '127.0.0.1', noDelay: true, allowHalfOpen: true }))
    })
  }

  static async listen (target: number, cut: Cut, after: number): Promise<Proxy> {
    const server = net.createServer({ noDelay: true, allowHalfOpen: true })

    server.listen(0, '127.0.0.1')
    await once(server, 'listening')

    return new Proxy(server, (server.address() as AddressInfo).port, target, cut, after)
  }

  async close (): Promise<void> {
    const closed = this.#sockets.map(async socket => {
      if (!socket.closed) {
        socket.destroy()
        await once(socket, 'close')
      }
    })

    await Promise.all(closed)
    await new Promise(resolve => {
      this.#server.close(resolve)
    })
  }

  #join (near: Socket, far: Socket): void {
    for (const [from, to] of [[near, far], [far, near]]) {
      this.#sockets.push(from)
      from.on('error', () => {})
      from.on('data', chunk => {
        this.#pass(chunk, from, to)
      })
      from.on('end', () => {
        if (this.cutAt === undefined) {
          to.end()
        }
      })
      to.on('drain', () => {
        from.resume()
      })
    }
  }

  #pass (chunk: Uint8Array, from: Socket, to: Socket): void {
    if (this.cutAt !== undefined) {
      return
    }

    const part = chunk.subarray(0, this.#left)

    this.#left -= part.byteLength

    if (!to.destroyed && to.writable && !to.write(part)) {
      from.pause()
    }

    if (this.#left === 0) {
      this.#end()
    }
  }

  #end (): void {
    this.cutAt = performance.now()

    for (const socket of this.#sockets) {
      if (this.#cut === 'rst') {
        socket.resetAndDestroy()
      } else if (this.#cut === 'fin') {
        socket.end()
      }
    }
  }
}
