/**
 * @packageDocumentation
 *
 * Makes the libp2p node of each command: TCP, noise and one of our muxers, nothing
 * else.
 */

import { noise } from '@chainsafe/libp2p-noise'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { mplex } from '../mplex.ts'
import { yamux } from '../yamux.ts'
import { CliError, dialProblem, listenProblem, messageOf } from './errors.ts'
import { MuxerRecord } from './statistics.ts'
import type { MuxerName } from './args.ts'
import type { Connection, Libp2p, Stream, StreamMuxer } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

/**
 * libp2p gives one address six seconds of its own; ten are for the name look-up,
 * the handshake and the negotiation of the muxer as well
 */
const DIAL_MILLIS = 10_000

/**
 * How long a node may take to say goodbye. What matters has been confirmed by
 * then, a peer that does not listen any more must not hold up the exit
 */
const STOP_MILLIS = 2_000

/**
 * Only the one that was asked for: nodes of js-libp2p that share more than one may
 * disagree on which it is
 */
const CREATE_MUXER = {
  // nothing holds the sender of a file back while a disk is busy: 64 MiB are half a
  // second of a fast one
  mplex: () => mplex({ maxStreamBufferSize: 67_108_864 }),
  yamux: () => yamux()
}

export interface Node {
  libp2p: Libp2p

  /**
   * What the user should read about the layers of a connection
   */
  description: string
  muxerOf(stream: Stream): StreamMuxer | undefined
  stop(): Promise<void>
}

/**
 * @param listen - without an address the node can only dial
 */
export async function createNode (listen?: string, muxer: MuxerName = 'yamux'): Promise<Node> {
  const muxers = new MuxerRecord()
  let libp2p: Libp2p

  if (listen != null) {
    parseAddress(listen)
  }

  try {
    libp2p = await createLibp2p({
      addresses: { listen: listen == null ? [] : [listen] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [muxers.watch(CREATE_MUXER[muxer]())],
      // it would negotiate one more stream every ten seconds, and end a connection
      // whose answer is late; the muxer has a keep-alive of its own
      connectionMonitor: { enabled: false }
    })
  } catch (err) {
    throw listen == null ? err : listenProblem(err, listen)
  }

  return {
    libp2p,
    description: `${muxer} over noise over TCP`,
    muxerOf: stream => muxers.muxerOf(stream),
    stop: async () => stopWithin(libp2p, STOP_MILLIS)
  }
}

/**
 * The address of a peer, with its identity: without the peer id, whoever answers
 * there would get the file
 */
export function parsePeerAddress (text: string): Multiaddr {
  const address = parseAddress(text)
  const last = address.getComponents().at(-1)

  if (last?.name !== 'p2p') {
    throw new CliError(`invalid address ${text}: the peer id is missing; copy the whole line that the receiver printed, it ends in /p2p/12D3Koo…`)
  }

  if (!isPeerId(last.value ?? '')) {
    throw new CliError(`invalid address ${text}: the peer id is damaged; copy the whole line that the receiver printed`)
  }

  return address
}

/**
 * A peer id that lost a letter is the commonest slip of copy and paste, and would
 * otherwise look like a failed dial
 */
function isPeerId (text: string): boolean {
  try {
    // protocol code (two bytes), length, then a multihash: its function, length, digest
    const { bytes } = multiaddr(`/p2p/${text}`)

    return bytes[2] === bytes.byteLength - 3 && bytes[4] === bytes.byteLength - 5
  } catch {
    return false
  }
}

function parseAddress (text: string): Multiaddr {
  try {
    return multiaddr(text)
  } catch (err) {
    throw new CliError(`invalid address ${text}: ${messageOf(err)}; an address looks like /ip4/192.0.2.7/tcp/4001/p2p/12D3Koo…`, { cause: err })
  }
}

/**
 * Connect, or say in one line why that is not possible
 */
export async function dial (node: Node, address: Multiaddr, signal: AbortSignal): Promise<Connection> {
  try {
    return await node.libp2p.dial(address, { signal: AbortSignal.any([signal, AbortSignal.timeout(DIAL_MILLIS)]) })
  } catch (err) {
    signal.throwIfAborted()
    throw dialProblem(err, address.toString())
  }
}

/**
 * Open a stream for one of our protocols
 */
export async function openStream (connection: Connection, protocol: string, signal: AbortSignal): Promise<Stream> {
  try {
    return await connection.newStream(protocol, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(DIAL_MILLIS)]),
      // the default of 64 is for protocols between strangers
      maxOutboundStreams: Infinity
    })
  } catch (err) {
    signal.throwIfAborted()
    throw dialProblem(err, connection.remoteAddr.toString())
  }
}

async function stopWithin (libp2p: Libp2p, millis: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined

  const timeout = new Promise<void>(resolve => {
    timer = setTimeout(resolve, millis)
  })

  try {
    await Promise.race([libp2p.stop(), timeout])
  } catch {
    // a goodbye that fails is of no interest to the user
  } finally {
    clearTimeout(timer)
  }
}
