/** Readers who always find something to read, and the event loop, which has its turn all the same. */
import { afterTurn } from './clock.ts'

/**
 * After so many reads the event loop has its turn, about every 2 ms: one who reads what is here already goes on for as long as there
 * is any, and 10 MiB of empty messages, a byte each, held everybody else up for 1.8 s.
 */
const READS_A_TURN = 4_096

/** Of all streams: a connection hands its bytes to many, and all of their readers go on in the same turn. */
let reads = 0

/** Counts a read. `true`: others have their turn before it. */
export function isOthersTurn (): boolean {
  return ++reads % READS_A_TURN === 0
}

/** Once the event loop has had its turn. */
export async function afterOthers (): Promise<void> {
  await new Promise<void>(resolve => {
    afterTurn(resolve)
  })
}
