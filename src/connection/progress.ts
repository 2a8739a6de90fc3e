/**
 * What is closed sends what waits first. A peer that takes next to nothing of it, and shows signs of life the while, would have
 * its owner wait for ever.
 */
import { TimeoutError } from '../interface/errors.ts'
import type { Clock } from './clock.ts'

/**
 * A kernel has 4 MiB and more of what was sent, and says that it takes more only when a third of that is gone: at 5 KiB a second
 * nothing is seen to move for so long.
 */
export const PROGRESS_MILLIS = 300_000

/** Less is what a peer grants that only wants us to wait. */
const LEAST_BYTES = 16_384

/** Calls `onStuck` when too little of what is `left` has gone in so many milliseconds; not any more once the returned function was called. */
export function watchProgress (clock: Clock, left: () => number, onStuck: (error: TimeoutError) => void, millis = PROGRESS_MILLIS): () => void {
  let before = left()
  let cancel = clock.schedule(look, millis)

  function look (): void {
    const now = left()

    if (before - now < LEAST_BYTES) {
      onStuck(new TimeoutError(`not all of what waited to be sent went while the connection was closed, and less than ${LEAST_BYTES} bytes of it in the last ${millis} ms`, { scope: 'connection', origin: 'local' }))
    } else {
      before = now
      cancel = clock.schedule(look, millis)
    }
  }

  return () => {
    cancel()
  }
}

interface Closing {
  readonly writeBufferLength: number
  close(): Promise<void>
  stats(): { bytesSent: number }
}

/**
 * Ends our half of each stream, after what was written to it: one that meets an error now has ended as well, and says so itself.
 * Returns whether all could that have sent anything.
 */
export async function closeAll (streams: Closing[], clock: Clock, onStuck: (error: TimeoutError) => void): Promise<boolean> {
  let isWhole = true

  // of these streams only: what others send meanwhile, which the peer may open, is not what is waited for
  const cancel = watchProgress(clock, () => streams.reduce((sum, { writeBufferLength }) => sum + writeBufferLength, 0), onStuck)

  await Promise.all(streams.map(async stream => stream.close().catch(() => {
    isWhole &&= stream.stats().bytesSent === 0
  })))
  cancel()

  return isWhole
}
