/** Who always finds something to do, and the event loop, which has its turn all the same. */
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

/**
 * Deliveries of all connections together may take so many milliseconds of one turn. Node.js reads up to 2 MiB of each socket in a
 * turn, which in frames of a byte are 160,000, and 0.15 s: eight such peers held everybody else up for 2 s.
 */
const DELIVERY_MILLIS_A_TURN = 50

/**
 * Only what took as long, in this turn and those before, is looked at when a turn is over: that takes the event loop one
 * more round through the kernel, which a conversation pays for once in hundreds of messages so.
 */
const WATCHED_MILLIS = 10

let deliveryMillis = 0
let watched = false

/**
 * A delivery took so long. `true`: its connection brings no more until others had their turn. Browsers have a task for each
 * message of a socket, and would go on to fill the buffer of one that is paused.
 */
export function spendTurn (millis: number): boolean {
  if (globalThis.setImmediate === undefined) {
    return false
  }

  deliveryMillis += millis

  if (deliveryMillis >= WATCHED_MILLIS && !watched) {
    watched = true
    afterTurn(onTurn)
  }

  return deliveryMillis >= DELIVERY_MILLIS_A_TURN
}

function onTurn (): void {
  watched = false
  deliveryMillis = 0
}
