/**
 * @packageDocumentation
 *
 * `libp2p-muxers send`: one file to one peer.
 */

import { FILE_PROTOCOL } from './file-protocol.ts'
import { createNode, dial, openStream, parsePeerAddress } from './node.ts'
import { formatBytes, formatRate } from './progress.ts'
import { openSource, sendFile } from './send-file.ts'
import type { SendCommand } from './args.ts'
import type { Progress } from './progress.ts'

export async function runSend (command: SendCommand, progress: Progress, signal: AbortSignal): Promise<void> {
  const source = await openSource(command.file)

  try {
    const address = parsePeerAddress(command.address)
    const node = await createNode(undefined, command.muxer)

    try {
      const connection = await dial(node, address, signal)
      const stream = await openStream(connection, FILE_PROTOCOL, signal)
      const task = progress.start(source.name, source.size)

      try {
        const sent = await sendFile(stream, source, { signal, onProgress: bytes => { task.update(bytes) } })

        progress.print(`sent ${source.name}: ${formatBytes(source.size)}, ${formatRate(source.size * 1_000 / sent.millis)}, sha-256 ${sent.sha256}, stored as ${sent.storedAs}`)
      } finally {
        task.end()
      }
    } finally {
      await node.stop()
    }
  } finally {
    await source.file.close()
  }
}
