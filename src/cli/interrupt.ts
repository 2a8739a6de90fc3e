/**
 * @packageDocumentation
 *
 * Turns Ctrl-C and its kin into an `AbortSignal`. The first asks everything to
 * stop and clean up, a second one ends the process at once.
 */

import { setMaxListeners } from 'node:events'
import { constants } from 'node:os'
import { InterruptedError } from './errors.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface Interrupt {
  signal: AbortSignal
  dispose(): void
}

export function onInterrupt (): Interrupt {
  const controller = new AbortController()
  // each transfer and each echo stream listens
  setMaxListeners(Infinity, controller.signal)

  const listener = (name: NodeJS.Signals): void => {
    const exitCode = 128 + constants.signals[name]

    if (controller.signal.aborted) {
      process.exit(exitCode)
    }

    controller.abort(new InterruptedError(exitCode))
  }

  for (const name of SIGNALS) {
    process.on(name, listener)
  }

  return {
    signal: controller.signal,
    dispose () {
      for (const name of SIGNALS) {
        process.off(name, listener)
      }
    }
  }
}
