/**
 * @packageDocumentation
 *
 * `libp2p-muxers demo`: this process sends a file over one stream to a second one
 * while other streams of the same connection echo small messages, then says how
 * that went. It fails unless everything arrived as it was sent.
 */

import { setMaxListeners } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inbox } from './demo-receiver.ts'
import { ECHO_PROTOCOL, EchoLoad } from './echo.ts'
import { CliError, fileProblem, PeerGoneError } from './errors.ts'
import { FILE_PROTOCOL } from './file-protocol.ts'
import { generateFile } from './generate.ts'
import { createNode, dial, openStream, parsePeerAddress } from './node.ts'
import { checkSpace } from './part-file.ts'
import { formatBytes, formatRate } from './progress.ts'
import { ReceiverProcess } from './receiver-process.ts'
import { openSource, sendFile } from './send-file.ts'
import { muxerStatistics } from './statistics.ts'
import { formatTable } from './table.ts'
import { forgetTemporary, rememberTemporary } from './temporary.ts'
import type { DemoCommand } from './args.ts'
import type { Received } from './demo-receiver.ts'
import type { EchoResult } from './echo.ts'
import type { Node } from './node.ts'
import type { Progress } from './progress.ts'
import type { Source } from './send-file.ts'
import type { MuxerStatistics } from './statistics.ts'
import type { Stream } from '@libp2p/interface'

/**
 * How long to wait for the other process' account of a connection that broke
 */
const ACCOUNT_MILLIS = 1_000

interface Outcome {
  received: Received
  echoes: EchoResult
  muxer: MuxerStatistics
  sha256: string
}

export async function runDemo (command: DemoCommand, progress: Progress, signal: AbortSignal): Promise<void> {
  const directory = await makeDirectory()

  try {
    const source = await prepareSource(command, directory, signal)

    try {
      const node = await createNode(undefined, command.muxer)
      const receiver = new ReceiverProcess(mainFile(), directory, command.muxer)

      try {
        progress.print(`sending ${source.name} (${formatBytes(source.size)}) over one stream, with ${command.streams} streams echoing beside it`)
        progress.print(`${node.description}, from process ${process.pid} to process ${receiver.pid ?? '-'}`)

        const outcome = await transfer(command, source, node, receiver, progress, signal)

        progress.print(formatTable(rows(command, source, outcome)))
        judge(source, outcome)
        progress.print('all is right')
      } catch (err) {
        throw err instanceof PeerGoneError ? await receiver.failure(ACCOUNT_MILLIS) ?? err : err
      } finally {
        await Promise.all([node.stop(), receiver.stop()])
      }
    } finally {
      await source.file.close()
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
    forgetTemporary(directory)
  }
}

async function transfer (command: DemoCommand, source: Source, node: Node, receiver: ReceiverProcess, progress: Progress, interrupt: AbortSignal): Promise<Outcome> {
  const echoFailure = new AbortController()
  const signal = AbortSignal.any([interrupt, receiver.signal, echoFailure.signal])
  setMaxListeners(Infinity, signal)

  const address = parsePeerAddress(await receiver.address(signal))
  const connection = await dial(node, address, signal)
  const echoStreams: Stream[] = []

  while (echoStreams.length < command.streams) {
    echoStreams.push(await openStream(connection, ECHO_PROTOCOL, signal))
  }

  const stream = await openStream(connection, FILE_PROTOCOL, signal)
  const muxer = node.muxerOf(stream)
  const echoes = new EchoLoad(echoStreams, signal, err => { echoFailure.abort(err) })
  const task = progress.start(source.name, source.size)
  let sha256: string

  try {
    const sent = await sendFile(stream, source, {
      signal,
      onProgress: bytes => {
        task.update(bytes)

        // what is answered before the first or after the last byte has no rival, and
        // would make the echoes look better than they are
        echoes.measure(bytes < source.size)
      }
    })

    sha256 = sent.sha256
  } finally {
    task.end()
  }

  const result = await echoes.stop()
  signal.throwIfAborted()

  return { sha256, echoes: result, muxer: muxerStatistics(muxer), received: await receiver.received(signal) }
}

function rows (command: DemoCommand, source: Source, { received, echoes, muxer, sha256 }: Outcome): string[][] {
  const same = sha256 === received.sha256

  return [
    ['throughput', `${formatRate(received.size * 1_000 / received.millis)} (${formatBytes(received.size)} in ${(received.millis / 1_000).toFixed(2)} s)`],
    ['SHA-256 sent', sha256],
    ['SHA-256 on disk', same ? 'the same' : received.sha256],
    ['echoes', `${echoes.count} on ${command.streams} streams, ${echoes.measured} of them during the transfer`],
    ['echo p50 / p99', `${formatMillis(echoes.p50)} / ${formatMillis(echoes.p99)}, during the transfer`],
    ['window reached', formatCount(received.stream.receiveWindow, formatBytes)],
    ['round trip', formatMillis(muxer.rttMillis)],
    ['frames', `${formatCount(muxer.framesSent)} sent, ${formatCount(muxer.framesReceived)} received`],
    ['bytes', `${formatCount(muxer.bytesSent)} sent, ${formatCount(muxer.bytesReceived)} received`]
  ]
}

/**
 * The echoes have been judged one by one; had one been wrong we would not be here
 */
function judge (source: Source, { received, sha256 }: Outcome): void {
  if (received.size !== source.size || received.sha256 !== sha256) {
    throw new CliError('what arrived on the disk is not what was sent: the SHA-256 differ')
  }
}

async function makeDirectory (): Promise<string> {
  try {
    const directory = await mkdtemp(join(tmpdir(), 'libp2p-muxers-demo-'))
    rememberTemporary(directory)
    await mkdir(inbox(directory))

    return directory
  } catch (err) {
    throw fileProblem(err, 'write to', tmpdir())
  }
}

async function prepareSource (command: DemoCommand, directory: string, signal: AbortSignal): Promise<Source> {
  if (command.file != null) {
    const source = await openSource(command.file)

    try {
      await checkSpace(directory, source.size)
    } catch (err) {
      await source.file.close()
      throw err
    }

    return source
  }

  const size = command.size * 1024 * 1024
  const path = join(directory, `${command.size}MiB.bin`)

  // it exists twice, as sent and as received
  await checkSpace(directory, 2 * size)
  await generateFile(path, size, signal)

  return openSource(path)
}

/**
 * `main.ts` runs from the sources, `main.js` from the package
 */
function mainFile (): string {
  const self = fileURLToPath(import.meta.url)

  return join(self, '..', `main${extname(self)}`)
}

function formatMillis (millis: number | undefined): string {
  return millis == null ? '-' : `${millis.toFixed(2)} ms`
}

function formatCount (count: number | undefined, format = (value: number) => value.toLocaleString('en-US')): string {
  return count == null ? '-' : format(count)
}
