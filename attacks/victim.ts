/**
 * The process that is attacked: one muxer over @libp2p/tcp, as a node has it but for encryption and negotiation. Its
 * first connection is a polite one, on which streams are echoed; the one that comes after `begin` is attacked.
 */
import { defaultLogger } from '@libp2p/logger'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { portOf } from '../benchmarks/peers/libp2p-bare.ts'
import { acceptFirst, use } from './apps.ts'
import { victimOf } from './victims.ts'
import type { App, FromVictim, Look, ToVictim } from './types.ts'
import type { Connection, MultiaddrConnection, Stream, StreamMuxer, Upgrader } from '@libp2p/interface'

const SAMPLE_MILLIS = 200

/** Collecting the garbage of a heap that has grown by more would itself hold up everything. */
const HEAP_TO_COLLECT = 134_217_728

const unhandled: string[] = []
let begun = false
let app: App = 'echo'
let attacked: { maConn: MultiaddrConnection, muxer: StreamMuxer } | undefined
let receivedBytes = 0
let error: any
let liveBefore = 0
let livePeak = 0

function live (): number {
  if (process.memoryUsage().heapUsed < HEAP_TO_COLLECT) {
    // buffers outside of the heap are given back only when the next collection finds that they are
    globalThis.gc?.()
    globalThis.gc?.()
  }

  const { heapUsed, external } = process.memoryUsage()

  return heapUsed + external
}

function sample (): void {
  livePeak = Math.max(livePeak, live())
}

function report (message: FromVictim): void {
  process.send?.(message)
}

/** Our muxers tell by the streams that can no more be opened what ended them, others by the connection at best. */
async function whyClosed (): Promise<void> {
  if (attacked === undefined || error !== undefined || attacked.muxer.status !== 'closed') {
    return
  }

  try {
    await attacked.muxer.createStream()
  } catch (err: any) {
    error = err.cause ?? error
  }
}

async function look (): Promise<Look> {
  sample()
  await whyClosed()

  return {
    receivedBytes,
    muxer: attacked?.muxer.status ?? 'none',
    connection: attacked?.maConn.status ?? 'none',
    error: error === undefined ? undefined : { name: error.name, message: error.message, budget: error.budget },
    unhandled,
    liveBefore,
    livePeak
  }
}

function attend (maConn: MultiaddrConnection, muxer: StreamMuxer): void {
  const isAttacked = begun
  let streams = 0

  if (isAttacked && app === 'accept-first') {
    acceptFirst(muxer)
  } else {
    muxer.addEventListener('stream', (event: CustomEvent<Stream>) => {
      use(isAttacked ? app : 'echo', event.detail, streams++, muxer)
    })
  }

  if (!isAttacked) {
    return
  }

  attacked = { maConn, muxer }
  maConn.addEventListener('message', ({ data }) => {
    receivedBytes += data.byteLength
  })
  maConn.addEventListener('close', event => {
    error ??= event.error
  })
}

async function main (): Promise<void> {
  const components = { logger: defaultLogger() }
  const factory = (await victimOf(process.argv[2]).load())(components)
  const upgrade = async (maConn: MultiaddrConnection): Promise<Connection> => {
    attend(maConn, factory.createStreamMuxer(maConn))

    return maConn as unknown as Connection
  }
  const listener = tcp({ inboundSocketInactivityTimeout: 600_000 })(components).createListener({
    upgrader: { upgradeInbound: upgrade, upgradeOutbound: upgrade } as unknown as Upgrader
  })

  await listener.listen(multiaddr('/ip4/127.0.0.1/tcp/0'))
  report({ type: 'listening', port: portOf(listener.getAddrs()[0].toString()) })

  process.on('message', (message: ToVictim) => {
    if (message.type === 'begin') {
      app = message.app
      begun = true
      liveBefore = live()
      setInterval(sample, SAMPLE_MILLIS)
      report({ type: 'begun' })
    } else {
      look().then(looked => {
        report({ type: 'look', look: looked })
      }, () => {})
    }
  })
}

process.on('disconnect', () => {
  process.exit()
})

// a node would end by either: here they are told, so that the attack goes on
process.on('unhandledRejection', (reason: any) => {
  unhandled.push(`rejection: ${reason?.message ?? reason}`)
})
process.on('uncaughtException', err => {
  unhandled.push(`exception: ${err.message}`)
})

main().catch(err => {
  process.stderr.write(`${err.stack}\n`)
  process.exit(1)
})
