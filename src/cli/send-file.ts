/**
 * @packageDocumentation
 *
 * The sending side of `/libp2p-muxers/file/1.0.0`, on a stream that is open. The
 * file is read no faster than the stream takes it.
 */

import { createHash } from 'node:crypto'
import { open, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { ByteReader } from './byte-reader.ts'
import { CliError, fileProblem, PeerGoneError, RefusedError } from './errors.ts'
import { decodeReceipt, encodeHeader, MAX_RECEIPT_LENGTH, nameProblem } from './file-protocol.ts'
import { IDLE_MILLIS, RECEIPT_MILLIS, StreamGuard } from './guard.ts'
import { formatBytes } from './progress.ts'
import type { Receipt } from './file-protocol.ts'
import type { Stream } from '@libp2p/interface'
import type { BigIntStats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

/**
 * Bytes read at a time: a few frames of the muxer, so that neither the disk nor
 * the hash of one piece holds up the other streams for long
 */
const READ_LENGTH = 256 * 1024

/**
 * How long to look for a refusal on a stream that failed. It came before the
 * failure or not at all, so this is time to take it in, not to wait for it
 */
const LAST_WORD_MILLIS = 1_000

/**
 * A file that is open for sending
 */
export interface Source {
  path: string
  name: string
  size: number
  file: FileHandle
  before: BigIntStats
}

export interface SendOptions {
  signal?: AbortSignal
  idleMillis?: number
  receiptMillis?: number

  /**
   * Bytes of the contents that the stream has taken
   */
  onProgress?(sent: number): void
}

export interface SentFile {
  /**
   * The name under which the receiver keeps it
   */
  storedAs: string
  sha256: string
  millis: number
}

export async function openSource (path: string): Promise<Source> {
  let file: FileHandle | undefined

  try {
    // before opening: to open a pipe is to wait for its other end
    checkKind(path, await stat(path, { bigint: true }))
    file = await open(path, 'r')

    const before = await file.stat({ bigint: true })
    checkKind(path, before)

    const name = basename(resolve(path))
    const problem = nameProblem(name)

    if (problem != null) {
      throw new CliError(`cannot send ${path}: ${problem}; send a copy with another name`)
    }

    return { path, name, file, before, size: Number(before.size) }
  } catch (err) {
    await file?.close()
    throw fileProblem(err, 'read', path)
  }
}

/**
 * Resolves only when the receiver has confirmed that the file is whole and in its place
 */
export async function sendFile (stream: Stream, source: Source, options: SendOptions = {}): Promise<SentFile> {
  const started = performance.now()
  const idleMillis = options.idleMillis ?? IDLE_MILLIS
  const guard = new StreamGuard(stream, options.signal)
  const hash = createHash('sha256')
  let sent = 0

  // listen from the start: the receiver may refuse while we are still sending
  const receipt = readReceipt(stream)
  receipt.then(({ ok, ...rest }) => {
    if (!ok && 'reason' in rest) {
      guard.fail(new RefusedError(rest.reason))
    }
  }, () => {})

  async function send (bytes: Uint8Array): Promise<void> {
    guard.throwIfFailed()

    if (!stream.send(bytes)) {
      await guard.waitFor(stream.onDrain(), 'it took no data', idleMillis)
    }
  }

  try {
    await send(encodeHeader(source))

    for await (const chunk of contents(source)) {
      hash.update(chunk)
      await send(chunk)
      sent += chunk.byteLength
      options.onProgress?.(sent)
    }

    await checkUnchanged(source, sent)

    const digest = hash.digest()
    await send(digest)
    await guard.waitFor(stream.close(), 'it took no data', idleMillis)

    const answer = await guard.waitFor(receipt, 'it did not confirm the file', options.receiptMillis ?? RECEIPT_MILLIS)

    if (!answer.ok) {
      throw new RefusedError(answer.reason)
    }

    return { storedAs: answer.name, sha256: digest.toString('hex'), millis: performance.now() - started }
  } catch (err) {
    const reason = guard.reason ?? (err instanceof CliError ? err : await lastWord(receipt) ?? gone(sent, source, err))
    stream.abort(reason)

    throw reason
  } finally {
    guard.stop()
  }
}

async function * contents (source: Source): AsyncGenerator<Uint8Array> {
  if (source.size === 0) {
    return
  }

  try {
    yield * source.file.createReadStream({
      start: 0,
      // no further than the header says, however fast the file grows
      end: source.size - 1,
      highWaterMark: READ_LENGTH,
      autoClose: false
    })
  } catch (err) {
    throw fileProblem(err, 'read', source.path)
  }
}

/**
 * A file that was written to in the meantime may have been sent half old and half
 * new, and its hash would confirm that mixture
 */
async function checkUnchanged (source: Source, sent: number): Promise<void> {
  const after = await source.file.stat({ bigint: true })

  if (sent !== source.size || after.size !== source.before.size || after.mtimeNs !== source.before.mtimeNs) {
    const sizes = after.size === source.before.size ? '' : ` (from ${source.before.size} to ${after.size} bytes)`

    throw new CliError(`cannot send ${source.path}: it changed while it was being sent${sizes}; send it again when nothing writes to it`)
  }
}

async function readReceipt (stream: Stream): Promise<Receipt> {
  const reader = new ByteReader(stream)

  return decodeReceipt(await reader.message(MAX_RECEIPT_LENGTH, 'receipt'))
}

async function lastWord (receipt: Promise<Receipt>): Promise<Error | undefined> {
  let timer: NodeJS.Timeout | undefined

  const nothing = new Promise<undefined>(resolve => {
    timer = setTimeout(() => { resolve(undefined) }, LAST_WORD_MILLIS)
  })

  try {
    const word = await Promise.race([receipt, nothing])

    return word?.ok === false ? new RefusedError(word.reason) : undefined
  } catch (err) {
    return err instanceof CliError ? err : undefined
  } finally {
    clearTimeout(timer)
  }
}

function gone (sent: number, source: Source, cause: unknown): PeerGoneError {
  return new PeerGoneError(
    sent < source.size
      ? `the receiver went away after ${formatBytes(sent)} of ${formatBytes(source.size)}; check it and the network, and send the file again`
      : 'the receiver went away before it confirmed the file; look whether the file is there, and send it again if not',
    cause
  )
}

function checkKind (path: string, stats: BigIntStats): void {
  if (stats.isDirectory()) {
    throw fileProblem(Object.assign(new Error(), { code: 'EISDIR' }), 'send', path)
  }

  if (!stats.isFile()) {
    throw new CliError(`cannot send ${path}: it is a device or a pipe, not a file; write its contents into a file first`)
  }
}
