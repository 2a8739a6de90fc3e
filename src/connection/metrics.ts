/**
 * What all connections of a muxer count, told to libp2p's `Metrics` when it asks. Nothing is paid for a frame or a
 * stream: the sums are made of `stats()` when they are read, and of what connections had counted when they closed.
 */
import type { FullConnectionStatistics } from '../interface/statistics.ts'
import type { Histogram, Logger, Metrics } from '@libp2p/interface'

/** One connection, to those who sum up. */
export interface Counted {
  stats(): FullConnectionStatistics
}

type Values = Record<string, number>

interface Family {
  /** After the name of the muxer. */
  name: string
  help: string

  /** What the values differ in; without it there is one value, named ''. */
  label?: string
  read(statistics: FullConnectionStatistics): Values
}

const COUNTERS: Family[] = [{
  name: 'streams_opened_total',
  help: 'Streams opened',
  label: 'direction',
  read: ({ streamsOpened }) => streamsOpened
}, {
  name: 'streams_closed_total',
  help: 'Streams that are over, however they ended',
  label: 'direction',
  read: ({ streamsClosed }) => streamsClosed
}, {
  name: 'streams_refused_total',
  help: 'Inbound streams reset, and outbound ones not opened, for want of room',
  label: 'direction',
  read: ({ streamsRefused }) => streamsRefused
}, {
  name: 'streams_reset_total',
  help: 'Streams reset by our side, or by the peer',
  label: 'origin',
  read: ({ streamsReset }) => streamsReset
}, {
  name: 'data_bytes_total',
  help: 'Bytes carried by streams, without headers',
  label: 'direction',
  read: ({ bytesSent, bytesReceived }) => ({ sent: bytesSent, received: bytesReceived })
}, {
  name: 'frames_total',
  help: 'Frames, control frames included',
  label: 'direction',
  read: ({ framesSent, framesReceived }) => ({ sent: framesSent, received: framesReceived })
}, {
  name: 'window_updates_total',
  help: 'Window updates',
  label: 'direction',
  read: ({ windowUpdatesSent, windowUpdatesReceived }) => ({ sent: windowUpdatesSent, received: windowUpdatesReceived })
}, {
  name: 'pings_total',
  help: 'Pings',
  label: 'direction',
  read: ({ pingsSent, pingsReceived }) => ({ sent: pingsSent, received: pingsReceived })
}, {
  name: 'stalls_total',
  help: 'How often the bytes of a stream had to wait for credit',
  read: ({ stalls }) => ({ '': stalls })
}, {
  name: 'stalled_seconds_total',
  help: 'How long bytes of streams had to wait for credit',
  read: ({ stalledMillis }) => ({ '': stalledMillis / 1_000 })
}]

const GAUGES: Family[] = [{
  name: 'streams_active',
  help: 'Streams open now',
  label: 'direction',
  read: ({ streamsActive }) => streamsActive
}, {
  name: 'queued_bytes',
  help: 'Bytes that wait to be sent now',
  read: ({ bytesQueued }) => ({ '': bytesQueued })
}]

/** Seconds: a local network, a continent, the world, a modem. */
const ROUND_TRIP_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export class MuxerMetrics {
  readonly #live = new Set<Counted>()

  // by name of the counter: of connections that are closed, and what was told so far
  readonly #closed = new Map<Family, Values>()
  readonly #told = new Map<Family, Values>()
  #snapshot: FullConnectionStatistics[] | undefined
  readonly #roundTrip: Histogram

  constructor (metrics: Metrics, muxer: string) {
    const prefix = `libp2p_${muxer}_`

    for (const counter of COUNTERS) {
      const { label, help } = counter

      // a calculated counter is given what is to be added, not what it shall be
      if (label === undefined) {
        metrics.registerCounter(prefix + counter.name, { help, calculate: () => this.#news(counter)[''] })
      } else {
        metrics.registerCounterGroup(prefix + counter.name, { label, help, calculate: () => this.#news(counter) })
      }
    }

    for (const gauge of GAUGES) {
      const { label, help } = gauge

      if (label === undefined) {
        metrics.registerMetric(prefix + gauge.name, { help, calculate: () => this.#sum(gauge)[''] })
      } else {
        metrics.registerMetricGroup(prefix + gauge.name, { label, help, calculate: () => this.#sum(gauge) })
      }
    }

    metrics.registerMetric(`${prefix}connections`, { help: 'Connections open now', calculate: () => this.#live.size })
    this.#roundTrip = metrics.registerHistogram(`${prefix}round_trip_seconds`, { help: 'Answers to pings', buckets: ROUND_TRIP_BUCKETS })
  }

  opened (connection: Counted): void {
    this.#snapshot = undefined
    this.#live.add(connection)
  }

  closed (connection: Counted): void {
    if (!this.#live.delete(connection)) {
      return
    }

    const statistics = connection.stats()

    this.#snapshot = undefined

    for (const counter of COUNTERS) {
      this.#closed.set(counter, add(counter.read(statistics), this.#closed.get(counter)))
    }
  }

  /** What it throws is not the connection's: an answer is told all the same. */
  roundTrip (millis: number, log: Logger): void {
    try {
      this.#roundTrip.observe(millis / 1_000)
    } catch (err: any) {
      log.error('metrics threw at a round trip: %e', err)
    }
  }

  /** What was counted since this was asked for last. */
  #news (counter: Family): Values {
    const told = this.#told.get(counter) ?? {}
    const now = add(this.#sum(counter), this.#closed.get(counter))

    this.#told.set(counter, now)

    return Object.fromEntries(Object.entries(now).map(([key, value]) => [key, value - (told[key] ?? 0)]))
  }

  /** Over all live connections. */
  #sum (family: Family): Values {
    // of no connections: the values are named all the same
    return this.#statistics().reduce((sum, statistics) => add(sum, family.read(statistics)), family.read(NOTHING))
  }

  /** Each connection is asked once for all that is read in one go. */
  #statistics (): FullConnectionStatistics[] {
    if (this.#snapshot === undefined) {
      this.#snapshot = Array.from(this.#live, connection => connection.stats())
      queueMicrotask(() => {
        this.#snapshot = undefined
      })
    }

    return this.#snapshot
  }
}

function add (a: Values, b: Values = {}): Values {
  return Object.fromEntries(Object.entries(a).map(([key, value]) => [key, value + (b[key] ?? 0)]))
}

const NONE = { inbound: 0, outbound: 0 }

const NOTHING: FullConnectionStatistics = {
  openMillis: 0,
  bytesSent: 0,
  bytesReceived: 0,
  bytesQueued: 0,
  stalls: 0,
  stalledMillis: 0,
  framesSent: 0,
  framesReceived: 0,
  windowUpdatesSent: 0,
  windowUpdatesReceived: 0,
  pingsSent: 0,
  pingsReceived: 0,
  streamsOpened: NONE,
  streamsClosed: NONE,
  streamsActive: NONE,
  streamsRefused: NONE,
  streamsReset: { local: 0, remote: 0 }
}

const known = new WeakMap<Metrics, Map<string, MuxerMetrics>>()

/** All factories that are given the same `Metrics` count together: a name can be registered once only. */
export function muxerMetrics (metrics: Metrics, muxer: string): MuxerMetrics {
  const ofMetrics = known.get(metrics) ?? new Map<string, MuxerMetrics>()
  const counted = ofMetrics.get(muxer) ?? new MuxerMetrics(metrics, muxer)

  known.set(metrics, ofMetrics.set(muxer, counted))

  return counted
}
