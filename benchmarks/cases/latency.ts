/** Ping-pong, and the same while another stream sends bulk. */
import { cpuMillis, meter, pump } from './pump.ts'
import { acceptChannels, openChannels } from './setup.ts'
import { MIB } from './types.ts'
import type { BenchCase, Metric } from './types.ts'
import type { Channel } from '../peers/types.ts'

const PING_BYTES = 64
const BULK_BYTES = 65_536

const ROUND_TRIPS: Metric[] = [
  { name: 'rate', title: 'rate', unit: 'round trips/s', better: 'higher' },
  { name: 'p50', title: 'median', unit: 'ms', better: 'lower' },
  { name: 'p99', title: '99th percentile', unit: 'ms', better: 'lower' },
  { name: 'cpu', title: 'CPU of the opener', unit: 'µs/round trip', better: 'lower' }
]

const UNDER_BULK: Metric[] = [
  { name: 'p50', title: 'median', unit: 'ms', better: 'lower' },
  { name: 'p99', title: '99th percentile', unit: 'ms', better: 'lower' },
  { name: 'rate', title: 'bulk meanwhile', unit: 'MiB/s', better: 'higher' }
]

const BEHIND_QUEUE: Metric[] = [
  { name: 'p50', title: 'median', unit: 'ms', better: 'lower' },
  { name: 'p99', title: '99th percentile', unit: 'ms', better: 'lower' }
]

/** One ping at a time until it is enough. Returns the round trips in milliseconds, in order of length. */
async function pings (channel: Channel, enough: (millis: number) => boolean): Promise<number[]> {
  const message = new Uint8Array(PING_BYTES).fill(1)
  const times: number[] = []
  const start = performance.now()

  await new Promise<void>((resolve, reject) => {
    let sent = 0
    let missing = PING_BYTES

    function ping (): void {
      missing = PING_BYTES
      sent = performance.now()
      channel.send(message)
    }

    channel.onEnd(err => {
      reject(err ?? new Error('the remote ended the stream in the middle of a sample'))
    })
    channel.onData(chunk => {
      missing -= chunk.byteLength

      if (missing === 0) {
        const now = performance.now()

        times.push(now - sent)

        if (enough(now - start)) {
          resolve()
        } else {
          ping()
        }
      }
    })
    ping()
  })

  return times.sort((a, b) => a - b)
}

function echo (channel: Channel): void {
  channel.onData(chunk => {
    channel.send(chunk)
  })
}

function quantile (sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

export function pingPong (init: { name: string, title: string, links: BenchCase['links'] }): BenchCase {
  return {
    ...init,
    metrics: ROUND_TRIPS,
    native: {
      request: ({ millis }) => ({ kind: 'ping-pong', streams: 1, bytes: PING_BYTES, millis }),
      figures: raw => raw
    },
    seconds: ({ millis }) => millis / 1_000 + 0.1,

    async client (side) {
      const session = await side.session()
      const [channel] = await openChannels(session, 1)

      await side.hear()

      const start = performance.now()
      const cpu = process.cpuUsage()
      const times = await pings(channel, millis => millis >= side.parameters.millis)
      const millis = performance.now() - start
      const figures = {
        rate: times.length / millis * 1_000,
        p50: quantile(times, 0.5),
        p99: quantile(times, 0.99),
        cpu: cpuMillis(cpu) * 1_000 / times.length
      }

      side.tell('done')

      return figures
    },

    async server (side) {
      const session = await side.session()
      const [channel] = await acceptChannels(session, 1)

      echo(channel)
      side.tell('ready')
      await side.hear()

      return {}
    }
  }
}

/** The pings go the way that the bulk goes, and so wait behind it; what comes back has the way to itself. */
export function echoUnderBulk (init: { name: string, title: string, links: BenchCase['links'] }): BenchCase {
  return {
    ...init,
    metrics: UNDER_BULK,
    native: {
      request: ({ millis }) => ({ kind: 'echo-under-bulk', streams: 2, bytes: PING_BYTES, millis: 2 * millis }),
      figures: ({ p50, p99, bytes, millis }) => ({ p50, p99, rate: bytes / MIB / millis * 1_000 })
    },
    seconds: ({ millis }) => 2 * millis / 1_000 + 0.1,

    async client (side) {
      const session = await side.session()
      const [bulk] = await openChannels(session, 1)

      await side.hear()

      const [ping] = await openChannels(session, 1)

      await side.hear()

      const stop = pump(bulk, new Uint8Array(BULK_BYTES).fill(7))

      // the bulk is under way
      await side.hear()

      const times = await pings(ping, millis => millis >= side.parameters.millis * 2)

      side.tell('done')

      const { rate } = await side.hear()

      stop()

      return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), rate }
    },

    async server (side) {
      const session = await side.session()
      const [bulk] = await acceptChannels(session, 1)

      side.tell('accepted')

      const [ping] = await acceptChannels(session, 1)

      echo(ping)

      const first = meter([bulk], 0)

      side.tell('accepted')
      await first

      let bytes = 0
      const start = performance.now()

      bulk.onData(chunk => {
        bytes += chunk.byteLength
      })
      side.tell('under way')
      await side.hear()
      side.tell({ rate: bytes / MIB / (performance.now() - start) * 1_000 })

      return {}
    }
  }
}

/**
 * Much is handed over at once on one stream, as by an application that has it all and does not wait, then pings on
 * another until it has arrived.
 */
export function echoBehindQueue (init: { name: string, title: string, links: BenchCase['links'], bytes: number }): BenchCase {
  const { bytes } = init

  return {
    ...init,
    metrics: BEHIND_QUEUE,
    native: {
      request: ({ millis }) => ({ kind: 'echo-behind-queue', streams: 2, bytes: PING_BYTES, millis, queueBytes: bytes }),
      figures: raw => raw
    },
    seconds: () => bytes / 200e6,

    async client (side) {
      const session = await side.session()
      const [bulk] = await openChannels(session, 1)

      await side.hear()

      const [ping] = await openChannels(session, 1)

      await side.hear()

      const message = new Uint8Array(BULK_BYTES).fill(7)
      let arrived = false

      for (let sent = 0; sent < bytes; sent += BULK_BYTES) {
        bulk.send(message)
      }

      const hearing = side.hear().then(() => {
        arrived = true
      })
      const times = await pings(ping, () => arrived)

      await hearing
      side.tell('done')

      return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
    },

    async server (side) {
      const session = await side.session()
      const [bulk] = await acceptChannels(session, 1)

      side.tell('accepted')

      const [ping] = await acceptChannels(session, 1)
      let missing = bytes

      echo(ping)
      bulk.onData(chunk => {
        missing -= chunk.byteLength

        if (missing === 0) {
          side.tell('arrived')
        }
      })
      side.tell('accepted')
      await side.hear()

      return {}
    }
  }
}
