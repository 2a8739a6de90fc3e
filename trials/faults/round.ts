/** One round: connect, send a file while streams echo beside it, and cut the connection somewhere on the way. */
import fs from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { multiaddr } from '@multiformats/multiaddr'
import { ECHO_PROTOCOL, EchoLoad } from '../../src/cli/echo.ts'
import { FILE_PROTOCOL } from '../../src/cli/file-protocol.ts'
import { hashFile } from '../../src/cli/part-file.ts'
import { openSource, sendFile } from '../../src/cli/send-file.ts'
import { NOTICE_MILLIS, abortAll, isOver, watch } from './nodes.ts'
import { Proxy } from './proxy.ts'
import type { MuxerName } from '../command.ts'
import type { Nodes, Watched } from './nodes.ts'
import type { Cut } from './proxy.ts'
import type { MuxedStream } from '../../src/connection/stream.ts'
import type { Random } from '../../test/simulation/kit/random.ts'
import type { Connection, Stream } from '@libp2p/interface'

const ECHOES = 3

/** A handshake of noise and the negotiation of everything are some 2,000 bytes; a file is cut anywhere. */
const MIN_BYTES = 100

/** What a stream may say of a connection that was cut under it; what comes is for each language and cut. */
const CUT_ERRORS = new Set(['ConnectionClosedError', 'TimeoutError', 'StreamResetError', 'ConnectionFailedError'])

/** Errors that say that our own side ended the stream, which is right after it was told that the other end is gone. */
const OWN_ERRORS = new Set(['PeerGoneError', 'InterruptedError', 'StalledError', 'AbortError'])

export interface RoundReport {
  cut: Cut
  after: number

  /** How far it came: the connection was never made, a stream of it was cut, or all was done. */
  reached: 'dialling' | 'transfer' | 'done'

  /** The longest that a stream lived on, in milliseconds. */
  noticedMillis: number
  streams: number
}

export interface RoundInit {
  nodes: Nodes
  muxer: MuxerName
  /** Of the file that is sent, which has so many bytes. */
  file: string
  size: number
  sha256: string
  directory: string
  random: Random
  cuts: Cut[]

  /** One for all rounds: nobody may go on listening to it. */
  signal: AbortSignal
}

/** @throws for what must not be */
export async function runRound (init: RoundInit): Promise<RoundReport> {
  const { nodes, random, size } = init
  const cut = random.pick(init.cuts)
  const after = random.chance(0.1) ? random.magnitude(MIN_BYTES, 5_000) : random.int(MIN_BYTES, Math.floor(size * 1.3))
  const proxy = await Proxy.listen(nodes.port, cut, after)

  nodes.watched = []
  nodes.received = undefined

  try {
    const reached = await use(init, proxy)
    const noticedMillis = await untilOver(init, proxy, cut)

    for (const watched of nodes.watched) {
      checkStream(watched, nodes.watched, proxy, cut)
    }

    await checkFile(init)

    return { cut, after, reached, noticedMillis, streams: nodes.watched.length }
  } catch (err: any) {
    err.message = `${cut} after ${after} bytes: ${err.message}`
    throw err
  } finally {
    abortAll(nodes)
    await proxy.close()
    await until(() => isOver(nodes), NOTICE_MILLIS)
    await emptyDirectory(init.directory)
  }
}

async function use (init: RoundInit, proxy: Proxy): Promise<RoundReport['reached']> {
  const { nodes, signal } = init
  const source = await openSource(init.file)
  let connection: Connection | undefined

  try {
    connection = await nodes.sender.dial(multiaddr(`/ip4/127.0.0.1/tcp/${proxy.port}/p2p/${nodes.receiver.peerId}`), { signal: within(signal) })

    const echoStreams = []

    for (let i = 0; i < ECHOES; i++) {
      const stream = await connection.newStream(ECHO_PROTOCOL, { signal: within(signal) })

      watch(nodes, 'sender', stream)
      echoStreams.push(stream)
    }

    const stream = await connection.newStream(FILE_PROTOCOL, { signal: within(signal) })

    watch(nodes, 'sender', stream)

    const errors: Error[] = []
    const echoes = new EchoLoad(echoStreams, signal, err => errors.push(err))
    const sent = await sendFile(stream, source, { signal }).then(value => value, (err: Error) => err)

    await echoes.stop()

    for (const err of errors) {
      must(proxy.cutAt !== undefined && OWN_ERRORS.has(err.name), `an echo failed by ${err.name}: ${err.message}`)
    }

    if (sent instanceof Error) {
      must(proxy.cutAt !== undefined, `sending failed by ${sent.name}: ${sent.message}`)

      return 'transfer'
    }

    must(sent.sha256 === init.sha256, 'another file was sent')

    return errors.length === 0 && proxy.cutAt === undefined ? 'done' : 'transfer'
  } catch (err: any) {
    must(proxy.cutAt !== undefined, `nothing was cut, and yet: ${err.message}`)

    return connection === undefined ? 'dialling' : 'transfer'
  } finally {
    await source.file.close()

    if (proxy.cutAt === undefined) {
      await connection?.close()
    }
  }
}

