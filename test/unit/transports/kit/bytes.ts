/** Sending and receiving as applications do. */
import { Uint8ArrayList } from 'uint8arraylist'
import { turn } from '../../../support/waiting.ts'
import type { MessageStream } from '@libp2p/interface'
import type { Duplex } from 'node:stream'

/** Bytes of which no two neighbouring kilobytes are alike. */
export function pattern (length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let value = 1

  for (let i = 0; i < length; i++) {
    value = (value * 48_271) % 2_147_483_647
    bytes[i] = value
  }

  return bytes
}

/** All in pieces, as fast as the stream takes them. */
export async function sendAll (stream: MessageStream, bytes: Uint8Array, pieceLength = 60_000): Promise<void> {
  for (let at = 0; at < bytes.byteLength; at += pieceLength) {
    if (!stream.send(bytes.subarray(at, at + pieceLength))) {
      await stream.onDrain()
    }
  }
}

/** Everything up to the end. */
export async function receiveAll (stream: AsyncIterable<Uint8Array | Uint8ArrayList>): Promise<Uint8Array> {
  const list = new Uint8ArrayList()

  for await (const data of stream) {
    list.append(data)
  }

  return list.subarray()
}

/** Sends back what comes, and ends when the other end does. */
export async function echo (stream: MessageStream): Promise<void> {
  for await (const data of stream) {
    if (!stream.send(data)) {
      await stream.onDrain()
    }
  }

  await stream.close()
}

/** More turns of the event loop than a loopback socket ever takes to move on. */
const STUCK_TURNS = 300

/** Sends until nothing moves any more; the bytes that were taken. Rejects beyond the limit. */
export async function fill (stream: MessageStream, limit: number): Promise<number> {
  const piece = new Uint8Array(65_536)
  let sent = 0
  let idle = 0

  while (idle < STUCK_TURNS) {
    if (stream.writableNeedsDrain) {
      idle++
      await turn()
      continue
    }

    idle = 0
    stream.send(piece)
    sent += piece.byteLength

    if (sent > limit) {
      throw new Error(`the stream took ${sent} bytes that nobody reads`)
    }
  }

  return sent
}

/** Unlike that of `once()`, not broken by an error. */
export async function closeOf (duplex: Duplex): Promise<void> {
  await new Promise<void>(resolve => {
    duplex.once('close', resolve)
  })
}
