/**
 * Yamux frames as bytes, legal or not, and bytes as frames that a test can read. Shares nothing with `src`: what checks
 * an encoder must not be that encoder.
 */

export const SYN = 0x1
export const ACK = 0x2
export const FIN = 0x4
export const RST = 0x8

export const DATA = 0
export const WINDOW_UPDATE = 1
export const PING = 2
export const GO_AWAY = 3

export const HEADER_BYTES = 12
const FLAG_NAMES = ['SYN', 'ACK', 'FIN', 'RST']
const TYPE_NAMES = ['data', 'window', 'ping', 'goaway']

/** What a frame says, whether or not it may be said. */
export interface Frame {
  version: number
  type: number
  flags: number
  streamId: number

  /** As announced: nothing says that as many bytes follow. */
  length: number

  /** Empty for all types but data. */
  body: Uint8Array
}

/** Any frame at all; what is not given is 0, and `length` is that of the body. */
export function frame (fields: Partial<Frame>): Uint8Array {
  const body = fields.body ?? new Uint8Array(0)
  const bytes = new Uint8Array(HEADER_BYTES + body.byteLength)
  const view = new DataView(bytes.buffer)

  view.setUint8(0, fields.version ?? 0)
  view.setUint8(1, fields.type ?? DATA)
  view.setUint16(2, fields.flags ?? 0)
  view.setUint32(4, fields.streamId ?? 0)
  view.setUint32(8, fields.length ?? body.byteLength)
  bytes.set(body, HEADER_BYTES)

  return bytes
}

/** A data frame: a number stands for as many bytes of a pattern, a string for its UTF-8. */
export function data (streamId: number, body: Uint8Array | string | number = 0, flags = 0): Uint8Array {
  return frame({ type: DATA, flags, streamId, body: toBytes(body) })
}

export function windowUpdate (streamId: number, delta = 0, flags = 0): Uint8Array {
  return frame({ type: WINDOW_UPDATE, flags, streamId, length: delta })
}

export function ping (value = 0, flags = SYN, streamId = 0): Uint8Array {
  return frame({ type: PING, flags, streamId, length: value })
}

export function pong (value = 0): Uint8Array {
  return ping(value, ACK)
}

export function goAway (code = 0): Uint8Array {
  return frame({ type: GO_AWAY, length: code })
}

/** Bytes none of which tells its neighbours apart by chance: what is cut or swapped is seen. */
export function pattern (byteLength: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(byteLength)

  for (let i = 0; i < byteLength; i++) {
    bytes[i] = (i * 31 + (i >>> 8) * 7 + seed) & 0xff
  }

  return bytes
}

export function join (...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0

  for (const part of parts) {
    bytes.set(part, at)
    at += part.byteLength
  }

  return bytes
}

export function text (bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

export function hex (bytes: Uint8Array): string {
  return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')
}

export function fromHex (digits: string): Uint8Array {
  const pairs = digits.replaceAll(/\s/g, '').match(/../g) ?? []

  return Uint8Array.from(pairs, pair => parseInt(pair, 16))
}

/** Frames out of bytes that come in any pieces. */
export class FrameReader {
  #rest = new Uint8Array(0)

  /** The frames that are complete by now. */
  push (...pieces: Uint8Array[]): Frame[] {
    const bytes = join(this.#rest, ...pieces)
    const frames: Frame[] = []
    let at = 0

    while (bytes.byteLength - at >= HEADER_BYTES) {
      const view = new DataView(bytes.buffer, at)
      const type = view.getUint8(1)
      const length = view.getUint32(8)
      const end = at + HEADER_BYTES + (type === DATA ? length : 0)

      if (end > bytes.byteLength) {
        break
      }

      frames.push({
        version: view.getUint8(0),
        type,
        flags: view.getUint16(2),
        streamId: view.getUint32(4),
        length,
        body: bytes.slice(at + HEADER_BYTES, end)
      })
      at = end
    }

    this.#rest = bytes.slice(at)

    return frames
  }

  /** Bytes of a frame that is not complete. */
  get pending (): number {
    return this.#rest.byteLength
  }
}

/** All frames of these bytes, which must be whole. */
export function parseFrames (...pieces: Uint8Array[]): Frame[] {
  const reader = new FrameReader()
  const frames = reader.push(...pieces)

  if (reader.pending > 0) {
    throw new Error(`${reader.pending} bytes follow the last whole frame`)
  }

  return frames
}

/**
 * A frame in one line: `data 1 5`, `data|FIN 1 0`, `window|SYN 1 +0`, `window|RST 1 4097`, `ping|SYN 7`, `goaway 1`.
 * A session frame names its stream only if that is not 0, which it should be.
 */
export function lineOf ({ version, type, flags, streamId, length }: Frame): string {
  const names = FLAG_NAMES.filter((_, bit) => (flags & 1 << bit) !== 0)

  if (flags > 0xf) {
    names.push(`0x${(flags & 0xfff0).toString(16)}`)
  }

  const what = [TYPE_NAMES[type] ?? `type${type}`, ...names].join('|')
  const where = type > WINDOW_UPDATE && streamId === 0 ? '' : ` ${streamId}`
  const sign = type === WINDOW_UPDATE && (flags & RST) === 0 ? '+' : ''

  return `${version === 0 ? '' : `v${version} `}${what}${where} ${sign}${length}`
}

function toBytes (body: Uint8Array | string | number): Uint8Array {
  if (typeof body === 'number') {
    return pattern(body)
  }

  return typeof body === 'string' ? new TextEncoder().encode(body) : body
}
