/** One round: connect, send a file while streams echo beside it, and cut the connection somewhere on the way. */
import fs from 'node:fs/promises'
import path from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { multiaddr } from '@multiformats/multiaddr'
import { ECHO_PROTOCOL, EchoLoad } from '../../src/cli/echo.ts'
import { FILE_PROTOCOL } from '../../src/cli/file-protocol.ts'
import { hashFile } from '../../src/cli/part-file.ts'
import { openSource, sendFile } from '../../src/cli/send-file.ts'
import { INACTIVITY_MILLIS, NOTICE_MILLIS, abortAll, isOver, watch } from './nodes.ts'
import { Proxy } from './proxy.ts'
import type { MuxerName } from '../command.ts'
import type { Nodes, Watched } from './nodes.ts'
import type { Cut } from './proxy.ts'
import type { MuxedStream } from '../../src/connection/stream.ts'
import type { Random } from '../../test/simulation/kit/random.ts'
import type { Connection, Stream } from '@libp2p/interface'

const ECHOES = 3

/** More than yamux opens before the peer has taken any: the others wait, each with a listener on the signal. */
const CROWD = 300

/** In some rounds only: it takes as long as all the rest of a round. */
const CROWD_CHANCE = 0.2

/** A handshake of noise and the negotiation of everything are some 2,000 bytes; a file is cut anywhere. */
const MIN_BYTES = 100

/** What every stream says of a connection that was cut under it. */
export interface CutError {
  name: string
  scope: 'stream' | 'connection'
  origin: 'local' | 'transport'

  /** Of its cause; without one nothing but an end came. */
  code?: string[]
}

/** A ping that is sent late, an answer that is missed late, and an end that is told late. */
const LATE_TIMERS = 3
const LATE_MILLIS = 100

// a socket that was reset says ECONNRESET to who reads it, and EPIPE to who writes to it first
const CUT_ERRORS: Record<Cut, Record<MuxerName, CutError>> = {
  rst: {
    yamux: { name: 'ConnectionClosedError', scope: 'connection', origin: 'transport', code: ['ECONNRESET', 'EPIPE'] },
    mplex: { name: 'ConnectionClosedError', scope: 'connection', origin: 'transport', code: ['ECONNRESET', 'EPIPE'] }
  },
  fin: {
    yamux: { name: 'ConnectionClosedError', scope: 'connection', origin: 'transport' },
    mplex: { name: 'ConnectionClosedError', scope: 'connection', origin: 'transport' }
  },
  // yamux has pings, mplex can only tell that its streams are silent
  blackhole: {
    yamux: { name: 'TimeoutError', scope: 'connection', origin: 'transport' },
    mplex: { name: 'TimeoutError', scope: 'stream', origin: 'local' }
  }
}

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

  /** One for all rounds, given to everything as it is: nobody may go on listening to it. */
  signal: AbortSignal
}

/** @throws for what must not be */
export async function runRound (init: RoundInit): Promise<RoundReport> {
  const { nodes, random, size } = init
  const cut = random.pick(init.cuts)
  const crowd = random.chance(CROWD_CHANCE)
  const after = random.chance(0.1) ? random.magnitude(MIN_BYTES, 5_000) : random.int(MIN_BYTES, Math.floor(size * 1.3))
  const proxy = await Proxy.listen(nodes.port, cut, after)
  const lag = monitorEventLoopDelay({ resolution: 5 })

  lag.enable()
  nodes.watched = []
  nodes.carriers.length = 0
  nodes.closing = false
  nodes.received = undefined

  try {
    const reached = await use(init, proxy, crowd, CUT_ERRORS[cut][init.muxer])
    const noticedMillis = await untilOver(init, proxy, cut)
    const mostMillis = INACTIVITY_MILLIS + LATE_MILLIS + LATE_TIMERS * lag.max / 1_000_000

    must(noticedMillis <= mostMillis, `a stream lived on for ${noticedMillis.toFixed(0)} ms, and ${INACTIVITY_MILLIS} are configured; with the event loop as late as it was ${mostMillis.toFixed(0)} may be`)

    for (const watched of nodes.watched) {
      checkStream(watched, nodes, proxy, cut, init.muxer)
    }

    await checkFile(init)

    return { cut, after, reached, noticedMillis, streams: nodes.watched.length }
  } catch (err: any) {
    throw new Error(`${cut} after ${after} bytes: ${err.message}`, { cause: err })
  } finally {
    lag.disable()
    abortAll(nodes)
    await proxy.close()
    await until(() => isOver(nodes), NOTICE_MILLIS)
    await emptyDirectory(init.directory)
  }
}

