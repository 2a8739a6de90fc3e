/** What went over the wire, a line for each frame: the beginning and the end of it, and when somebody lost patience. */

const FIRST = 60
const LAST = 60

export class Transcript {
  readonly #first: string[] = []
  #last: string[] = []
  #dropped = 0
  readonly #started = performance.now()

  /** What we sent (`>`), what came (`<`), and what happened to us beside the wire (`!`). */
  add (direction: '>' | '<' | '!', line: string): void {
    const entry = `${((performance.now() - this.#started) / 1_000).toFixed(3)} ${direction} ${line}`

    if (this.#first.length < FIRST) {
      this.#first.push(entry)
      return
    }

    this.#last.push(entry)

    if (this.#last.length > 2 * LAST) {
      this.#dropped += LAST
      this.#last = this.#last.slice(LAST)
    }
  }

  get lines (): string[] {
    return [...this.#first, ...(this.#dropped === 0 ? [] : [`… ${this.#dropped} frames …`]), ...this.#last]
  }
}
