/** Time that stands still until somebody moves it, and then jumps from one event to the next. */
import type { Clock } from '../../../src/connection/clock.ts'

interface Entry {
  at: number
  order: number
  callback: (() => void) | undefined
}

export class VirtualClock implements Clock {
  /** Called after every event: the place for what must hold at all times. */
  onStep: (() => void) | undefined

  steps = 0

  #now = 0
  #order = 0

  // a binary heap, by time and then by order of scheduling
  readonly #heap: Entry[] = []

  now (): number {
    return this.#now
  }

  schedule (callback: () => void, millis: number): () => void {
    const entry: Entry = { at: this.#now + Math.max(0, millis), order: this.#order++, callback }

    this.#push(entry)

    return () => {
      entry.callback = undefined
    }
  }

  /** Goes to the next event. `false`: there is none. */
  step (): boolean {
    for (let entry = this.#pop(); entry !== undefined; entry = this.#pop()) {
      const { callback } = entry

      if (callback !== undefined) {
        this.#now = entry.at
        this.steps++
        callback()
        this.onStep?.()

        return true
      }
    }

    return false
  }

  /** Everything that happens in the next `millis`. */
  advance (millis: number): void {
    const until = this.#now + millis

    while ((this.#nextAt() ?? Infinity) <= until) {
      this.step()
    }

    this.#now = until
  }

  /** Goes on until `done`, which must come true within so many milliseconds of virtual time. */
  until (what: string, done: () => boolean, millis: number): void {
    const limit = this.#now + millis

    while (!done()) {
      if ((this.#nextAt() ?? Infinity) > limit) {
        throw new Error(`after ${millis} ms of virtual time still not: ${what}`)
      }

      this.step()
    }
  }

  #nextAt (): number | undefined {
    while (this.#heap.length > 0 && this.#heap[0].callback === undefined) {
      this.#pop()
    }

    return this.#heap[0]?.at
  }

  #push (entry: Entry): void {
    const heap = this.#heap
    let index = heap.length

    heap.push(entry)

    while (index > 0) {
      const parent = (index - 1) >> 1

      if (!isBefore(entry, heap[parent])) {
        break
      }

      heap[index] = heap[parent]
      index = parent
    }

    heap[index] = entry
  }

  #pop (): Entry | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()

    if (last === undefined || heap.length === 0) {
      return last
    }

    let index = 0

    while (true) {
      let child = 2 * index + 1

      if (child >= heap.length) {
        break
      }

      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) {
        child++
      }

      if (!isBefore(heap[child], last)) {
        break
      }

      heap[index] = heap[child]
      index = child
    }

    heap[index] = last

    return first
  }
}

function isBefore (one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
