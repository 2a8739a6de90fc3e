/** What a peer may send that has no manners: bytes of no meaning, and bytes of some, changed. */
import type { Random } from '../../test/simulation/kit/random.ts'
import type { Language } from '../languages.ts'

/** Inputs are short: what matters is at their beginning, and many are wanted. */
const MAX_BYTES = 512

function randomBytes (random: Random): Uint8Array {
  const bytes = new Uint8Array(random.magnitude(1, 64))

  for (let i = 0; i < bytes.byteLength; i++) {
    bytes[i] = random.int(0, 255)
  }

  return bytes
}

/** One change: a bit, a byte, a cut, a part left out, or a part repeated. */
function mutate (random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.int(0, bytes.byteLength - 1)
  const length = random.magnitude(1, 16)

  switch (random.int(0, 4)) {
    case 0: {
      const copy = bytes.slice()

      copy[at] ^= 1 << random.int(0, 7)

      return copy
    }
    case 1: {
      const copy = bytes.slice()

      copy[at] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.int(0, 255)])

      return copy
    }
    case 2: return bytes.slice(0, at)
    case 3: return join(bytes.subarray(0, at), bytes.subarray(at + length))
    default: return join(bytes.subarray(0, at + length), bytes.subarray(at))
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

function seed (random: Random, language: Language): Uint8Array {
  return language.seeds.length === 0 ? language.frame(random) : random.pick(language.seeds).subarray(0, MAX_BYTES)
}

export function makeInput (random: Random, language: Language): Uint8Array {
  switch (random.int(0, 9)) {
    case 0: return randomBytes(random)
    case 1: return seed(random, language)
    case 2:
    case 3: {
      let bytes = seed(random, language)

      for (let changes = random.magnitude(1, 4); changes > 0 && bytes.byteLength > 0; changes--) {
        bytes = mutate(random, bytes)
      }

      return bytes
    }
    case 4: return join(seed(random, language), seed(random, language)).subarray(0, MAX_BYTES)
    case 5: return mutate(random, language.frame(random))
    case 6: {
      // floods are what budgets are for
      const frame = language.frame(random)

      return join(...new Array(random.magnitude(1, 40)).fill(frame)).subarray(0, MAX_BYTES)
    }
    default: return language.frame(random)
  }
}
