/**
 * What a peer may send that has no manners, as data that fast-check draws and makes smaller: bytes of no meaning, bytes of
 * some, changed, and what the application at the other end does meanwhile.
 */
import fc from 'fast-check'
import { Random } from '../../test/simulation/kit/random.ts'
import type { Language } from '../languages.ts'

/** Inputs are short: what matters is at their beginning, and many are wanted. */
const MAX_BYTES = 512

/** Most connections are over by then. */
const MAX_INPUTS = 64

export interface Step {
  /** Made when it is wanted: most connections are over before most of their inputs. */
  input(): Uint8Array

  /** The part of the input that comes first; all of it at once if there is none. */
  cut: number | undefined

  /** What the application does then, and the number that everything else about it follows from. */
  act: number
  choice: number
}

export interface Conversation {
  role: 'client' | 'server'

  /** With budgets so small that they are met. */
  isBounded: boolean
  steps: Step[]

  /** The connection ends by an error. */
  isCut: boolean
}

type Change = (bytes: Uint8Array) => Uint8Array

const share = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })

/** One change: a bit, a byte, an end cut off, a part left out, or a part repeated. */
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(share, fc.integer({ min: 0, max: 7 })).map(([where, bit]) => changed(where, byte => byte ^ (1 << bit))),
  fc.tuple(share, fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 }))).map(([where, byte]) => changed(where, () => byte)),
  share.map((where): Change => bytes => bytes.slice(0, place(bytes, where))),
  fc.tuple(share, fc.integer({ min: 1, max: 16 })).map(([where, length]): Change => bytes => {
    const at = place(bytes, where)

    return join(bytes.subarray(0, at), bytes.subarray(at + length))
  }),
  fc.tuple(share, fc.integer({ min: 1, max: 16 })).map(([where, length]): Change => bytes => {
    const at = place(bytes, where)

    return join(bytes.subarray(0, at + length), bytes.subarray(at))
  })
)

function place (bytes: Uint8Array, where: number): number {
  return Math.floor(where * bytes.byteLength)
}

function changed (where: number, make: (byte: number) => number): Change {
  return bytes => {
    const copy = bytes.slice()
    const at = place(bytes, where)

    copy[at] = make(copy[at])

    return copy
  }
}

function join (...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0

  for (const part of parts) {
    bytes.set(part, at)
    at += part.byteLength
  }

  return bytes
}

function randomBytes (number: number): Uint8Array {
  const random = new Random(number)

  return Uint8Array.from({ length: random.magnitude(1, 64) }, () => random.int(0, 255))
}

function inputOf (language: Language): fc.Arbitrary<() => Uint8Array> {
  const number = fc.integer({ min: 0, max: 2 ** 32 - 1 })
  const frame = number.map(number => () => language.frame(new Random(number)))
  const seed = language.seeds.length === 0 ? frame : fc.constantFrom(...language.seeds.map(bytes => () => bytes.subarray(0, MAX_BYTES)))

  return fc.oneof(
    { weight: 1, arbitrary: number.map(number => () => randomBytes(number)) },
    { weight: 1, arbitrary: seed },
    {
      weight: 2,
      arbitrary: fc.tuple(seed, fc.array(change, { minLength: 1, maxLength: 4, size: 'max' }))
        .map(([make, changes]) => () => changes.reduce((sum, change) => sum.byteLength === 0 ? sum : change(sum), make()))
    },
    { weight: 1, arbitrary: fc.tuple(seed, seed).map(([one, other]) => () => join(one(), other()).subarray(0, MAX_BYTES)) },
    { weight: 1, arbitrary: fc.tuple(frame, change).map(([make, change]) => () => change(make())) },
    // floods are what budgets are for
    { weight: 1, arbitrary: fc.tuple(frame, fc.integer({ min: 1, max: 40 })).map(([make, times]) => () => join(...new Array(times).fill(make())).subarray(0, MAX_BYTES)) },
    { weight: 1, arbitrary: number.map(number => () => language.openings(new Random(number))) },
    { weight: 3, arbitrary: frame }
  )
}

export function conversationOf (language: Language): fc.Arbitrary<Conversation> {
  const step = fc.record({
    input: inputOf(language),
    cut: fc.option(share, { freq: 4, nil: undefined }),
    act: fc.integer({ min: 0, max: 15 }),
    choice: fc.integer({ min: 0, max: 2 ** 32 - 1 })
  })

  // without bias: a number is a choice here, and no choice is more interesting than another
  return fc.noBias(fc.record({
    role: fc.constantFrom('client' as const, 'server' as const),
    isBounded: fc.boolean(),
    steps: fc.array(step, { minLength: 1, maxLength: MAX_INPUTS, size: 'max' }),
    isCut: fc.boolean()
  }))
}
