/** Frames as bytes, legal or not. Shares nothing with `src`: what tries a decoder must not be made by its encoder. */
import { RST, SYN, FIN, data, frame, windowUpdate } from '../test/support/frames.ts'
import type { Dialect, Language } from './types.ts'

/** The attacker opened the connection, so its ids are odd. */
export function yamuxId (n: number): number {
  return 2 * n + 1
}

const yamux: Dialect = {
  open: n => windowUpdate(yamuxId(n), 0, SYN),
  data: (n, body) => data(yamuxId(n), body),
  end: n => windowUpdate(yamuxId(n), 0, FIN),
  reset: n => windowUpdate(yamuxId(n), 0, RST),
  resetTheirs: n => windowUpdate(yamuxId(n) + 1, 0, RST),
  announce: (n, length) => frame({ streamId: yamuxId(n), length })
}

/** Flags of mplex, as who opened the stream says them. */
export const NEW_STREAM = 0
const MESSAGE = 2
const CLOSE = 4
const RESET = 6
const RESET_RECEIVER = 5

export function varint (value: number): number[] {
  const bytes: number[] = []

  for (; value >= 0x80; value = Math.floor(value / 128)) {
    bytes.push(value % 128 + 128)
  }

  return [...bytes, value]
}

export function mplexFrame (id: number, flag: number, body: Uint8Array = new Uint8Array(0), length = body.byteLength): Uint8Array {
  return Uint8Array.from([...varint(id * 8 + flag), ...varint(length), ...body])
}

const mplex: Dialect = {
  open: n => mplexFrame(n, NEW_STREAM),
  data: (n, body) => body.byteLength < 256 ? mplexFrame(n, MESSAGE, body) : Buffer.concat([mplexFrame(n, MESSAGE, undefined, body.byteLength), body]),
  end: n => mplexFrame(n, CLOSE),
  reset: n => mplexFrame(n, RESET),
  resetTheirs: n => mplexFrame(n, RESET_RECEIVER),
  announce: (n, length) => mplexFrame(n, MESSAGE, undefined, length)
}

export const DIALECTS: Record<Language, Dialect> = { yamux, mplex }
