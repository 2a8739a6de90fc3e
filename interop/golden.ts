/**
 * Transcripts of small scenarios as test vectors, so that a machine without the toolchains still holds our engines to
 * what real peers say: `npm run interop -- --golden` writes them, `test/vectors/interop.spec.ts` replays them.
 */
import fs from 'node:fs'
import path from 'node:path'
import type { Result } from './cell.ts'
import type { Peer } from './peers/index.ts'

const FOLDER = path.join(import.meta.dirname, '../test/vectors/interop')

/** Those that take few bytes, and in which nothing is cut. */
export const GOLDEN_SCENARIOS = [
  'streams-1', 'half-close-small', 'empty-ours', 'empty-theirs', 'open-few',
  'reset-ours-4099', 'reset-theirs-0', 'reset-theirs-4099', 'goaway-theirs-0', 'goaway-theirs-1'
]

export function writeGolden (peers: Peer[], results: Result[]): string[] {
  fs.mkdirSync(FOLDER, { recursive: true })

  return peers.flatMap(({ name, title, muxer, carrier }) => {
    const conversations = results
      .filter(({ peer, tape }) => peer === name && tape !== undefined)
      .map(({ scenario, direction, tape }) => ({ scenario, weAre: direction === 'dial' ? 'client' : 'server', pieces: tape }))

    if (conversations.length === 0) {
      return []
    }

    const lines = conversations.map(one => `  ${JSON.stringify(one)}`).join(',\n')
    const head = JSON.stringify({ peer: title, muxer, under: carrier === 'host' ? 'TCP and noise, without the encryption' : 'TCP' })

    fs.writeFileSync(path.join(FOLDER, `${name}.json`), `${head.slice(0, -1)},"conversations":[\n${lines}\n]}\n`)

    return [`${name}.json: ${conversations.length} conversations`]
  })
}
