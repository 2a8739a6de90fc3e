/** Those who wait for something to become true, each with a signal of its own. */

interface Waiter {
  ready(): boolean
  resolve(): void
  reject(reason: unknown): void
  forgetSignal?(): void
}

export class Waiters {
  readonly #waiters = new Set<Waiter>()

  /** Resolves when `ready` returns true, rejects with what it throws or with the signal's reason. Looks at `notify()`. */
  async wait (ready: () => boolean, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()

    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = { ready, resolve, reject }

      if (signal != null) {
        const onAbort = (): void => {
          this.#waiters.delete(waiter)
          reject(signal.reason)
        }

        signal.addEventListener('abort', onAbort, { once: true })
        waiter.forgetSignal = () => {
          signal.removeEventListener('abort', onAbort)
        }
      }

      this.#waiters.add(waiter)
    })
  }

  /** Something changed. */
  notify (): void {
    for (const waiter of this.#waiters) {
      try {
        if (!waiter.ready()) {
          continue
        }

        waiter.resolve()
      } catch (err) {
        waiter.reject(err)
      }

      this.#waiters.delete(waiter)
      waiter.forgetSignal?.()
    }
  }
}
