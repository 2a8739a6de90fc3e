/** What tests do with streams, be they ours or theirs. */
import { createHash } from 'node:crypto'
import { MuxedStream } from '../../../src/yamux.ts'
import { Random } from '../../simulation/kit/random.ts'
import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'

export type Chunk = Uint8Array | Uint8ArrayList

/** The same bytes every time. */
export function someBytes (length: number): Uint8Array {
  const random = new Random(length)
  const words = new Uint32Array(Math.ceil(length / 4))

  for (let i = 0; i < words.length; i++) {
    words[i] = random.next() * 2 ** 32
  }

  return new Uint8Array(words.buffer, 0, length)
}

/** Hands over every chunk until the peer ends; rejects when the stream is cut. */
export async function readEach (stream: Stream, onChunk: (chunk: Chunk) => void | Promise<void>): Promise<void> {
  if (stream instanceof MuxedStream) {
    for await (const chunk of stream) {
      await onChunk(chunk)
    }
  } else {
    await listenToEach(stream, onChunk)
  }
}

/**
 * By events: the iterator of `@libp2p/utils` never ends when it is attached after the FIN (A4), which for a short
 * message may come with what negotiates the protocol.
 */
async function listenToEach (stream: Stream, onChunk: (chunk: Chunk) => void | Promise<void>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onEnd = (): void => {
      if (stream.status === 'open' || stream.status === 'closed') {
        resolve()
      }
    }

    stream.addEventListener('message', (event: StreamMessageEvent) => { void onChunk(event.data) })
    stream.addEventListener('end', onEnd)
    stream.addEventListener('remoteCloseWrite', () => {
      if (stream.readBufferLength === 0) {
        onEnd()
      }
    })
    stream.addEventListener('close', (event: StreamCloseEvent) => {
      if (event.error == null) {
        resolve()
      } else {
        reject(event.error)
      }
    })

    if (stream.readableEnded || (stream.remoteWriteStatus === 'closed' && stream.readBufferLength === 0)) {
      onEnd()
    }
  })
}

export async function readAll (stream: Stream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []

  await readEach(stream, chunk => {
    chunks.push(chunk.subarray())
  })

  return Buffer.concat(chunks)
}

/** Writes everything, as fast as the stream asks for it, and ends. */
export async function writeAll (stream: Stream, bytes: Uint8Array): Promise<void> {
  await writeSome(stream, bytes)
  await stream.close()
}

export async function writeSome (stream: Stream, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; at += 65_536) {
    if (!stream.send(bytes.subarray(at, at + 65_536))) {
      await stream.onDrain()
    }
  }
}

/** Writes until it fails. */
export async function writeForever (stream: Stream): Promise<never> {
  const bytes = new Uint8Array(65_536)

  while (true) {
    if (!stream.send(bytes)) {
      await stream.onDrain()
    }

    // the `onDrain()` of theirs waits once only (A1): others want to live as well
    await new Promise(resolve => setImmediate(resolve))
  }
}

export async function echo (stream: Stream): Promise<void> {
  await readEach(stream, async chunk => {
    if (!stream.send(chunk) && stream instanceof MuxedStream) {
      await stream.onDrain()
    }
  })
  await stream.close()
}

/** What the stream says at its end. */
export async function closeEvent (stream: Stream): Promise<StreamCloseEvent> {
  return new Promise(resolve => {
    stream.addEventListener('close', resolve, { once: true })
  })
}

export function sha256 (bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
