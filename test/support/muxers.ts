/** Muxed connections over memory links. Keep-alives are off unless asked for: the wire is quiet but for the test. */
import { MuxedConnection } from '../../src/connection/connection.ts'
import { resolveConfig } from '../../src/protocols/yamux/config.ts'
import { YamuxEngine } from '../../src/protocols/yamux/engine.ts'
import { yamux } from '../../src/yamux.ts'
import { memoryLink } from './memory-link.ts'
import { RudePeer } from './rude-peer.ts'
import { eventOf } from './waiting.ts'
import type { LinkOptions, MemoryEnd, MemoryLink } from './memory-link.ts'
import type { RudePeerOptions } from './rude-peer.ts'
import type { Clock } from '../../src/connection/clock.ts'
import type { MuxedStream } from '../../src/connection/stream.ts'
import type { YamuxOptions } from '../../src/protocols/yamux/config.ts'
import type { MessageStream, MessageStreamDirection } from '@libp2p/interface'

export interface Setup {
  options?: YamuxOptions
  clock?: Clock
  link?: LinkOptions
}

/** As the factory makes it; with a clock, as the factory would with that clock. */
export function createMuxer (maConn: MessageStream, options: YamuxOptions = {}, clock?: Clock): MuxedConnection {
  const quiet = { enableKeepAlive: false, ...options }

  if (clock === undefined) {
    return yamux(quiet)().createStreamMuxer(maConn) as MuxedConnection
  }

  const role = maConn.direction === 'outbound' ? 'client' : 'server'
  const config = resolveConfig(quiet)

  return new MuxedConnection(maConn, {
    protocol: '/yamux/1.0.0',
    name: 'yamux',
    role,
    maxEarlyStreams: config.maxEarlyStreams,
    maxBatchLength: config.maxBatchLength,
    createEngine: now => new YamuxEngine(role, config, now),
    clock
  })
}

export interface Pair {
  link: MemoryLink
  dialer: MuxedConnection
  listener: MuxedConnection
}

/** Two of our muxers. */
export function muxedPair (setup: Setup & { listenerOptions?: YamuxOptions } = {}): Pair {
  const link = memoryLink(setup.link)

  return {
    link,
    dialer: createMuxer(link.outbound, setup.options, setup.clock),
    listener: createMuxer(link.inbound, setup.listenerOptions ?? setup.options, setup.clock)
  }
}

/** A stream, as both sides have it. */
export async function openPair ({ dialer, listener }: Pick<Pair, 'dialer' | 'listener'>): Promise<[MuxedStream, MuxedStream]> {
  const inbound = eventOf<CustomEvent<MuxedStream>>(listener, 'stream')
  const outbound = await dialer.createStream()

  return [outbound, (await inbound).detail]
}

export interface WithPeer {
  link: MemoryLink

  /** Under the muxer. */
  maConn: MemoryEnd
  muxer: MuxedConnection
  peer: RudePeer
}

/** One of our muxers and a peer that obeys the test. The muxer is the dialler unless told. */
export function muxerAndPeer (setup: Setup & { direction?: MessageStreamDirection, peer?: RudePeerOptions } = {}): WithPeer {
  const link = memoryLink(setup.link)
  const [maConn, end] = setup.direction === 'inbound' ? [link.inbound, link.outbound] : [link.outbound, link.inbound]
  const peer = new RudePeer(end, setup.peer)

  return { link, maConn, peer, muxer: createMuxer(maConn, setup.options, setup.clock) }
}

/** A stream that the peer opens, with the frames that come together with its SYN. */
export async function inboundStream ({ muxer, peer }: WithPeer, ...frames: Uint8Array[]): Promise<MuxedStream> {
  const stream = eventOf<CustomEvent<MuxedStream>>(muxer, 'stream')

  peer.send(...frames)

  return (await stream).detail
}
