/** The process of a shaped link, from outside. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Arrivals } from '../peers/types.ts'
import type { FromLink, Precision, ToLink } from './link-process.ts'
import type { LinkShape } from '../cases/types.ts'
import type { Address } from '../peers/types.ts'
import type { ChildProcess } from 'node:child_process'

const PROCESS = fileURLToPath(new URL('./link-process.ts', import.meta.url))

export class ShapedLink {
  readonly #shape: LinkShape
  readonly #child: ChildProcess
  readonly #answers = new Arrivals<FromLink>()
  readonly #ports = new Map<number, number>()

  constructor (shape: LinkShape) {
    this.#shape = shape
    this.#child = fork(PROCESS, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#child.on('message', (message: FromLink) => {
      this.#answers.add(message)
    })
  }

  /** Where to connect to, to reach that address through the link. */
  async to (address: Address): Promise<Address> {
    let port = this.#ports.get(address.port)

    if (port === undefined) {
      port = (await this.#ask<{ port: number }>({ type: 'open', port: address.port, shape: this.#shape })).port
      this.#ports.set(address.port, port)
    }

    return { ...address, port }
  }

  async precision (): Promise<Precision> {
    return (await this.#ask<{ precision: Precision }>({ type: 'precision' })).precision
  }

  stop (): void {
    this.#child.kill('SIGKILL')
  }

  async #ask<T> (message: ToLink): Promise<T> {
    this.#child.send(message)

    return this.#answers.next() as Promise<T>
  }
}
