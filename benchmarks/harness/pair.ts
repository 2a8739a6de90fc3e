/** The two processes of a peer, and what goes between them through this one. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Arrivals } from '../peers/types.ts'
import type { FromWorker, Role, ToWorker } from './worker.ts'
import type { BenchCase, Figures, Parameters } from '../cases/types.ts'
import type { LinkName } from '../peers/index.ts'
import type { Address } from '../peers/types.ts'
import type { ChildProcess } from 'node:child_process'

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url))

/**
 * The young generation of V8 at the size that it has in a process that has been busy for a while, 16 MiB. It begins with one
 * and doubles with what survived, so that how large it is, and with it how often the heap is marked for the sake of the
 * buffers of sockets, is decided by what a peer loads at its start: the same muxer moved 1,170 MiB/s with 15 marks for
 * each GiB, and 2,300 with two.
 */
const STEADY_HEAP = '--min-semi-space-size=16'

/** A sample that takes that much longer than it should has got stuck. */
const PATIENCE_SECONDS = 20

/** What runs samples of one peer: two processes of ours, or of another language. */
export interface Runner {
  run(benchCase: BenchCase, parameters: Parameters, via?: (address: Address) => Promise<Address>): Promise<Figures>
  stop(): void
}

class Worker {
  readonly ready: Promise<Address | undefined>
  readonly #child: ChildProcess
  readonly #events = new Arrivals<FromWorker>()
  #tell: (message: unknown) => void = () => {}

  constructor (role: Role, peer: string, link: LinkName) {
    this.#child = fork(WORKER, [role, peer, link], { execArgv: ['--expose-gc', STEADY_HEAP], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#child.on('message', (message: FromWorker) => {
      if (message.type === 'tell') {
        this.#tell(message.message)
      } else {
        this.#events.add(message)
      }
    })
    this.#child.on('exit', code => {
      this.#events.add({ type: 'failed', reason: `the ${role} exited with ${code}` })
    })
    this.ready = this.next().then(event => event.type === 'listening' ? event.address : undefined)
    // whoever runs the first sample hears of it
    this.ready.catch(() => {})
  }

  async next (): Promise<FromWorker> {
    const event = await this.#events.next()

    if (event.type === 'failed') {
      throw new Error(event.reason)
    }

    return event
  }

  send (message: ToWorker): void {
    // one that died has said so by its exit
    this.#child.send(message, () => {})
  }

  tellTo (other: Worker): void {
    this.#tell = message => {
      other.send({ type: 'told', message })
    }
  }

  stop (): void {
    this.#child.kill('SIGKILL')
  }
}

export class Pair implements Runner {
  readonly #server: Worker
  readonly #client: Worker

  constructor (peer: string, link: LinkName) {
    this.#server = new Worker('server', peer, link)
    this.#client = new Worker('client', peer, link)
    this.#server.tellTo(this.#client)
    this.#client.tellTo(this.#server)
  }

  async run (benchCase: BenchCase, parameters: Parameters, via?: (address: Address) => Promise<Address>): Promise<Figures> {
    return withPatience(benchCase.seconds(parameters), this.#run(benchCase, parameters, via))
  }

  stop (): void {
    this.#server.stop()
    this.#client.stop()
  }

  async #run (benchCase: BenchCase, parameters: Parameters, via?: (address: Address) => Promise<Address>): Promise<Figures> {
    const [serverAddress] = await Promise.all([this.#server.ready, this.#client.ready])
    const address = via === undefined ? serverAddress : await via(serverAddress as Address)

    // the server must wait for the connection before it comes
    this.#server.send({ type: 'run', case: benchCase.name, parameters })
    await this.#server.next()
    this.#client.send({ type: 'run', case: benchCase.name, parameters, address })

    const [ofServer, ofClient] = await Promise.all([
      figuresOf(this.#server),
      this.#client.next().then(async () => figuresOf(this.#client))
    ])

    this.#client.send({ type: 'close' })
    this.#server.send({ type: 'close' })

    return { ...ofServer, ...ofClient }
  }
}

async function figuresOf (worker: Worker): Promise<Figures> {
  const event = await worker.next()

  return event.type === 'figures' ? event.figures : {}
}

/** Rejects when a sample takes far longer than it should. */
export async function withPatience <T> (expectedSeconds: number, run: Promise<T>): Promise<T> {
  const seconds = expectedSeconds + PATIENCE_SECONDS
  let timer: NodeJS.Timeout | undefined

  const timeout = new Promise<never>((resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`stuck: nothing came of it within ${Math.round(seconds)} s`))
    }, seconds * 1_000)
  })

  try {
    return await Promise.race([run, timeout])
  } finally {
    clearTimeout(timer)
    // one that is late has nobody to tell it to
    run.catch(() => {})
  }
}
