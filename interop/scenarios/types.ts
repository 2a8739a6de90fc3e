/** What a scenario is, and what it works with. */
import type { YamuxOptions } from '../../src/yamux.ts'
import type { MuxerName, Ours } from '../ours/index.ts'
import type { Ability, Peer } from '../peers/index.ts'
import type { Program } from '../peers/program.ts'

/** Which side dials, as we see it. */
export type Direction = 'dial' | 'listen'

export interface Cell extends Ours {
  peer: Peer
  program: Program
  direction: Direction

  /** Aborts when the cell has taken too long. */
  signal: AbortSignal

  /** A number of bytes, less where the peer is slow. */
  bulk(bytes: number): number

  /** How often, less where the peer is slow. */
  times(count: number): number
}

export interface Scenario {
  name: string
  title: string

  /** What the peer's program does, and the number that it is told with it. */
  mode: string
  number?: number | ((peer: Peer) => number)

  /** Where not all muxers can. @default all */
  muxers?: MuxerName[]
  needs?: Ability[]

  /** How long it may take. @default 30 */
  seconds?: number

  /** Milliseconds from one end to the other. @default 0 */
  distance?: number

  /** Of our muxer. */
  options?: YamuxOptions

  /** The connection is ended by the scenario. */
  ends?: boolean

  /** Throws when something is not as it should be; may return what is worth a note. */
  run(cell: Cell): Promise<string | undefined>
}

export function expectThat (condition: boolean, otherwise: string): asserts condition {
  if (!condition) {
    throw new Error(otherwise)
  }
}
