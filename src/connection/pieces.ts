/** What is handed over at once of the pieces in which bytes wait, and what was handed over as pieces. */
import { Uint8ArrayList } from 'uint8arraylist'
import { FEW_PIECES } from '../core/tail.ts'
import type { ReceiveQueue } from '../core/receive-queue.ts'
import type { Bytes } from '../interface/muxer.ts'

/** Many small pieces are handed over together, up to this many bytes: an event, or a turn of a loop, costs more than they. */
export const MESSAGE_BYTES = 65_536

type Read = (max: number) => Uint8Array | undefined

export function piecesOf (data: Bytes): Uint8Array[] {
  return data instanceof Uint8Array ? [data] : [...data]
}

/** The next bytes, at most `max`: one piece, or some small ones together; or `whole`, all of them. */
export function takeMessage (queue: ReceiveQueue, read: Read, max: number, whole: boolean): Bytes | undefined {
  const first = read(max)

  if (first === undefined || (!whole && (first.byteLength >= MESSAGE_BYTES / 4 || first.byteLength === max || queue.pieces < FEW_PIECES))) {
    return first
  }

  return takeBehind(new Uint8ArrayList(first), queue, whole ? max : Math.min(max, MESSAGE_BYTES), read)
}

/** The next bytes, at most `max`, behind those of the list. */
export function takeBehind (list: Uint8ArrayList, queue: ReceiveQueue, max: number, read: Read = most => queue.shift(most)): Uint8ArrayList {
  while (list.byteLength < max && queue.byteLength > 0) {
    list.append(read(max - list.byteLength) as Uint8Array)
  }

  return list
}
