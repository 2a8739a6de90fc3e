/** What is sent in simulations: bytes that tell which stream they belong to and where in it. */
import { Random } from './random.ts'

// a prime, so that what is off by any power of two looks different
const PERIOD = 1_048_583
const LONGEST = 1_048_576

const table = fill()

/** The bytes of a flow from `offset`, at most 1 MiB: a view of memory that all flows share. */
export function pattern (flow: number, offset: number, length: number): Uint8Array {
  if (length > LONGEST) {
    throw new Error(`no more than ${LONGEST} bytes at once, asked for ${length}`)
  }

  const start = (flow * 7_919 + offset) % PERIOD

  return table.subarray(start, start + length)
}

/** Whether `bytes` are those of the flow from `offset`. */
export function isPattern (flow: number, offset: number, bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.byteLength; at += LONGEST) {
    const part = bytes.subarray(at, at + LONGEST)

    if (Buffer.compare(part, pattern(flow, offset + at, part.byteLength)) !== 0) {
      return false
    }
  }

  return true
}

/** Whether what was sent is still what it was: nobody may write into memory that is not theirs. */
export function patternIsIntact (): boolean {
  return Buffer.compare(table, fill()) === 0
}

function fill (): Uint8Array {
  const random = new Random(PERIOD)
  const bytes = new Uint8Array(PERIOD + LONGEST)
  const words = new Uint32Array(Math.ceil(PERIOD / 4))

  for (let i = 0; i < words.length; i++) {
    words[i] = random.next() * 2 ** 32
  }

  bytes.set(new Uint8Array(words.buffer, 0, PERIOD))
  bytes.copyWithin(PERIOD, 0, LONGEST)

  return bytes
}
