/** Named points in time, and the first of them: what the shell arms its one timer for. */

/** Places are never given up: a `Map` whose entries come and go is made anew every few times, in the old space of the heap. */
export class Deadlines<Name extends string> {
  readonly #names: Name[] = []
  readonly #at: number[] = []

  set (name: Name, at: number): void {
    const index = this.#names.indexOf(name)

    if (index >= 0) {
      this.#at[index] = at
    } else {
      this.#names.push(name)
      this.#at.push(at)
    }
  }

  /** Moves the deadline only if that makes it earlier. */
  advance (name: Name, at: number): void {
    if (at < this.#get(name)) {
      this.set(name, at)
    }
  }

  clear (name: Name): void {
    this.set(name, Infinity)
  }

  /** Takes the deadline away if it has come. */
  expire (name: Name, now: number): boolean {
    if (this.#get(name) > now) {
      return false
    }

    this.clear(name)

    return true
  }

  /** The earliest, or `undefined` when there is none. */
  get next (): number | undefined {
    let next = Infinity

    for (const at of this.#at) {
      next = Math.min(next, at)
    }

    return next === Infinity ? undefined : next
  }

  #get (name: Name): number {
    return this.#at[this.#names.indexOf(name)] ?? Infinity
  }
}

/** In milliseconds: `setTimeout` fires at once when asked for more. 24.8 days. */
export const MAX_TIMEOUT = 2 ** 31 - 1
