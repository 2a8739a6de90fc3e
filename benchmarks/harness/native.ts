/** Muxers in their own language at both ends: programs in `peers/go` and `peers/rust` that are told samples in JSON. */
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import readline from 'node:readline'
import { Arrivals } from '../peers/types.ts'
import { withPatience } from './pair.ts'
import type { Runner } from './pair.ts'
import type { BenchCase, Figures, Parameters } from '../cases/types.ts'
import type { Language } from '../peers/index.ts'
import type { Address } from '../peers/types.ts'
import type { ChildProcess } from 'node:child_process'

const PEERS = path.join(import.meta.dirname, '../peers')
const BUILD = path.join(PEERS, 'build')

interface Toolchain {
  folder: string
  program: string
  command: string
  args: string[]
  mend: string
}

const TOOLCHAINS: Record<Language, Toolchain> = {
  go: {
    folder: path.join(PEERS, 'go'),
    program: path.join(BUILD, 'go/bench'),
    command: 'go',
    args: ['build', '-o', path.join(BUILD, 'go/bench'), '.'],
    mend: 'apt-get install golang-go, or see https://go.dev/doc/install (1.26 or newer)'
  },
  rust: {
    folder: path.join(PEERS, 'rust'),
    program: path.join(BUILD, 'rust/release/bench'),
    command: 'cargo',
    args: ['build', '--release', '--locked', '--target-dir', path.join(BUILD, 'rust')],
    mend: 'apt-get install cargo, or see https://rustup.rs (1.85 or newer)'
  }
}

/** Builds the program of a language. Says what is missing, and how to get it, where that is not possible. */
export function build (language: Language): string | undefined {
  const { folder, program, command, args, mend } = TOOLCHAINS[language]

  fs.mkdirSync(BUILD, { recursive: true })

  const { error, status, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' })

  if (status === 0 && fs.existsSync(program)) {
    return undefined
  }

  return (error as NodeJS.ErrnoException)?.code === 'ENOENT'
    ? `there is no ${command} on this machine: its peers are left out. To have them: ${mend}`
    : `(cd ${path.relative('.', folder)} && ${command} ${args.join(' ')}) failed, its peers are left out: ${stderr ?? error?.message}`
}

type Answer =
  { type: 'listening', port: number | null } |
  { type: 'started' } |
  { type: 'figures', figures: Figures } |
  { type: 'failed', reason: string }

class Program {
  readonly #child: ChildProcess
  readonly #answers = new Arrivals<Answer>()

  constructor (language: Language, role: string, muxer: string) {
    const child = spawn(TOOLCHAINS[language].program, [role, muxer], { stdio: ['pipe', 'pipe', 'inherit'] })

    this.#child = child
    // a program that died has said so by its exit
    child.stdin.on('error', () => {})
    child.on('exit', code => {
      this.#answers.add({ type: 'failed', reason: `the ${role} exited with ${code}` })
    })
    readline.createInterface({ input: child.stdout }).on('line', line => {
      this.#answers.add(JSON.parse(line))
    })
  }

  async next <T extends Answer['type']> (type: T): Promise<Extract<Answer, { type: T }>> {
    const answer = await this.#answers.next()

    if (answer.type !== type) {
      throw new Error(answer.type === 'failed' ? answer.reason : `${answer.type} came, not ${type}`)
    }

    return answer as Extract<Answer, { type: T }>
  }

  send (request: object): void {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`)
  }

  stop (): void {
    this.#child.kill('SIGKILL')
  }
}

export class NativePair implements Runner {
  readonly #server: Program
  readonly #client: Program
  #port: number | undefined

  constructor (language: Language, muxer: string) {
    this.#server = new Program(language, 'server', muxer)
    this.#client = new Program(language, 'client', muxer)
  }

  async run (benchCase: BenchCase, parameters: Parameters, via?: (address: Address) => Promise<Address>): Promise<Figures> {
    return withPatience(benchCase.seconds(parameters), this.#run(benchCase, parameters, via))
  }

  stop (): void {
    this.#server.stop()
    this.#client.stop()
  }

  async #run (benchCase: BenchCase, parameters: Parameters, via?: (address: Address) => Promise<Address>): Promise<Figures> {
    const { native } = benchCase

    if (native === undefined) {
      throw new Error('this case is not for programs in other languages')
    }

    if (this.#port === undefined) {
      this.#port = (await this.#server.next('listening')).port ?? 0
      await this.#client.next('listening')
    }

    const request = native.request(parameters)
    const address = { port: this.#port }

    this.#server.send(request)
    await this.#server.next('started')
    this.#client.send({ ...request, ...await via?.(address) ?? address })
    await this.#client.next('started')

    const [ofServer, ofClient] = await Promise.all([this.#server.next('figures'), this.#client.next('figures')])

    return native.figures({ ...ofServer.figures, ...ofClient.figures })
  }
}