/** Waits until both ends have noticed. Returns how long streams lived on after the cut. */
async function untilOver ({ nodes, muxer }: RoundInit, proxy: Proxy, cut: Cut): Promise<number> {
  const open = (): Watched[] => nodes.watched.filter(({ endedAt }) => endedAt === undefined)

  await until(() => open().length === 0, NOTICE_MILLIS)
  must(open().length === 0, `${open().length} of ${nodes.watched.length} streams were still open after ${NOTICE_MILLIS} ms`)

  if (cut === 'blackhole' && muxer === 'mplex') {
    // without pings nothing tells that a connection without streams is gone
    abortAll(nodes)
  }

  if (cut === 'blackhole' && proxy.cutAt !== undefined) {
    // half a handshake is libp2p's to give up, which takes it longer
    abortAll(nodes)
  }

  await until(() => isOver(nodes), NOTICE_MILLIS)
  must(isOver(nodes), `a connection was still open after ${NOTICE_MILLIS} ms`)

  return proxy.cutAt === undefined ? 0 : Math.max(0, ...nodes.watched.map(({ endedAt = 0 }) => endedAt - (proxy.cutAt ?? 0)))
}

/** A cut is an error on every stream that had not ended before, and never one that looks like an end. */
function checkStream (watched: Watched, all: Watched[], proxy: Proxy, cut: Cut): void {
  const { side, error, endedAt, stream } = watched
  const wasOpen = proxy.cutAt !== undefined && endedAt !== undefined && endedAt > proxy.cutAt

  if (error === undefined) {
    const other = all.find(each => each.side !== side && numberOf(each.stream) === numberOf(stream))

    // nobody but the other end can tell whether it was at its end: who was cut off may take that for one
    must(hasEnded(watched) && other !== undefined && hasEnded(other), `stream ${stream.id} of the ${side} ended without an error after a ${cut}, and the other end had not ended it`)
    return
  }

  if (!wasOpen) {
    return
  }

  must(CUT_ERRORS.has((error as Error).name) || OWN_ERRORS.has((error as Error).name), `a stream of the ${side} ended by ${error?.name} after a ${cut}: ${error?.message}`)
}

/** Mplex has a letter in front of it that says whose the stream is. */
function numberOf ({ id }: Stream): string {
  return id.replace(/^[a-z]/, '')
}

/** Our FIN was made: an end by an error, or by the end of the connection, leaves another state. */
function hasEnded ({ stream }: Watched): boolean {
  return (stream as MuxedStream).record.send === 'ended'
}

/** The file is there whole, or not at all. */
async function checkFile ({ nodes, directory, size, sha256 }: RoundInit): Promise<void> {
  const transfer = await nodes.received
  const names = await fs.readdir(directory)

  if (transfer?.file === undefined) {
    must(names.length === 0, `of a file that was cut there is left: ${names.join(', ')}`)
    return
  }

  must(names.length === 1 && names[0] === transfer.file.name, `one file is kept, there are ${names.join(', ')}`)

  const file = path.join(directory, names[0])

  must((await fs.stat(file)).size === size && Buffer.from(await hashFile(file)).toString('hex') === sha256, 'a file passed as whole that is not')
}

async function emptyDirectory (directory: string): Promise<void> {
  for (const name of await fs.readdir(directory)) {
    await fs.rm(path.join(directory, name))
  }
}

/** Looks every millisecond or two: what is waited for is in another event loop turn, at best. */
export async function until (condition: () => boolean, millis: number): Promise<void> {
  const end = performance.now() + millis

  while (!condition() && performance.now() < end) {
    await delay(2)
  }
}

function within (signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(NOTICE_MILLIS)])
}

function must (condition: boolean, what: string): void {
  if (!condition) {
    throw new Error(what)
  }
}
