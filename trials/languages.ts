/** The languages on the wire, as the trials see them: an engine, a decoder, and bytes that mean something to both. */
import { mplexFrame } from '../attacks/dialects.ts'
import { resolveConfig as resolveMplex } from '../src/protocols/mplex/config.ts'
import { Decoder as MplexDecoder } from '../src/protocols/mplex/decoder.ts'
import { MplexEngine } from '../src/protocols/mplex/engine.ts'
import { resolveConfig as resolveYamux } from '../src/protocols/yamux/config.ts'
import { Decoder as YamuxDecoder } from '../src/protocols/yamux/decoder.ts'
import { YamuxEngine } from '../src/protocols/yamux/engine.ts'
import { DATA, SYN, frame, fromHex, join, windowUpdate } from '../test/support/frames.ts'
import { readText } from '../test/support/repository.ts'
import type { BaseDecoder } from '../src/core/decoder.ts'
import type { Engine } from '../src/core/engine.ts'
import type { Role } from '../src/core/stream-table.ts'
import type { MuxerOptions } from '../src/interface/options.ts'
import type { Random } from '../test/simulation/kit/random.ts'

export interface Language {
  name: string
  createEngine(role: Role, options: MuxerOptions, now: number): Engine
  createDecoder(): BaseDecoder

  /** Conversations that are right, or known to be wrong in an interesting way. */
  seeds: Uint8Array[]

  /** A frame of which every field may be anything, and most are what an engine will follow. */
  frame(random: Random): Uint8Array

  /** Opens one stream after the other, perhaps more than may be open, and sends on them. */
  openings(random: Random): Uint8Array
}

/** The vectors that all tests share. */
function vectors (name: string): Uint8Array[] {
  const list = JSON.parse(readText('test', 'vectors', `${name}.json`)) as Array<{ hex: string }>

  return list.map(({ hex }) => fromHex(hex)).filter(bytes => bytes.byteLength > 0)
}

const LENGTHS = [0, 1, 11, 12, 100, 65_536, 262_144, 262_145, 2 ** 31, 2 ** 32 - 1]

/** Opens streams of ids that follow each other, all of them the same peer's, and says something on the first. */
function openingsOf (random: Random, step: number, open: (id: number) => Uint8Array, data: (id: number, body: Uint8Array, length: number) => Uint8Array): Uint8Array {
  const first = random.int(0, 60)
  const openings = Array.from({ length: random.int(1, 16) }, (_, index) => open(first + index * step))
  const body = bodyOf(random)

  return join(...openings, data(first, body, lengthOf(random, body.byteLength)))
}

function lengthOf (random: Random, body: number): number {
  return random.chance(0.8) ? body : random.pick(LENGTHS)
}

function bodyOf (random: Random): Uint8Array {
  return new Uint8Array(random.chance(0.3) ? 0 : random.magnitude(1, 400))
}

export const YAMUX: Language = {
  name: 'yamux',
  createEngine: (role, options, now) => new YamuxEngine(role, resolveYamux(options), now),
  createDecoder: () => new YamuxDecoder(),
  seeds: vectors('yamux'),

  frame: random => {
    const type = random.chance(0.02) ? random.int(0, 255) : random.pick([0, 0, 0, 1, 1, 1, 2, 3])
    const body = type === 0 ? bodyOf(random) : undefined
    // most connections go on for longer than one GoAway
    const number = type === 3 && random.chance(0.8) ? 0 : random.pick(LENGTHS)

    return frame({
      version: random.chance(0.01) ? 1 : 0,
      type,
      flags: random.chance(0.05) ? random.int(0, 0xffff) : random.pick([0, 0, 0, 1, 1, 2, 4, 8, 3, 5, 9]),
      streamId: random.chance(0.05) ? random.int(0, 2 ** 32 - 1) : random.int(0, 12),
      body,
      length: body === undefined ? number : lengthOf(random, body.byteLength)
    })
  },

  openings: random => openingsOf(random, 2, id => windowUpdate(id, 0, SYN), (streamId, body, length) => frame({ type: DATA, streamId, body, length }))
}

export const MPLEX: Language = {
  name: 'mplex',
  // small limits are met, and this one is a limit of its own
  createEngine: (_, options, now) => new MplexEngine(resolveMplex(options.budgets === undefined ? options : { ...options, maxStreamBufferSize: 1_000 }), now),
  createDecoder: () => new MplexDecoder(),
  seeds: vectors('mplex'),

  frame: random => {
    const body = bodyOf(random)
    const id = random.chance(0.05) ? random.int(0, 2 ** 40) : random.int(0, 6)

    return mplexFrame(id, random.chance(0.02) ? 7 : random.pick([0, 0, 1, 1, 2, 2, 2, 3, 4, 5, 6]), body, lengthOf(random, body.byteLength))
  },

  openings: random => openingsOf(random, 1, id => mplexFrame(id, 0), (id, body, length) => mplexFrame(id, 2, body, length))
}

export const LANGUAGES: Language[] = [YAMUX, MPLEX]

/** @throws for a name that is none */
export function languageOf (name: string): Language {
  const language = LANGUAGES.find(each => each.name === name)

  if (language === undefined) {
    throw new Error(`there is no muxer ${name}; there are ${LANGUAGES.map(each => each.name).join(', ')}`)
  }

  return language
}
