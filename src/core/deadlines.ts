/** Named points in time, and the first of them: what the shell arms its one timer for. */

export class Deadlines<Name extends string> {
  readonly #at = new Map<Name, number>()

  set (name: Name, at: number): void {
    this.#at.set(name, at)
  }

  /** Moves the deadline only if that makes it earlier. */
  advance (name: Name, at: number): void {
    const known = this.#at.get(name)

    if (known === undefined || at < known) {
      this.#at.set(name, at)
    }
  }

  clear (name: Name): void {
    this.#at.delete(name)
  }

  /** Takes the deadline away if it has come. */
  expire (name: Name, now: number): boolean {
    const at = this.#at.get(name)

    if (at === undefined || at > now) {
      return false
    }

    this.#at.delete(name)

    return true
  }

  /** The earliest, or `undefined` when there is none. */
  get next (): number | undefined {
    let next: number | undefined

    for (const at of this.#at.values()) {
      if (next === undefined || at < next) {
        next = at
      }
    }

    return next
  }
}

/** In milliseconds: `setTimeout` fires at once when asked for more. 24.8 days. */
export const MAX_TIMEOUT = 2 ** 31 - 1
