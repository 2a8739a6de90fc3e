/** What the property tests draw from. A failure prints its seed and path; `SEED=n npm test` draws other values. */
import fc from 'fast-check'
import { pattern } from './frames.ts'
import type { Arbitrary, Parameters } from 'fast-check'

const SEED = Number(process.env.SEED ?? 20_230_217)

/** The same values in each run, so that a build fails for what was changed and not by chance. */
export function runs<T> (numRuns: number): Parameters<T> {
  return { numRuns, seed: SEED }
}

/** Up to `maxLength` steps; by itself fast-check seldom goes beyond ten. */
export function sequence<T> (step: Arbitrary<T>, maxLength: number): Arbitrary<T[]> {
  return fc.array(step, { maxLength, size: 'max' })
}

/** Lengths from one byte to a few buffers of a transport, most of them small. */
export const pieceLength: Arbitrary<number> = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 100 }) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 5_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 100_000 }) }
)

/** Bytes that tell where in a run of pieces they belong. */
export const piece: Arbitrary<Uint8Array> = fc.tuple(pieceLength, fc.nat(255)).map(([length, seed]) => pattern(length, seed))

/** How a transport cuts what it carries: the lengths of its deliveries, over and over. */
export const cuts: Arbitrary<number[]> = fc.array(pieceLength, { minLength: 1, maxLength: 10 })

/** The bytes in pieces of these lengths. */
export function * cut (bytes: Uint8Array, lengths: number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.byteLength; i++) {
    const length = lengths[i % lengths.length]

    yield bytes.subarray(at, at + length)
    at += length
  }
}

export const u32: Arbitrary<number> = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fc.constantFrom(0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1)
)
