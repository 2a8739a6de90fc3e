/** Chance that can be repeated: everything random in a simulation comes from one seed. */

/** Mulberry32: 32 bits of state, good enough to choose operations by, and the same on every machine. */
export class Random {
  #state: number

  constructor (seed: number) {
    this.#state = seed >>> 0
  }

  /** In [0, 1). */
  next (): number {
    this.#state = this.#state + 0x6d2b79f5 >>> 0

    let bits = Math.imul(this.#state ^ this.#state >>> 15, this.#state | 1)

    bits = bits + Math.imul(bits ^ bits >>> 7, bits | 61) ^ bits

    return ((bits ^ bits >>> 14) >>> 0) / 2 ** 32
  }

  /** A whole number from `least` to `most`, both included. */
  int (least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  /** As `int()`, with every order of magnitude as likely as another: sizes and times in the wild are like that. */
  magnitude (least: number, most: number): number {
    return Math.min(most, Math.floor(least * (most / least) ** this.next()))
  }

  chance (probability: number): boolean {
    return this.next() < probability
  }

  pick<T> (values: readonly T[]): T {
    return values[this.int(0, values.length - 1)]
  }

  /** Time to the next event, in milliseconds, of a process that has one every `mean` of them. */
  gap (mean: number): number {
    return -Math.log(1 - this.next()) * mean
  }
}

/** The seed that the environment asks to repeat, if it does: `SEED=17 npx mocha …`. */
export function seedToRepeat (): number | undefined {
  const { SEED } = process.env

  return SEED === undefined ? undefined : Number(SEED)
}

/** Runs what is random by `seed`; the seed is the first thing that a failure says. */
export function withSeed<T> (seed: number, run: (random: Random) => T): T {
  try {
    return run(new Random(seed))
  } catch (err: any) {
    err.message = `with SEED=${seed}: ${err.message}`
    throw err
  }
}
