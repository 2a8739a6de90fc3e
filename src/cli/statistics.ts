/**
 * @packageDocumentation
 *
 * What a muxer and its streams count beyond libp2p's interfaces, read so that a
 * muxer without statistics works as well: what is absent is `undefined` here and
 * `-` on the screen.
 */

import type { Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'

export interface MuxerStatistics {
  framesSent?: number
  framesReceived?: number
  bytesSent?: number
  bytesReceived?: number
  rttMillis?: number
}

export interface StreamStatistics {
  /**
   * The largest receive window that the stream had, in bytes
   */
  receiveWindow?: number
}

export function muxerStatistics (muxer: unknown): MuxerStatistics {
  const stats = readStats(muxer)

  return {
    framesSent: count(stats.framesSent),
    framesReceived: count(stats.framesReceived),
    bytesSent: count(stats.bytesSent),
    bytesReceived: count(stats.bytesReceived),
    rttMillis: count(stats.rttMillis) ?? count(record(stats.rtt).smoothed)
  }
}

export function streamStatistics (stream: unknown): StreamStatistics {
  const stats = readStats(stream)

  return {
    receiveWindow: count(stats.maxReceiveWindow) ?? count(stats.receiveWindow)
  }
}

/**
 * libp2p's `Connection` does not give its muxer away; this remembers the muxers
 * as they are made
 */
export class MuxerRecord {
  #muxers: StreamMuxer[] = []

  /**
   * The same factory, seen by the record
   */
  watch <Components> (create: (components: Components) => StreamMuxerFactory): (components: Components) => StreamMuxerFactory {
    return (components) => {
      const factory = create(components)
      const createStreamMuxer = factory.createStreamMuxer.bind(factory)

      // on the instance: it stays the object that libp2p asks for capabilities
      factory.createStreamMuxer = (maConn) => {
        const muxer = createStreamMuxer(maConn)
        this.#muxers = this.#muxers.filter(known => known.status !== 'closed')
        this.#muxers.push(muxer)

        return muxer
      }

      return factory
    }
  }

  muxerOf (stream: Stream): StreamMuxer | undefined {
    return this.#muxers.find(muxer => muxer.streams.includes(stream))
  }
}

function readStats (from: unknown): Record<string, unknown> {
  if (from == null || typeof from !== 'object' || !('stats' in from) || typeof from.stats !== 'function') {
    return {}
  }

  return record(from.stats())
}

function record (value: unknown): Record<string, unknown> {
  return value != null && typeof value === 'object' ? value as Record<string, unknown> : {}
}

function count (value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}
