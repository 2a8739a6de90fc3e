/** Waiting without sleeping, and what must not happen meanwhile. */
import { expect } from 'aegir/chai'

/** One turn of the event loop: every microtask has run, and so has everything that only needs microtasks. */
export async function turn (): Promise<void> {
  await new Promise<void>(resolve => {
    setImmediate(resolve)
  })
}

/** More turns than anything here takes that goes through memory alone. */
const MANY_TURNS = 50_000

/** Turns of the event loop until it is so. Rejects for what never comes: a test that spins would keep the run alive. */
export async function until (condition: () => boolean, eachTurn: () => void = () => {}): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    if (turns === MANY_TURNS) {
      throw new Error(`waited in vain for ${condition}`)
    }

    await turn()
    eachTurn()
  }
}

interface Target {
  addEventListener(type: string, handler: (event: any) => void, options?: any): void
}

/** The next event of that type. */
export async function eventOf<E extends Event = any> (target: Target, type: string): Promise<E> {
  return new Promise(resolve => {
    target.addEventListener(type, resolve, { once: true })
  })
}

/** The names of all events of these types from now on, in order; the list grows. */
export function recordEvents (target: Target, types: string[], describe: (event: any) => string = event => event.type): string[] {
  const events: string[] = []

  for (const type of types) {
    target.addEventListener(type, (event: any) => {
      events.push(describe(event))
    })
  }

  return events
}

/** What the promise has come to after all microtasks have run. */
export async function outcomeOf (promise: Promise<unknown>): Promise<'pending' | 'resolved' | Error> {
  let outcome: 'pending' | 'resolved' | Error = 'pending'

  promise.then(() => { outcome = 'resolved' }, err => { outcome = err })
  await turn()

  return outcome
}

/** For a `describe`: each of its tests fails if a rejection is left unhandled during it. */
export function noUnhandledRejections (): void {
  let rejections: unknown[] = []

  const onRejection = (reason: unknown): void => {
    rejections.push(reason)
  }

  beforeEach(() => {
    rejections = []
    process.on('unhandledRejection', onRejection)
  })

  afterEach(async () => {
    await turn()
    process.removeListener('unhandledRejection', onRejection)
    expect(rejections).to.deep.equal([])
  })
}

/** The uncaught exceptions that a piece of work brings about, which would otherwise end the test run. */
export async function uncaughtDuring (work: () => Promise<void>): Promise<unknown[]> {
  const others = process.listeners('uncaughtException')
  const errors: unknown[] = []

  const collect = (err: unknown): void => {
    errors.push(err)
  }

  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', collect)

  try {
    await work()
    await turn()
  } finally {
    process.removeListener('uncaughtException', collect)

    for (const listener of others) {
      process.on('uncaughtException', listener)
    }
  }

  return errors
}
