/** Bytes on streams: a pattern that shows what is lost or swapped, written and checked. */
import { expectThat } from './types.ts'
import type { Cell } from './types.ts'
import type { MuxedStream } from '../../src/yamux.ts'

const PERIOD = 251
const BLOCK = new Uint8Array(PERIOD * 4_096).map((_, index) => index % PERIOD)
const CHUNK_BYTES = 65_536

/** Bytes of the pattern, from an offset on, at most one block less one period. */
export function pattern (length: number, offset = 0): Uint8Array {
  return BLOCK.subarray(offset % PERIOD, offset % PERIOD + length)
}

export async function writePattern (stream: MuxedStream, length: number, signal?: AbortSignal): Promise<void> {
  for (let at = 0; at < length; at += CHUNK_BYTES) {
    await stream.write(pattern(Math.min(CHUNK_BYTES, length - at), at), { signal })
  }
}

/** Reads to the end, and checks that all is of the pattern. Returns how much it was. */
export async function readPattern (stream: MuxedStream, signal?: AbortSignal, onBytes: (total: number) => void = () => {}): Promise<number> {
  let total = 0

  for (let chunk = await stream.read({ signal }); chunk !== null; chunk = await stream.read({ signal })) {
    for (let at = 0; at < chunk.byteLength;) {
      const part = chunk.subarray(at, at + BLOCK.byteLength - PERIOD)

      expectThat(Buffer.compare(part, pattern(part.byteLength, total)) === 0, `bytes from ${total} on are not those that were sent`)
      at += part.byteLength
      total += part.byteLength
    }

    onBytes(total)
  }

  return total
}

/** Sends so many bytes on a stream, ends our half, and wants them back. */
export async function echoOn (stream: MuxedStream, length: number, signal?: AbortSignal): Promise<void> {
  const [received] = await Promise.all([
    readPattern(stream, signal),
    writePattern(stream, length, signal).then(async () => stream.closeWrite({ signal }))
  ])

  expectThat(received === length, `${received} bytes of ${length} came back`)
}

export async function echo (cell: Cell, length: number): Promise<void> {
  await echoOn(await cell.open(cell.signal), length, cell.signal)
}

/** One small message there and back, on a stream that stays open. Returns the milliseconds. */
export async function pingPong (stream: MuxedStream, signal: AbortSignal): Promise<number> {
  const started = performance.now()

  await stream.write(pattern(64), { signal })

  const answer = await stream.read({ bytes: 64, signal })

  expectThat(Buffer.compare(answer, pattern(64)) === 0, 'the echo is not what was sent')

  return performance.now() - started
}

/** For peers that open streams: echoes whatever they open, and collects what went wrong. */
export function echoInbound (cell: Cell): { opened: number, failures: Error[] } {
  const result = { opened: 0, failures: [] as Error[] }

  cell.onStream(stream => {
    result.opened++
    echoBack(stream, cell.signal).catch(err => { result.failures.push(err) })
  })

  return result
}

async function echoBack (stream: MuxedStream, signal: AbortSignal): Promise<void> {
  for (let chunk = await stream.read({ signal }); chunk !== null; chunk = await stream.read({ signal })) {
    await stream.write(chunk, { signal })
  }

  await stream.closeWrite({ signal })
}

/** Until nothing more comes while nobody reads: the window is full, or nothing bounds it. */
export async function fill (stream: MuxedStream, cell: Cell): Promise<number> {
  let before = -1
  let still = 0

  while (still < 10 && !cell.signal.aborted) {
    still = stream.readBufferLength === before ? still + 1 : 0
    before = stream.readBufferLength
    await new Promise<void>(resolve => { setTimeout(resolve, 20) })
  }

  return before
}

/** What a promise rejects with, or `undefined`. */
export async function failureOf (promise: Promise<unknown>): Promise<Error & { code?: number, origin?: string } | undefined> {
  return promise.then(() => undefined, err => err)
}

export function median (values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}
