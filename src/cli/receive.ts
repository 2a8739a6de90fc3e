/**
 * @packageDocumentation
 *
 * `libp2p-muxers receive`: take files from whoever sends some, until interrupted.
 * A file that fails is reported and does not end the program.
 */

import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CliError, fileProblem, messageOf } from './errors.ts'
import { FILE_PROTOCOL } from './file-protocol.ts'
import { createNode } from './node.ts'
import { PartFile } from './part-file.ts'
import { formatBytes, formatRate } from './progress.ts'
import { receiveFile, refuseFile } from './receive-file.ts'
import type { ReceiveCommand } from './args.ts'
import type { Output, Progress, ProgressTask } from './progress.ts'
import type { Stream } from '@libp2p/interface'

/**
 * Files taken at the same time: each holds an open file and a receive window, and
 * anyone may open streams
 */
const MAX_TRANSFERS = 16

export async function runReceive (command: ReceiveCommand, progress: Progress, errors: Output, signal: AbortSignal): Promise<void> {
  const directory = resolve(command.out)
  await checkDirectory(directory)

  const node = await createNode(command.listen, command.muxer)
  const transfers = new Set<Promise<void>>()

  async function take (stream: Stream): Promise<void> {
    let task: ProgressTask | undefined

    try {
      const file = await receiveFile(stream, {
        directory,
        signal,
        onHeader: ({ name, size }) => { task = progress.start(name, size) },
        onProgress: bytes => { task?.update(bytes) }
      })

      task?.end()
      progress.print(`received ${file.name}: ${formatBytes(file.size)}, ${formatRate(file.size * 1_000 / file.millis)}, sha-256 ${file.sha256}`)
    } catch (err) {
      task?.end()
      errors.write(`libp2p-muxers: ${messageOf(err)}\n`)
    }
  }

  try {
    await node.libp2p.handle(FILE_PROTOCOL, async stream => {
      if (transfers.size >= MAX_TRANSFERS) {
        await refuseFile(stream, 'the receiver is busy with other files, try again later')
        return
      }

      const transfer = take(stream)
      transfers.add(transfer)
      await transfer
      transfers.delete(transfer)
    })

    progress.print(`receiving files into ${directory}, from anyone who can reach one of these addresses:`)

    for (const address of node.libp2p.getMultiaddrs()) {
      progress.print(`  ${address.toString()}`)
    }

    progress.print('send one with: libp2p-muxers send FILE ADDRESS; stop with Ctrl-C')

    if (!signal.aborted) {
      await once(signal, 'abort')
    }

    if (transfers.size > 0) {
      await Promise.all(transfers)
      // to stop an idle receiver is its normal end, to cut off a file is not
      throw signal.reason
    }
  } finally {
    await node.stop()
  }
}

/**
 * Find out now rather than when the first file comes. Permissions alone do not tell:
 * the file system may be read-only, or full
 */
async function checkDirectory (directory: string): Promise<void> {
  try {
    if (!(await stat(directory)).isDirectory()) {
      throw new CliError(`cannot write to ${directory}: it is not a directory; give one with --out`)
    }
  } catch (err) {
    throw fileProblem(err, 'write to', directory)
  }

  const probe = await PartFile.create({ directory, name: 'probe', size: 0 })
  await probe.discard()
}
