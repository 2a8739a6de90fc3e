/** One end sends as much as it can, the other counts: bulk and small messages, over few streams and many. */
import { cpuMillis, meter, otherCpuMillis, pump, pumpRound } from './pump.ts'
import { acceptChannels, openChannels } from './setup.ts'
import { GIB, MIB } from './types.ts'
import type { BenchCase, Figures, Metric, Side } from './types.ts'
import type { Channel } from '../peers/types.ts'

interface Transfer {
  name: string
  title: string
  direction: 'up' | 'down'
  streams: number
  bytes: number
  links?: BenchCase['links']
}

const BULK: Metric[] = [
  { name: 'rate', title: 'rate', unit: 'MiB/s', better: 'higher' },
  { name: 'cpu', title: 'CPU of both ends', unit: 's/GiB', better: 'lower' },
  { name: 'otherCpu', title: 'of that, in threads of V8', unit: 's/GiB', better: 'lower' },
  { name: 'marks', title: 'heap marked at the receiver', unit: 'times/GiB', better: 'lower' }
]

const MESSAGES: Metric[] = [
  { name: 'rate', title: 'rate', unit: 'messages/s', better: 'higher' },
  { name: 'cpu', title: 'CPU of both ends', unit: 'µs/message', better: 'lower' }
]

export function transfer (init: Transfer): BenchCase {
  const { direction, streams, bytes } = init
  const small = bytes < 16_384
  // messages over many streams go round all of them, large writes are of a sender for each stream
  const round = small && streams > 1
  const way = direction === 'up' ? 'upload' : 'download'

  function figures ({ bytes: received, millis }: { bytes: number, millis: number }, totalCpu: number, collecting: { otherCpu?: number, marks?: number } = {}): Figures {
    const { otherCpu = NaN, marks = NaN } = collecting

    return small
      ? { rate: received / bytes / millis * 1_000, cpu: totalCpu * 1_000 / (received / bytes) }
      : {
          rate: received / MIB / millis * 1_000,
          cpu: totalCpu / 1_000 / (received / GIB),
          otherCpu: otherCpu / 1_000 / (received / GIB),
          marks: marks / (received / GIB)
        }
  }

  /** Sends until told that it is enough, and what came of it. */
  async function send (side: Side, channels: Channel[], acknowledgements: Channel | undefined): Promise<Figures> {
    const message = new Uint8Array(bytes).fill(7)

    await side.hear()

    const cpu = process.cpuUsage()
    const main = process.threadCpuUsage()
    const stops = acknowledgements === undefined
      ? channels.map(channel => pump(channel, message))
      : [pumpRound(channels, message, acknowledgements)]
    const measured = await side.hear()
    const total = measured.cpuMillis + cpuMillis(cpu)
    const otherCpu = measured.otherCpuMillis + otherCpuMillis(cpu, main)

    for (const stop of stops) {
      stop()
    }

    return figures(measured, total, { otherCpu, marks: measured.marks })
  }

  async function receive (side: Side, channels: Channel[], acknowledgements: Channel | undefined): Promise<Figures> {
    const result = meter(channels, side.parameters.millis, { acknowledgements })

    side.tell('ready')
    side.tell(await result)

    return {}
  }

  return {
    name: init.name,
    title: init.title,
    links: init.links ?? ['bare'],
    metrics: small ? MESSAGES : BULK,
    seconds: parameters => parameters.millis / 1_000 + 0.1 + streams / 5_000,

    native: {
      request: ({ millis }) => ({ kind: round ? 'round' : way, streams, bytes, millis }),
      figures: raw => figures({ bytes: raw.bytes, millis: raw.millis }, raw.sendCpuMillis + raw.receiveCpuMillis)
    },

    async client (side) {
      const session = await side.session()
      const channels = await openChannels(session, streams)
      let acknowledgements: Channel | undefined

      if (round) {
        await side.hear()
        acknowledgements = (await openChannels(session, 1))[0]
      }

      return (direction === 'up' ? send : receive)(side, channels, acknowledgements)
    },

    async server (side) {
      const session = await side.session()
      const channels = await acceptChannels(session, streams)
      let acknowledgements: Channel | undefined

      if (round) {
        side.tell('accepted')
        acknowledgements = (await acceptChannels(session, 1))[0]
      }

      return (direction === 'down' ? send : receive)(side, channels, acknowledgements)
    }
  }
}
