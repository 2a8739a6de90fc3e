/*
 * Holds the law of tsconfig.core.json: each name here must be unknown there. Should a dependency's
 * types bring Node's or the browser's globals in, the directive above that name has no error to
 * expect any more, and that is an error.
 */
export const outlawed: unknown[] = [
  // @ts-expect-error no timers
  setTimeout,
  // @ts-expect-error no timers
  setInterval,
  // @ts-expect-error no timers
  queueMicrotask,
  // @ts-expect-error no clock
  performance,
  // @ts-expect-error no randomness
  crypto,
  // @ts-expect-error no output
  console,
  // @ts-expect-error no Node
  Buffer,
  // @ts-expect-error no Node
  process,
  // @ts-expect-error no DOM
  TextEncoder,
  // @ts-expect-error no events
  EventTarget,
  // @ts-expect-error no signals
  AbortController
]
