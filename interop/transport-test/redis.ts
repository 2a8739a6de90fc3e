/** As much of Redis' protocol (RESP2) as the contract needs. */
import net from 'node:net'
import { createInterface } from 'node:readline'

export class Redis {
  readonly #socket: net.Socket
  readonly #lines: AsyncIterator<string>

  constructor (address: string) {
    const at = address.lastIndexOf(':')

    this.#socket = net.connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)) })
    this.#lines = createInterface({ input: this.#socket })[Symbol.asyncIterator]()
  }

  /** Sends one command; the strings of its answer, none for nil. What is in them must be of one line. */
  async call (...words: string[]): Promise<string[]> {
    this.#socket.write(`*${words.length}\r\n${words.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`)

    const answers: string[] = []

    for (let expected = 1; expected > 0; expected--) {
      const line = await this.#line()
      const rest = line.slice(1)

      if (line.startsWith('-')) {
        throw new Error(`redis: ${rest}`)
      } else if (line.startsWith('*')) {
        expected += Math.max(0, Number(rest))
      } else if (!line.startsWith('$')) {
        answers.push(rest)
      } else if (Number(rest) >= 0) {
        answers.push(await this.#line())
      }
    }

    return answers
  }

  close (): void {
    this.#socket.destroy()
  }

  async #line (): Promise<string> {
    const { value, done } = await this.#lines.next()

    if (done === true) {
      throw new Error('redis has closed the connection')
    }

    return value
  }
}