async function use (init: RoundInit, proxy: Proxy, crowd: boolean, expected: CutError): Promise<RoundReport['reached']> {
  const { nodes, signal } = init
  const source = await openSource(init.file)
  let connection: Connection | undefined

  try {
    const dialled = connection = await inTime(nodes.sender.dial(multiaddr(`/ip4/127.0.0.1/tcp/${proxy.port}/p2p/${nodes.receiver.peerId}`), { signal }), 2 * NOTICE_MILLIS)
    const open = async (protocol: string): Promise<Stream> => inTime(dialled.newStream(protocol, { signal }))

    const echoStreams = []

    for (let i = 0; i < ECHOES; i++) {
      const stream = await open(ECHO_PROTOCOL)

      watch(nodes, 'sender', stream)
      echoStreams.push(stream)
    }

    if (crowd) {
      await openCrowd(nodes, proxy, signal)
    }

    const stream = await open(FILE_PROTOCOL)

    watch(nodes, 'sender', stream)

    const errors: Error[] = []
    const echoes = new EchoLoad(echoStreams, signal, err => errors.push(err))
    const sent = await sendFile(stream, source, { signal }).then(value => value, (err: Error) => err)

    await echoes.stop()

    for (const err of errors) {
      must(proxy.cutAt !== undefined && comesOfCut(err, expected), `an echo failed by ${chainOf(err)}`)
    }

    if (sent instanceof Error) {
      must(proxy.cutAt !== undefined && comesOfCut(sent, expected), `sending failed by ${chainOf(sent)}`)

      return 'transfer'
    }

    must(sent.sha256 === init.sha256, 'another file was sent')

    return errors.length === 0 && proxy.cutAt === undefined ? 'done' : 'transfer'
  } catch (err: any) {
    must(!(err instanceof LateError), err.message)
    must(proxy.cutAt !== undefined, `nothing was cut, and yet: ${err.message}`)

    return connection === undefined ? 'dialling' : 'transfer'
  } finally {
    await source.file.close()

    if (proxy.cutAt === undefined && connection !== undefined) {
      nodes.closing = true
      await close(connection, proxy, signal)
    }
  }
}

/** Within our limit: that of libp2p is a second, which a machine that has too much to do may take. */
async function close (connection: Connection, proxy: Proxy, signal: AbortSignal): Promise<void> {
  try {
    await inTime(connection.close({ signal }))
  } catch (err: any) {
    must(!(err instanceof LateError) && proxy.cutAt !== undefined, `it did not close: ${chainOf(err)}`)
  }
}

/** Straight from the muxer, as libp2p would agree on a protocol for each, and given up at once. */
async function openCrowd ({ carriers }: Nodes, proxy: Proxy, signal: AbortSignal): Promise<void> {
  const muxer = carriers.find(({ side }) => side === 'sender')?.muxer
  const opening = Array.from({ length: CROWD }, async () => muxer?.createStream({ signal }))

  for (const opened of await inTime(Promise.allSettled(opening))) {
    if (opened.status === 'fulfilled') {
      opened.value?.abort(new Error('it was one of a crowd'))
    } else {
      must(proxy.cutAt !== undefined, `a stream of a crowd was not opened: ${chainOf(opened.reason)}`)
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
function checkStream (watched: Watched, { watched: all, closing }: Nodes, proxy: Proxy, cut: Cut, muxer: MuxerName): void {
  const { side, error, endedAt, stream } = watched
  const wasOpen = proxy.cutAt !== undefined && endedAt !== undefined && endedAt > proxy.cutAt

  if (error === undefined) {
    const other = all.find(each => each.side !== side && numberOf(each.stream) === numberOf(stream))

    // nobody but the other end can tell whether it was at its end: who was cut off may take that for one
    must(hasEnded(watched) && other !== undefined && hasEnded(other), `stream ${stream.id} of the ${side} ended without an error after a ${cut}, and the other end had not ended it`)
    return
  }

  if (!wasOpen || (closing && side === 'sender' && error.name === 'MuxerClosedError')) {
    return
  }

  // an application that was told of the cut on one stream may have ended another, for that reason
  must(comesOfCut(error, CUT_ERRORS[cut][muxer]), `a stream of the ${side} ended by ${chainOf(error)} after a ${cut}`)
}

/** It is what the cut was told by, or names that as its cause. */
export function comesOfCut (error: any, expected: CutError): boolean {
  return isCutError(error, expected) || (error?.cause != null && comesOfCut(error.cause, expected))
}

function chainOf (error: any): string {
  return `${error.name}: ${error.message}${error.cause == null ? '' : `, because of ${chainOf(error.cause)}`}`
}

export function isCutError (error: any, { name, scope, origin, code }: CutError): boolean {
  return error?.name === name && error.scope === scope && error.origin === origin &&
    (code === undefined ? error.cause === undefined : code.includes(error.cause?.code))
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

class LateError extends Error {}

/** What is late is not told so: a signal of its own for each would hide who goes on listening to the one that all share. */
async function inTime<T> (work: Promise<T>, millis = NOTICE_MILLIS): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => { reject(new LateError(`it took longer than ${millis} ms`)) }, millis)

  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

function must (condition: boolean, what: string): void {
  if (!condition) {
    throw new Error(what)
  }
}
