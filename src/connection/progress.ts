/**
 * A connection that is being closed sends what waits first. A peer that takes next to nothing of it, and shows signs of life
 * the while, would have its owner wait for ever.
 */
import { TimeoutError } from '../interface/errors.ts'
import type { Clock } from './clock.ts'

/** As long as a transport may take to end by itself, once all was sent. */
const PROGRESS_MILLIS = 30_000

/** Half a kilobyte a second: less than any link has that libp2p is used over, and more than who drips credit means to grant. */
const LEAST_BYTES = 16_384

/** Looks at what was sent until the returned function is called, and calls `onStuck` if that is too little. */
export function watchProgress (clock: Clock, bytesSent: () => number, onStuck: (error: TimeoutError) => void): () => void {
  let before = bytesSent()
  let cancel = clock.schedule(look, PROGRESS_MILLIS)

  function look (): void {
    const now = bytesSent()

    if (now - before < LEAST_BYTES) {
      onStuck(new TimeoutError(`the peer took ${now - before} bytes in ${PROGRESS_MILLIS} ms while the connection was to be closed, and more waits to be sent`, { scope: 'connection', origin: 'local' }))
    } else {
      before = now
      cancel = clock.schedule(look, PROGRESS_MILLIS)
    }
  }

  return () => {
    cancel()
  }
}
