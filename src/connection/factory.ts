/** What makes connections of one language: libp2p's `StreamMuxerFactory`, and our `Muxer`. */
import { serviceCapabilities } from '@libp2p/interface'
import { MuxedConnection } from './connection.ts'
import { muxerMetrics } from './metrics.ts'
import type { ConnectionInit } from './connection.ts'
import type { MuxerMetrics } from './metrics.ts'
import type { ConnectionLimits } from '../core/connection-state.ts'
import type { Engine } from '../core/engine.ts'
import type { Role } from '../core/stream-table.ts'
import type { Muxer, MultiplexOptions, SecuredConnection } from '../interface/muxer.ts'
import type { MessageStream, Metrics, StreamMuxerFactory } from '@libp2p/interface'

/** What a libp2p node gives its muxers, as far as these use it. */
export interface MuxerComponents {
  metrics?: Metrics
}

export interface Language {
  /** As both ends name it when they agree on it. */
  readonly protocol: string

  /** In logs and metrics. */
  readonly name: string
  readonly limits: ConnectionLimits
  createEngine(role: Role, now: number): Engine
}

export class MuxerFactory implements StreamMuxerFactory<MuxedConnection>, Muxer {
  readonly protocol: string
  readonly [serviceCapabilities]: string[] = ['@libp2p/stream-multiplexing']
  readonly #language: Language
  readonly #metrics?: MuxerMetrics

  constructor (language: Language, { metrics }: MuxerComponents) {
    this.protocol = language.protocol
    this.#language = language
    this.#metrics = metrics == null ? undefined : muxerMetrics(metrics, language.name)
  }

  get [Symbol.toStringTag] (): string {
    return `@libp2p/${this.#language.name}`
  }

  createStreamMuxer (maConn: MessageStream): MuxedConnection {
    return this.#create(maConn, roleOf(maConn))
  }

  async multiplex (secured: SecuredConnection, options: MultiplexOptions = {}): Promise<MuxedConnection> {
    options.signal?.throwIfAborted()

    return this.#create(secured, roleOf(secured, options.initiator), {
      peers: options,
      acceptBacklog: this.#language.limits.acceptBacklog
    })
  }

  #create (maConn: MessageStream, role: Role, init: Partial<ConnectionInit> = {}): MuxedConnection {
    const { protocol, name, limits } = this.#language

    return new MuxedConnection(maConn, {
      ...init,
      protocol,
      name,
      role,
      metrics: this.#metrics,
      maxEarlyStreams: limits.maxEarlyStreams,
      maxBatchLength: limits.maxBatchLength,
      createEngine: now => this.#language.createEngine(role, now)
    })
  }
}

function roleOf (maConn: MessageStream, initiator = maConn.direction === 'outbound'): Role {
  return initiator ? 'client' : 'server'
}
