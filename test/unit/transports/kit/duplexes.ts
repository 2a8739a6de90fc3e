/** Streams of several muxers, as Node's duplexes, over one link in memory. */
import { mplex as foreignMplex } from '@libp2p/mplex'
import { yamux as foreignYamux } from '@libp2p/yamux'
import { toDuplex } from '../../../../src/transports/node.ts'
import { yamux } from '../../../../src/yamux.ts'
import { memoryLink } from '../../../support/memory-link.ts'
import { eventOf } from '../../../support/waiting.ts'
import type { DuplexOptions, SocketLike } from '../../../../src/transports/node.ts'
import type { MemoryLink } from '../../../support/memory-link.ts'
import type { Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import type { Duplex } from 'node:stream'

export interface Family {
  name: string
  factory: StreamMuxerFactory

  /** Bytes that a writer and a reader keep between them at most. */
  holds: number
}

export const ours: Family = { name: 'yamux', factory: yamux({ enableKeepAlive: false })(), holds: 1_048_576 }

export const families: Family[] = [
  ours,
  { name: '@libp2p/yamux', factory: foreignYamux({ enableKeepAlive: false })(), holds: 1_048_576 },
  { name: '@libp2p/mplex', factory: foreignMplex()(), holds: Infinity }
]

export interface StreamPair {
  link: MemoryLink
  dialer: StreamMuxer
  listener: StreamMuxer
  outbound: Stream
  inbound: Stream
}

export async function streamPair ({ factory }: Family = ours): Promise<StreamPair> {
  const link = memoryLink({ capacity: 1_048_576, record: false })
  const dialer = factory.createStreamMuxer(link.outbound)
  const listener = factory.createStreamMuxer(link.inbound)
  const event = eventOf<CustomEvent<Stream>>(listener, 'stream')
  const outbound = await dialer.createStream()

  return { link, dialer, listener, outbound, inbound: (await event).detail }
}

export interface DuplexEnds extends StreamPair {
  local: Duplex & SocketLike
  remote: Duplex & SocketLike
}

/** Both ends of a stream as duplexes. */
export async function duplexes (family?: Family, options?: DuplexOptions): Promise<DuplexEnds> {
  const pair = await streamPair(family)
  const [local, remote] = [pair.outbound, pair.inbound].map(stream => toDuplex(stream, options))

  for (const duplex of [local, remote]) {
    // nobody has to listen at the end that a test is not about
    duplex.on('error', () => {})
  }

  return { ...pair, local, remote }
}
