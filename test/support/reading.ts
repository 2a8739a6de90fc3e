/** Reads all that waits, as an application would: piece by piece. */
import type { Engine } from '../../src/core/engine.ts'
import type { ReceiveQueue } from '../../src/core/receive-queue.ts'
import type { StreamRecord } from '../../src/core/stream-record.ts'

function all (read: () => Uint8Array | undefined): Uint8Array[] {
  const pieces: Uint8Array[] = []

  for (let piece = read(); piece !== undefined; piece = read()) {
    pieces.push(piece)
  }

  return pieces
}

export function takeAll (queue: ReceiveQueue, max?: number): Uint8Array[] {
  return all(() => queue.shift(max))
}

export function readAll (engine: Engine, stream: StreamRecord, now: number): Uint8Array[] {
  return all(() => engine.read(stream, Infinity, now))
}
