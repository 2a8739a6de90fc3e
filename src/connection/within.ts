/** Waits with a time limit. */
import { TimeoutError } from '../interface/errors.ts'
import { systemClock } from './clock.ts'
import type { Clock } from './clock.ts'

/**
 * Waits for no longer than so many milliseconds, by the signal that it is given: then that aborts with `TimeoutError`, which names
 * the option. Nothing is left behind by a wait that ended in time: there may be one for each message, and the signal may live as
 * long as the process. `AbortSignal.any()` and `AbortSignal.timeout()` are kept until the time is over.
 */
export async function within<T> (millis: number, option: string, signal: AbortSignal | undefined, wait: (signal?: AbortSignal) => Promise<T>, clock: Clock = systemClock): Promise<T> {
  if (millis === Infinity) {
    return wait(signal)
  }

  const controller = new AbortController()
  const onAbort = (): void => {
    controller.abort(signal?.reason)
  }

  if (signal?.aborted === true) {
    onAbort()
  }

  const cancel = clock.schedule(() => {
    controller.abort(new TimeoutError(`waited for ${millis} ms (option ${option})`, { scope: 'stream', origin: 'local' }))
  }, millis)

  signal?.addEventListener('abort', onAbort, { once: true })

  try {
    return await wait(controller.signal)
  } finally {
    cancel()
    signal?.removeEventListener('abort', onAbort)
  }
}
