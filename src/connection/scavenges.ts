/**
 * Keeps V8 from marking the whole heap for buffers that are long dead.
 *
 * The bytes of a connection are in buffers outside of the heap: what a socket reads, what an encrypter makes of it. V8 lets
 * 64 MiB of them come and then marks all that is alive, which takes 13 to 20 ms of processor time where a node does nothing
 * else, and more where an application holds more: 14 times for each GiB over TCP, and 45 times over noise, at either end. A
 * scavenge, which looks at young objects alone, would have freed the same buffers in less than 1 ms. But scavenges come when
 * the young generation is full of objects, and who moves 64 KiB at a time makes next to none.
 *
 * So it is filled here, with objects that nobody wants, for as long as buffers come: 0.06 to 0.1 s for each GiB over TCP, 0.2
 * over noise. All of a GiB of bulk takes about three quarters of the processor time that way (`benchmarks/BOUNDS.md`).
 */

export interface Heap {
  /** Bytes outside of the heap that are held from within. */
  external(): number

  /** Bytes of the young generation. */
  young(): { used: number, available: number } | undefined
}

/** How often it is looked at what came: both looks together take 4 µs. */
const LOOK_BYTES = 1_048_576

/** A scavenge for so many bytes of buffers: with 52 many came too late, after the heap was marked, with 40 in one sample of twenty one or more did over TCP, in one of six over noise. */
const SCAVENGE_BYTES = 40 * 1_048_576

/** To fill a young generation that was made larger than this would cost more than it saves. The largest that V8 makes by itself has 64 MiB. */
const MAX_YOUNG_BYTES = 134_217_728

export class ScavengePacer {
  readonly #heap: Heap | undefined
  readonly #fill: (bytes: number) => void
  #moved = 0
  #external = Infinity
  #used = Infinity

  /** Without a heap that can be looked at it does nothing. */
  constructor (heap: Heap | undefined, fill: (bytes: number) => void) {
    this.#heap = heap
    this.#fill = fill
  }

  /** So many bytes were received, or sent, by whatever connection of this process. */
  moved (bytes: number): void {
    this.#moved += bytes

    if (this.#moved >= LOOK_BYTES) {
      this.#moved = 0
      this.#look()
    }
  }

  /** The young generation fills as fast as buffers come; when there was a collection there is nothing to compare. */
  #look (): void {
    const young = this.#heap?.young()

    if (this.#heap === undefined || young === undefined) {
      return
    }

    const external = this.#heap.external()
    const { used, available } = young
    const came = external - this.#external
    const filled = used - this.#used
    const size = used + available

    this.#external = external
    this.#used = used

    if (came > 0 && filled >= 0 && size <= MAX_YOUNG_BYTES) {
      const missing = Math.min(available, came / SCAVENGE_BYTES * size - filled)

      if (missing > 0) {
        this.#fill(missing)
        this.#used += missing
      }
    }
  }
}

/** What Node.js, and who is like it, tells of the heap; nothing in browsers. */
export function heapOf (process?: { getBuiltinModule?(name: string): any }): Heap | undefined {
  const v8 = process?.getBuiltinModule?.('node:v8')

  const heap: Heap = {
    external: () => v8.getHeapStatistics().external_memory,

    young: () => {
      const space = v8.getHeapSpaceStatistics().find(({ space_name: name }: any) => name === 'new_space')

      return space === undefined ? undefined : { used: space.space_used_size, available: space.space_available_size }
    }
  }

  try {
    return heap.young() === undefined ? undefined : heap
  } catch {
    // none, or one that has the names only
    return undefined
  }
}

/** V8 keeps objects of more than 128 KiB elsewhere. */
const FILLER_BYTES = 32_768
const FILLER_BITS = BigInt(FILLER_BYTES * 8)

// kept until the next, so that no compiler leaves it out
let filler = 0n
let turn = 0n

/**
 * Makes about so many bytes of young objects that are dead at once, in 0.06 to 0.09 ms for a MiB. They are numbers of many digits,
 * as V8 learns nothing from those: an array it would make in the old generation, and mark the heap the sooner, wherever it has
 * seen arrays survive, as it once did here. And each is another, as it makes one that is the same as the last only once.
 */
export function fillYoung (bytes: number): bigint {
  for (let left = bytes; left > 0; left -= FILLER_BYTES) {
    turn = (turn + 1n) % 64n
    filler = 1n << (FILLER_BITS - turn)
  }

  return filler
}

/** There is one heap, for all connections. */
export const scavenges = new ScavengePacer(heapOf(globalThis.process), fillYoung)
