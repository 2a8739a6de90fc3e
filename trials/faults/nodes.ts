/** Two libp2p nodes in this process: one sends a file and small messages, the other keeps the file and echoes. */
import { noise } from '@chainsafe/libp2p-noise'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { ECHO_PROTOCOL, handleEcho } from '../../src/cli/echo.ts'
import { FILE_PROTOCOL } from '../../src/cli/file-protocol.ts'
import { receiveFile } from '../../src/cli/receive-file.ts'
import { mplex } from '../../src/mplex.ts'
import { yamux } from '../../src/yamux.ts'
import { countOfCarrier } from './listeners.ts'
import type { ReceivedFile } from '../../src/cli/receive-file.ts'
import type { MuxerName } from '../command.ts'
import type { Carrier, Listened } from './listeners.ts'
import type { MuxerComponents } from '../../src/connection/factory.ts'
import type { Connection, Libp2p, Stream, StreamMuxerFactory } from '@libp2p/interface'

/**
 * How long a peer that has gone stays unnoticed, in milliseconds: yamux asks it, mplex can only wait. A machine that has
 * too much to do keeps a process waiting for a third of a second now and then, which is not to be taken for a cut.
 */
const KEEP_ALIVE = { keepAliveInterval: 200, keepAliveTimeout: 1_000 }
export const INACTIVITY_MILLIS = 1_200

/** After that nobody waits any more: as configured above, and more than a busy machine is late by. */
export const NOTICE_MILLIS = INACTIVITY_MILLIS + 2_800

/** A stream, as its application sees it end. */
export interface Watched {
  side: 'sender' | 'receiver'
  stream: Stream
  endedAt?: number
  error?: Error
}

export interface Transfer {
  file?: ReceivedFile
  error?: Error
}

export interface Nodes {
  sender: Libp2p
  receiver: Libp2p
  port: number
  watched: Watched[]

  /** What muxers were put on. */
  carriers: Carrier[]

  /** What stands as long as the nodes do, and a muxer may listen to: by its name. */
  listened: Record<string, Listened>

  /** The sender has begun to close its connection: a cut that comes amid that is not what ended its streams. */
  closing: boolean

  /** What came of the file that was sent last, at the other end. */
  received: Promise<Transfer> | undefined
  stop(): Promise<void>
}

/** What a node gives its muxers, whatever of it they use. */
interface Components extends MuxerComponents {
  events: Listened
}

/** The same muxers; what each is put on can be looked at afterwards. */
function withCarriers (create: (components: MuxerComponents) => StreamMuxerFactory, side: Carrier['side'], nodes: Pick<Nodes, 'carriers' | 'listened'>): (components: Components) => StreamMuxerFactory {
  return components => {
    const factory = create(components)
    const createStreamMuxer = factory.createStreamMuxer.bind(factory)

    nodes.listened[`what the ${side} is made of`] = components.events
    factory.createStreamMuxer = maConn => {
      const before = countOfCarrier(side, maConn)
      const muxer = createStreamMuxer(maConn)

      nodes.carriers.push({ side, maConn, muxer, before })

      return muxer
    }

    return factory
  }
}

async function createNode (muxer: MuxerName, side: Carrier['side'], listen: string[], nodes: Pick<Nodes, 'carriers' | 'listened'>): Promise<Libp2p> {
  const create = muxer === 'yamux' ? yamux(KEEP_ALIVE) : mplex({ streamOptions: { inactivityTimeout: INACTIVITY_MILLIS } })

  const node = await createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [withCarriers(create, side, nodes)],
    connectionMonitor: { enabled: false },
    connectionManager: {
      // rounds follow each other faster than a node would let strangers connect
      inboundConnectionThreshold: Infinity,
      maxIncomingPendingConnections: Infinity,
      // the signal of those who dial has no time limit
      addressDialTimeout: NOTICE_MILLIS
    }
  })

  nodes.listened[`the ${side}`] = node

  return node
}

/** From now on `watched` tells how the stream ends. */
export function watch (nodes: Nodes, side: Watched['side'], stream: Stream): void {
  const watched: Watched = { side, stream }

  nodes.watched.push(watched)
  stream.addEventListener('close', event => {
    watched.endedAt = performance.now()
    watched.error = event.error
  })
}

export async function createNodes (muxer: MuxerName, directory: string, signal: AbortSignal): Promise<Nodes> {
  const seen = { carriers: [], listened: {} }
  const sender = await createNode(muxer, 'sender', [], seen)
  const receiver = await createNode(muxer, 'receiver', ['/ip4/127.0.0.1/tcp/0'], seen)
  const port = Number(/\/tcp\/(\d+)/.exec(receiver.getMultiaddrs()[0].toString())?.[1])
  const nodes: Nodes = {
    ...seen,
    sender,
    receiver,
    port,
    watched: [],
    closing: false,
    received: undefined,
    stop: async () => {
      await Promise.all([sender.stop(), receiver.stop()])
    }
  }

  await receiver.handle(FILE_PROTOCOL, stream => {
    watch(nodes, 'receiver', stream)
    nodes.received = receiveFile(stream, { directory, signal }).then(file => ({ file }), error => ({ error }))
  })
  await receiver.handle(ECHO_PROTOCOL, async stream => {
    watch(nodes, 'receiver', stream)
    await handleEcho(stream)
  })

  return nodes
}

/** Both ends know that the connection is over. */
export function isOver (nodes: Nodes): boolean {
  return [nodes.sender, nodes.receiver].every(node => node.getConnections().length === 0)
}

/** Whatever is left of a connection that nobody would ever notice is gone. */
export function abortAll (nodes: Nodes): void {
  for (const node of [nodes.sender, nodes.receiver]) {
    node.getConnections().forEach((connection: Connection) => {
      connection.abort(new Error('the round is over'))
    })
  }
}
