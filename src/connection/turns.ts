/** One after another: each has its turn when all who came before are done, or have given up. */

export class Turns {
  #busy = false
  #waiting: Array<() => void> | undefined

  /** Somebody has the turn. */
  get busy (): boolean {
    return this.#busy
  }

  /** Rejects with the signal's reason while it waits for its turn; after that the signal is the work's own affair. */
  async take<T> (work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#busy) {
      await this.#wait(signal)
    }

    this.#busy = true

    try {
      return await work()
    } finally {
      this.#pass()
    }
  }

  async #wait (signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()

    const waiting = this.#waiting ??= []

    await new Promise<void>((resolve, reject) => {
      const onTurn = (): void => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }

      const onAbort = (): void => {
        waiting.splice(waiting.indexOf(onTurn), 1)
        reject(signal?.reason)
      }

      waiting.push(onTurn)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Goes straight to the next, who is not overtaken by one that comes meanwhile. */
  #pass (): void {
    const next = this.#waiting?.shift()

    if (next === undefined) {
      this.#busy = false
    } else {
      next()
    }
  }
}
