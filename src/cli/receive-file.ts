/**
 * @packageDocumentation
 *
 * The receiving side of `/libp2p-muxers/file/1.0.0`, on a stream that a peer
 * opened. No more is asked of the stream than the disk has taken, and nothing that
 * the peer says is believed: neither the name nor the size nor the hash.
 */

import { createHash } from 'node:crypto'
import { ByteReader, UnexpectedEndError } from './byte-reader.ts'
import { CliError, FileProtocolError, PeerGoneError } from './errors.ts'
import { decodeHeader, encodeReceipt, HASH_LENGTH, MAX_HEADER_LENGTH } from './file-protocol.ts'
import { HEADER_MILLIS, IDLE_MILLIS, StreamGuard } from './guard.ts'
import { hashFile, PartFile } from './part-file.ts'
import { formatBytes } from './progress.ts'
import type { FileHeader } from './file-protocol.ts'
import type { OpenFile } from './part-file.ts'
import type { Stream } from '@libp2p/interface'

/**
 * How long a sender may take to stop after a refusal, and to take a receipt: a few
 * round trips on a bad link
 */
const GOODBYE_MILLIS = 5_000

export interface ReceiveOptions {
  directory: string
  signal?: AbortSignal
  idleMillis?: number
  headerMillis?: number

  /**
   * Compare the hash with what can be read back from the disk instead of with what
   * came in
   */
  rehash?: boolean
  open?: OpenFile
  onHeader?(header: FileHeader): void
  onProgress?(received: number): void
}

export interface ReceivedFile {
  /**
   * The name under which it is kept
   */
  name: string
  size: number
  sha256: string

  /**
   * From the header to the last byte of the contents
   */
  millis: number
}

/**
 * Resolves when the file is in its place and the sender has been told, rejects when
 * there is nothing left of it
 */
export async function receiveFile (stream: Stream, options: ReceiveOptions): Promise<ReceivedFile> {
  const idleMillis = options.idleMillis ?? IDLE_MILLIS
  const guard = new StreamGuard(stream, options.signal)
  const reader = new ByteReader(stream)
  let part: PartFile | undefined
  let header: FileHeader | undefined
  let received = 0

  try {
    header = decodeHeader(await guard.waitFor(reader.message(MAX_HEADER_LENGTH, 'header'), 'it sent no header', options.headerMillis ?? HEADER_MILLIS))
    options.onHeader?.(header)

    const started = performance.now()
    const hash = createHash('sha256')
    part = await PartFile.create({ ...header, directory: options.directory, open: options.open })

    while (received < header.size) {
      const piece = await guard.waitFor(reader.some(header.size - received), 'it sent nothing', idleMillis)

      if (piece == null) {
        throw new UnexpectedEndError()
      }

      if (options.rehash !== true) {
        hash.update(piece)
      }

      await part.write(piece)
      guard.throwIfFailed()
      received += piece.byteLength
      options.onProgress?.(received)
    }

    const millis = performance.now() - started
    const promised = Buffer.from(await guard.waitFor(reader.exactly(HASH_LENGTH), 'it sent no hash', idleMillis))

    if (await guard.waitFor(reader.some(1), 'it did not end the stream', idleMillis) != null) {
      throw new FileProtocolError('the sender sent more than it announced')
    }

    await part.finish()

    const digest = options.rehash === true ? await hashFile(part.path) : hash.digest()

    if (!promised.equals(digest)) {
      throw new CliError(`${header.name} arrived damaged, its SHA-256 differs from the sender's; send it again`, {
        tell: 'the file arrived damaged, its SHA-256 differs; send it again'
      })
    }

    guard.throwIfFailed()

    const name = await part.publish()
    await confirm(stream, guard, name)

    return { name, millis, size: header.size, sha256: Buffer.from(digest).toString('hex') }
  } catch (err) {
    const reason = guard.reason ?? (err instanceof CliError ? err : gone(received, header, err))

    await part?.discard()
    await refuse(stream, reader, reason)

    throw reason
  } finally {
    guard.stop()
  }
}

/**
 * Tell the sender of a stream that its file is not wanted
 */
export async function refuseFile (stream: Stream, reason: string): Promise<void> {
  await refuse(stream, new ByteReader(stream), new CliError(reason, { tell: reason }))
}

/**
 * The file is there whatever becomes of the receipt, so a sender that cannot be
 * told any more is no failure on this side
 */
async function confirm (stream: Stream, guard: StreamGuard, name: string): Promise<void> {
  try {
    stream.send(encodeReceipt({ ok: true, name }))
    await guard.waitFor(stream.close(), 'it did not take the receipt', GOODBYE_MILLIS)
  } catch (err) {
    stream.abort(err instanceof Error ? err : new PeerGoneError('the sender went away'))
  }
}

async function refuse (stream: Stream, reader: ByteReader, reason: Error): Promise<void> {
  if (reason instanceof PeerGoneError || stream.status !== 'open' || stream.writeStatus !== 'writable') {
    stream.abort(reason)
    return
  }

  const guard = new StreamGuard(stream)

  try {
    stream.send(encodeReceipt({ ok: false, reason: reason instanceof CliError ? reason.tell : 'the receiver failed' }))
    await guard.waitFor(stream.close(), 'it did not take the receipt', GOODBYE_MILLIS)
    // a reset right away could overtake the receipt: let the sender read it and stop
    await guard.waitFor(discard(reader), 'it did not stop sending', GOODBYE_MILLIS)
  } catch {
    // the sender stops by a reset, or does not stop at all
  } finally {
    guard.stop()
    stream.abort(reason)
  }
}

async function discard (reader: ByteReader): Promise<void> {
  while (await reader.some(Infinity) != null) {
    // what comes now has no place to go
  }
}

function gone (received: number, header: FileHeader | undefined, cause: unknown): CliError {
  if (cause instanceof Error && cause.name === 'StreamBufferError') {
    return new CliError(`${header?.name ?? 'a file'} came faster than the disk took it, and mplex cannot tell a sender to wait; use yamux at both ends`, {
      cause,
      tell: 'the disk of the receiver is slower than the sender; use yamux at both ends'
    })
  }

  return new PeerGoneError(
    header == null
      ? 'a sender went away before it said what it sends'
      : `the sender of ${header.name} went away after ${formatBytes(received)} of ${formatBytes(header.size)}; nothing was kept, it has to send the file again`,
    cause
  )
}
