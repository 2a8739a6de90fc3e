/**
 * The timers of ours that are alive, and who made them. Node.js itself lists only those that keep a process alive, which a
 * muxer's do not.
 */
import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import { getCallSites } from 'node:util'
import type { HookCallbacks } from 'node:async_hooks'

const ROOT = new URL('../../', import.meta.url).href

/** Node.js itself has some six of them on top. */
const FRAMES = 16

/** All timers of a muxer are made in one place: what tells them apart is who asked for them. */
const NAMED = 3

/** Beneath src/, as it is or as it is built. */
export function isSource (file: string): boolean {
  return file.startsWith(`${ROOT}src/`)
}

interface Timer {
  place: string

  /** Of `AbortSignal.timeout()`: ends with its signal, when that is collected. */
  isWeak: boolean
}

export class Timers {
  readonly #isOurs: (file: string) => boolean
  readonly #alive = new Map<number, Timer>()

  // muxers of others in this process go on meanwhile, and theirs are not ours
  readonly #work = new AsyncLocalStorage<boolean>()

  // promises would cost more than all else, and tell nothing
  readonly #hook = createHook({
    init: (id: number, type: string) => {
      if ((type === 'Timeout' || type === 'Immediate') && this.#work.getStore() === true) {
        this.#made(id)
      }
    },
    destroy: (id: number) => {
      this.#alive.delete(id)
    },
    trackPromises: false
  } as HookCallbacks)

  /** Ours is what has such a file in its stack when it is made: libp2p has time limits of its own, which end later. */
  constructor (isOurs: (file: string) => boolean = isSource) {
    this.#isOurs = isOurs
  }

  /** Counts those that are made by this work, and by whatever it sets going, until it is done. */
  async during<T> (work: () => Promise<T>): Promise<T> {
    this.#hook.enable()

    try {
      return await this.#work.run(true, work)
    } finally {
      this.#hook.disable()
      this.#alive.clear()
    }
  }

  /** How many there are, by who made them; `strong`: but for those that end with what holds them. */
  counts (strong = false): Record<string, number> {
    const counts: Record<string, number> = {}

    for (const { place, isWeak } of this.#alive.values()) {
      if (!(strong && isWeak)) {
        counts[`timer of ${place}`] = (counts[`timer of ${place}`] ?? 0) + 1
      }
    }

    return counts
  }

  /** No more of the stack is kept than names: what it holds on to would be weighed with what is left behind. */
  #made (id: number): void {
    const frames = getCallSites(FRAMES)
    const ours = frames.filter(({ scriptName }) => scriptName !== import.meta.url && this.#isOurs(scriptName))

    if (ours.length > 0) {
      this.#alive.set(id, {
        place: ours.slice(0, NAMED).map(({ scriptName, lineNumber }) => `${scriptName.replace(ROOT, '')}:${lineNumber}`).join(' < '),
        isWeak: frames.some(({ scriptName }) => scriptName === 'node:internal/abort_controller')
      })
    }
  }
}
