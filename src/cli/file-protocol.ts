/**
 * @packageDocumentation
 *
 * The language of `/libp2p-muxers/file/1.0.0`, without any I/O:
 *
 * ```
 * sender   → receiver   length (uint16, big endian) · header (JSON) · contents · SHA-256 (32 bytes) · end of stream
 * receiver → sender     length (uint16, big endian) · receipt (JSON) · end of stream
 * ```
 *
 * The header names the file and its size, so the contents need no framing. The
 * hash is the commitment of the sender: one that cannot go on resets the stream
 * instead, and a receiver without it keeps nothing. The receipt may come before
 * the contents are through when the receiver gives up. What is parsed here comes
 * from a stranger; all of it is bounded and checked.
 */

import { FileProtocolError, oneLine } from './errors.ts'

export const FILE_PROTOCOL = '/libp2p-muxers/file/1.0.0'

/**
 * Bytes of a header: a name of 255 bytes needs at most six times as many when
 * each is written as a JSON escape, the rest is for fields of later versions
 */
export const MAX_HEADER_LENGTH = 4_096

/**
 * Bytes of a receipt: one name, or one sentence
 */
export const MAX_RECEIPT_LENGTH = 4_096

/**
 * Bytes of a file name: the limit of nearly all file systems
 */
export const MAX_NAME_LENGTH = 255

/**
 * Bytes of the length before a header or a receipt
 */
export const PREFIX_LENGTH = 2

export const HASH_LENGTH = 32

/**
 * Characters kept of what a receiver says went wrong
 */
const MAX_REASON_LENGTH = 300

export interface FileHeader {
  name: string
  size: number
}

/**
 * `name` is the one under which the receiver keeps the file
 */
export type Receipt = { ok: true, name: string } | { ok: false, reason: string }

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

// what Windows reserves, whatever extension follows
const WINDOWS_DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$/i

/**
 * Why this name may not be given to a file here, `undefined` when it may. Names
 * come from peers, so anything that could leave the directory, run as
 * configuration, or look like another name on a terminal is refused
 */
export function nameProblem (name: unknown, platform: string = process.platform): string | undefined {
  if (typeof name !== 'string' || name === '') {
    return 'the file name is empty'
  }

  if (!name.isWellFormed()) {
    return 'the file name is not valid Unicode'
  }

  if (byteLength(name) > MAX_NAME_LENGTH) {
    return `the file name is longer than ${MAX_NAME_LENGTH} bytes`
  }

  if (/[/\\]/.test(name)) {
    return 'the file name holds a path separator'
  }

  // control characters, line separators, and the marks that reverse the order of
  // letters, with which "exe.txt" can be made of "txt.exe"
  if (/[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/u.test(name)) {
    return 'the file name holds a control character'
  }

  // also covers "." and ".."
  if (name.startsWith('.')) {
    return 'the file name begins with a dot (a hidden file could configure a program)'
  }

  if (name.trim() === '') {
    return 'the file name is blank'
  }

  if (platform === 'win32' && (/[<>:"|?*]/.test(name) || /[. ]$/.test(name) || WINDOWS_DEVICE.test(name))) {
    return 'Windows does not allow this file name'
  }
}

export function encodeHeader (header: FileHeader): Uint8Array {
  checkHeader(header.name, header.size)

  return prefixed(JSON.stringify({ name: header.name, size: header.size }), MAX_HEADER_LENGTH)
}

/**
 * @param body - the bytes after the length prefix
 */
export function decodeHeader (body: Uint8Array): FileHeader {
  const { name, size } = parseObject(body, 'header')

  return checkHeader(name, size)
}

export function encodeReceipt (receipt: Receipt): Uint8Array {
  return prefixed(JSON.stringify(
    receipt.ok
      ? { ok: true, name: receipt.name }
      : { ok: false, reason: oneLine(receipt.reason).slice(0, MAX_REASON_LENGTH).toWellFormed() }
  ), MAX_RECEIPT_LENGTH)
}

/**
 * @param body - the bytes after the length prefix
 */
export function decodeReceipt (body: Uint8Array): Receipt {
  const { ok, name, reason } = parseObject(body, 'receipt')

  // the rules of the receiver's system, not of ours
  if (ok === true && nameProblem(name, '') == null) {
    return { ok, name: name as string }
  }

  if (ok === false && typeof reason === 'string') {
    return { ok, reason: oneLine(reason).slice(0, MAX_REASON_LENGTH) }
  }

  throw new FileProtocolError('the receipt is not one of ours')
}

/**
 * Judge an announced length before anything is stored
 */
export function decodePrefix (prefix: Uint8Array, limit: number, what: string): number {
  const length = prefix[0] * 256 + prefix[1]

  if (length === 0 || length > limit) {
    throw new FileProtocolError(`the ${what} announces ${length} bytes, 1 to ${limit} are allowed`)
  }

  return length
}

/**
 * The name to try at the given attempt: `name.ext`, `name (1).ext` and so on,
 * cut so that it stays within the limit of file systems
 */
export function candidateName (name: string, attempt: number): string {
  if (attempt === 0) {
    return name
  }

  const dot = name.lastIndexOf('.')
  // an "extension" of more than a few letters is a part of the name
  const hasExtension = dot > 0 && name.length - dot <= 16
  const extension = hasExtension ? name.slice(dot) : ''
  const stem = hasExtension ? name.slice(0, dot) : name
  const suffix = ` (${attempt})${extension}`

  return `${cutBytes(stem, MAX_NAME_LENGTH - byteLength(suffix))}${suffix}`
}

/**
 * The longest beginning of a text that takes no more than so many bytes
 */
export function cutBytes (text: string, limit: number): string {
  let length = 0
  let kept = ''

  // by code point: half a surrogate pair would not be a name
  for (const character of text) {
    length += byteLength(character)

    if (length > limit) {
      break
    }

    kept += character
  }

  return kept
}

function checkHeader (name: unknown, size: unknown): FileHeader {
  const problem = nameProblem(name)

  if (problem != null) {
    throw new FileProtocolError(problem)
  }

  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new FileProtocolError('the file size is not a whole number')
  }

  return { name: name as string, size }
}

function parseObject (body: Uint8Array, what: string): Record<string, unknown> {
  let value: unknown

  try {
    value = JSON.parse(decoder.decode(body))
  } catch {
    throw new FileProtocolError(`the ${what} is not JSON in UTF-8`)
  }

  if (value == null || typeof value !== 'object' || Array.isArray(value)) {
    throw new FileProtocolError(`the ${what} is not a JSON object`)
  }

  return value as Record<string, unknown>
}

function prefixed (text: string, limit: number): Uint8Array {
  const body = encoder.encode(text)

  if (body.byteLength > limit) {
    throw new FileProtocolError(`${body.byteLength} bytes are too many for a message, ${limit} are allowed`)
  }

  const message = new Uint8Array(PREFIX_LENGTH + body.byteLength)
  message[0] = body.byteLength >> 8
  message[1] = body.byteLength & 0xff
  message.set(body, PREFIX_LENGTH)

  return message
}

function byteLength (text: string): number {
  return encoder.encode(text).byteLength
}
