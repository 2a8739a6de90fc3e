/**
 * Mplex messages as bytes, legal or not, and bytes as messages that a test can read. Shares nothing with `src`: what
 * checks an encoder must not be that encoder. All numbers are taken as bigints, which is slow and plain.
 */
import { join, pattern, text } from './frames.ts'

export const FLAG_NAMES = ['open', 'message-receiver', 'message-initiator', 'close-receiver', 'close-initiator', 'reset-receiver', 'reset-initiator', 'flag-7']

export type Id = number | bigint

/** What a message says, whether or not it may be said. */
export interface Message {
  flag: number
  id: Id
  body: Uint8Array
}

/** Seven bits a byte, the least first; in more bytes than it takes if so told. */
export function varint (value: Id, least = 1): Uint8Array {
  const bytes: number[] = []
  let left = BigInt(value)

  while (left >= 128n || bytes.length + 1 < least) {
    bytes.push(Number(left % 128n) + 128)
    left /= 128n
  }

  bytes.push(Number(left))

  return Uint8Array.from(bytes)
}

/** The header of a message that announces so many bytes. */
export function header (flag: number, id: Id, length: Id = 0): Uint8Array {
  return join(varint(BigInt(id) * 8n + BigInt(flag)), varint(length))
}

/** A body is bytes, or a text, or so many bytes of a pattern. */
export type Body = Uint8Array | string | number

export function message (flag: number, id: Id, body: Body = 0): Uint8Array {
  const bytes = toBytes(body)

  return join(header(flag, id, bytes.byteLength), bytes)
}

function toBytes (body: Body): Uint8Array {
  if (typeof body === 'number') {
    return pattern(body)
  }

  return typeof body === 'string' ? new TextEncoder().encode(body) : body
}

export function open (id: Id, name = `${id}`): Uint8Array {
  return message(0, id, name)
}

/** Data, from who opened the stream, or to them. */
export const data = { opener: (id: Id, body?: Body) => message(2, id, body), accepter: (id: Id, body?: Body) => message(1, id, body) }
export const close = { opener: (id: Id, body?: Body) => message(4, id, body), accepter: (id: Id, body?: Body) => message(3, id, body) }
export const reset = { opener: (id: Id, body?: Body) => message(6, id, body), accepter: (id: Id, body?: Body) => message(5, id, body) }

/** Messages out of bytes that come in any pieces. */
export class MessageReader {
  #rest: Uint8Array = new Uint8Array(0)

  /** The messages that are complete by now. */
  push (...pieces: Uint8Array[]): Message[] {
    const messages: Message[] = []
    let bytes: Uint8Array = join(this.#rest, ...pieces)

    for (let found = readMessage(bytes); found !== undefined; found = readMessage(bytes)) {
      messages.push(found.message)
      bytes = bytes.subarray(found.end)
    }

    this.#rest = bytes

    return messages
  }

  /** Bytes of a message that is not complete. */
  get pending (): number {
    return this.#rest.byteLength
  }
}

function readMessage (bytes: Uint8Array): { message: Message, end: number } | undefined {
  const head = readVarint(bytes, 0)
  const length = head === undefined ? undefined : readVarint(bytes, head.end)

  if (head === undefined || length === undefined || bytes.byteLength < length.end + Number(length.value)) {
    return undefined
  }

  const id = head.value / 8n
  const end = length.end + Number(length.value)

  return {
    message: { flag: Number(head.value % 8n), id: id <= Number.MAX_SAFE_INTEGER ? Number(id) : id, body: bytes.subarray(length.end, end) },
    end
  }
}

function readVarint (bytes: Uint8Array, at: number): { value: bigint, end: number } | undefined {
  let value = 0n

  for (let scale = 1n; at < bytes.byteLength; scale *= 128n) {
    const byte = bytes[at++]

    value += BigInt(byte % 128) * scale

    if (byte < 128) {
      return { value, end: at }
    }
  }
}

/** `open 0 "0"`, `message-initiator 0 5`, `close-receiver 3`: a length only where there are bytes, a name in quotes. */
export function messageLine ({ flag, id, body }: Message): string {
  const length = body.byteLength > 0 ? ` ${body.byteLength}` : ''

  return `${FLAG_NAMES[flag]} ${id}${flag === 0 ? ` "${text(body)}"` : length}`
}

export function messageLines (...pieces: Uint8Array[]): string[] {
  return new MessageReader().push(...pieces).map(messageLine)
}
