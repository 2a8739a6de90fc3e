/** A peer as a child process: its address, its events, its end. See ../README.md for the contract. */
import { spawn } from 'node:child_process'
import readline from 'node:readline'
import type { ChildProcess } from 'node:child_process'

/** A line of a peer's: `event` says what it is about, the rest depends on it. */
export interface PeerEvent {
  event: 'connected' | 'stream' | 'end' | 'done' | 'closed'

  /** The how-manieth inbound stream, from 0. */
  stream?: number

  /** How reading, or the whole, came to its end: `local` when the peer ended it itself. */
  how?: 'eof' | 'reset' | 'closed' | 'error' | 'local' | 'unsupported'

  /** The number that came along, and whether it came from us. */
  code?: number
  remote?: boolean
  bytes?: number

  /** All bytes were those of the pattern. */
  intact?: boolean
  count?: number
  streams?: number
  failed?: number
  message?: string
}

export interface Command {
  program: string
  args: string[]
}

interface Waiter {
  matches(event: PeerEvent): boolean
  resolve(event: PeerEvent): void
  reject(err: Error): void
}

/** How long a peer may take to end once its standard input has. */
const END_MILLIS = 10_000

/** How much of what it says on standard error is kept. */
const LOG_CHARACTERS = 4_000

export class Program {
  readonly events: PeerEvent[] = []
  readonly address: Promise<string>

  /** The end of what it said on standard error. */
  log = ''

  readonly #child: ChildProcess
  readonly #exited: Promise<string>
  #exit: string | undefined
  #killed = false
  #waiters: Waiter[] = []

  constructor ({ program, args }: Command) {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const address = Promise.withResolvers<string>()
    let first = true

    this.#child = child
    this.address = address.promise
    // told by whoever waits for it
    this.address.catch(() => {})
    child.stdin.on('error', () => {})
    child.stderr.on('data', data => {
      this.log = (this.log + data.toString()).slice(-LOG_CHARACTERS)
    })
    readline.createInterface({ input: child.stdout }).on('line', line => {
      if (first) {
        first = false
        address.resolve(line)
      } else {
        this.#onLine(line)
      }
    })
    this.#exited = new Promise(resolve => {
      const onExit = (how: string): void => {
        this.#exit = how
        address.reject(this.#gone())
        this.#waiters.forEach(waiter => { waiter.reject(this.#gone()) })
        resolve(how)
      }

      child.on('error', err => { onExit(err.message) })
      // with its output read to the end
      child.on('close', (code, signal) => { onExit(code === null ? `${signal}` : `code ${code}`) })
    })
  }

  /** The first event, of those that have come and those that will, that matches. */
  async event (matches: (event: PeerEvent) => boolean): Promise<PeerEvent> {
    const found = this.events.find(matches)

    if (found !== undefined) {
      return found
    }

    if (this.#exit !== undefined) {
      throw this.#gone()
    }

    return new Promise((resolve, reject) => {
      this.#waiters.push({ matches, resolve, reject })
    })
  }

  /** No process any more, from one moment to the next. */
  kill (): void {
    this.#killed = true
    this.#child.kill('SIGKILL')
  }

  /** Ends it in good order; says what it did wrong, if anything. */
  async end (): Promise<string | undefined> {
    this.#child.stdin?.end()

    const timer = setTimeout(() => { this.#child.kill('SIGKILL') }, END_MILLIS)
    const exit = await this.#exited

    clearTimeout(timer)

    return this.#killed || exit === 'code 0' ? undefined : `the peer ended with ${exit}${this.log === '' ? '' : `: ${lastLines(this.log)}`}`
  }

  #gone (): Error {
    return new Error(`the peer has ended with ${this.#exit}${this.log === '' ? '' : `: ${lastLines(this.log)}`}`)
  }

  #onLine (line: string): void {
    try {
      this.#onEvent(JSON.parse(line))
    } catch {
      this.log += `what is no event on standard output: ${line}\n`
    }
  }

  #onEvent (event: PeerEvent): void {
    this.events.push(event)

    const waiters = this.#waiters

    this.#waiters = waiters.filter(waiter => !waiter.matches(event))
    waiters.filter(waiter => waiter.matches(event)).forEach(waiter => { waiter.resolve(event) })
  }
}

function lastLines (log: string): string {
  return log.trim().split('\n').slice(-6).join(' | ').slice(-600)
}
