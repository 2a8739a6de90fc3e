/**
 * @packageDocumentation
 *
 * The first process' hold on the second: starts it, hears its reports, notices its
 * death and makes sure of its end.
 */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { CliError } from './errors.ts'
import type { MuxerName } from './args.ts'
import type { Listening, Received, Report } from './demo-receiver.ts'
import type { ChildProcess } from 'node:child_process'

/**
 * For one process to start and to listen, on a machine that is busy with other things
 */
const START_MILLIS = 30_000

/**
 * From the receipt to the report there is nothing left to do but to send it
 */
const REPORT_MILLIS = 10_000

/**
 * For the node to stop and the temporary files to go
 */
const EXIT_MILLIS = 5_000

export class ReceiverProcess {
  readonly #child: ChildProcess
  readonly #controller = new AbortController()
  readonly #listening = Promise.withResolvers<Listening>()
  readonly #received = Promise.withResolvers<Received>()
  readonly #exited: Promise<unknown>

  /**
   * @param main - the file of this program
   */
  constructor (main: string, directory: string, muxer: MuxerName) {
    this.#child = fork(main, ['demo-receiver', directory, '--muxer', muxer], {
      // a debugger can listen on its port only once
      execArgv: process.execArgv.filter(arg => !arg.startsWith('--inspect')),
      stdio: ['ignore', 'ignore', 'inherit', 'ipc']
    })
    this.#exited = once(this.#child, 'exit').catch(() => {})
    this.#listening.promise.catch(() => {})
    this.#received.promise.catch(() => {})

    this.#child.on('message', (report: Report) => { this.#onReport(report) })
    this.#child.on('error', err => {
      this.#fail(new CliError(`cannot start the receiving process: ${err.message}`, { cause: err }))
    })
    this.#child.on('exit', (code, signal) => {
      this.#fail(new CliError(`the receiving process ended early (${signal == null ? `exit status ${code}` : `killed by ${signal}`}); run the demo again`))
    })
  }

  get pid (): number | undefined {
    return this.#child.pid
  }

  /**
   * Aborted when the process dies or reports a failure
   */
  get signal (): AbortSignal {
    return this.#controller.signal
  }

  async address (signal: AbortSignal): Promise<string> {
    return (await within(this.#listening.promise, START_MILLIS, signal, 'the receiving process did not start')).address
  }

  async received (signal: AbortSignal): Promise<Received> {
    return within(this.#received.promise, REPORT_MILLIS, signal, 'the receiving process did not report')
  }

  /**
   * Of two ends of a connection that breaks, the other one may know the reason
   */
  async failure (millis: number): Promise<Error | undefined> {
    if (!this.signal.aborted) {
      await once(this.signal, 'abort', { signal: AbortSignal.timeout(millis) }).catch(() => {})
    }

    return this.signal.aborted ? this.signal.reason : undefined
  }

  async stop (): Promise<void> {
    if (this.#child.pid == null) {
      return
    }

    // it ends by itself when the channel closes
    if (this.#child.connected) {
      this.#child.disconnect()
    }

    const timer = setTimeout(() => { this.#child.kill('SIGKILL') }, EXIT_MILLIS)

    try {
      await this.#exited
    } finally {
      clearTimeout(timer)
    }
  }

  #onReport (report: Report): void {
    switch (report.type) {
      case 'listening':
        this.#listening.resolve(report)
        break
      case 'received':
        this.#received.resolve(report)
        break
      default:
        this.#fail(new CliError(`the receiving process failed: ${report.message}`))
    }
  }

  #fail (err: Error): void {
    this.#listening.reject(err)
    this.#received.reject(err)
    this.#controller.abort(err)
  }
}

async function within <T> (promise: Promise<T>, millis: number, signal: AbortSignal, message: string): Promise<T> {
  signal.throwIfAborted()

  const { promise: failed, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => { reject(new CliError(`${message} within ${millis / 1_000} seconds; run the demo again`)) }, millis)
  const onAbort = (): void => { reject(signal.reason) }
  signal.addEventListener('abort', onAbort)

  try {
    return await Promise.race([promise, failed])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}
