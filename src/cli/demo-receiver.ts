/**
 * @packageDocumentation
 *
 * The second process of the demonstration: a node that takes one file, echoes on
 * every other stream, and reports to the first process over the channel between
 * them. When that channel closes, for whatever reason, this process ends.
 */

import { once } from 'node:events'
import { join } from 'node:path'
import { handleEcho, ECHO_PROTOCOL } from './echo.ts'
import { messageOf, UsageError } from './errors.ts'
import { FILE_PROTOCOL } from './file-protocol.ts'
import { createNode } from './node.ts'
import { receiveFile } from './receive-file.ts'
import { muxerStatistics, streamStatistics } from './statistics.ts'
import { rememberTemporary } from './temporary.ts'
import type { MuxerName } from './args.ts'
import type { MuxerStatistics, StreamStatistics } from './statistics.ts'
import type { Stream } from '@libp2p/interface'

export interface Listening {
  type: 'listening'
  address: string
}

export interface Received {
  type: 'received'
  size: number

  /**
   * Of what was read back from the disk
   */
  sha256: string
  millis: number
  stream: StreamStatistics
  muxer: MuxerStatistics
}

export interface Failed {
  type: 'failed'
  message: string
}

export type Report = Listening | Received | Failed

/**
 * Where in the directory of the demonstration the file is received
 */
export function inbox (directory: string): string {
  return join(directory, 'received')
}

export async function runDemoReceiver (directory: string, muxer: MuxerName): Promise<void> {
  if (process.send == null) {
    throw new UsageError('demo-receiver is started by "libp2p-muxers demo"')
  }

  const controller = new AbortController()
  // the first process may have died while this one was starting
  const disconnected = (process.connected ? once(process, 'disconnect') : Promise.resolve()).then(() => { controller.abort() })

  // Ctrl-C reaches both processes: the first one decides, and closes the channel
  process.on('SIGINT', () => {})
  process.on('SIGHUP', () => {})
  // should the first process be killed, nobody else would remove it
  rememberTemporary(directory)

  const node = await createNode('/ip4/127.0.0.1/tcp/0', muxer)

  async function take (stream: Stream): Promise<void> {
    // a closed stream is no longer among those of its muxer
    const connection = node.muxerOf(stream)
    let receiveWindow: number | undefined

    try {
      const { size, sha256, millis } = await receiveFile(stream, {
        directory: inbox(directory),
        signal: controller.signal,
        rehash: true,
        onProgress: () => {
          // the window of a stream that is over says nothing about the largest one
          receiveWindow = larger(receiveWindow, streamStatistics(stream).receiveWindow)
        }
      })

      report({
        type: 'received',
        size,
        sha256,
        millis,
        stream: { receiveWindow },
        muxer: muxerStatistics(connection)
      })
    } catch (err) {
      report({ type: 'failed', message: messageOf(err) })
    }
  }

  try {
    await node.libp2p.handle(FILE_PROTOCOL, take)
    await node.libp2p.handle(ECHO_PROTOCOL, handleEcho, { maxInboundStreams: Infinity })

    report({ type: 'listening', address: node.libp2p.getMultiaddrs()[0].toString() })
    await disconnected
  } finally {
    await node.stop()
  }
}

function larger (known: number | undefined, next: number | undefined): number | undefined {
  return known == null || next == null ? next ?? known : Math.max(known, next)
}

function report (report: Report): void {
  // without the callback, a channel that closes right now would be an uncaught error
  process.send?.(report, undefined, {}, () => {})
}
