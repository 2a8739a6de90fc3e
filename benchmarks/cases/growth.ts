/** What bulk costs as its streams become many: more and more of them on one connection, compared within one sample. */
import { cpuMillis, meter, pump } from './pump.ts'
import { acceptChannels, openChannels } from './setup.ts'
import { GIB } from './types.ts'
import type { BenchCase, Figures, Metric } from './types.ts'
import type { Channel } from '../peers/types.ts'

interface Growth {
  name: string
  title: string

  /** In order of size. */
  counts: number[]
  bytes: number
}

/** What is still on its way of the streams before goes through meanwhile; it is neither in the time nor left out of the cost. */
const RAMP_MILLIS = 200

/**
 * One stream comes right behind the ten thousand of the sample before, which are collected meanwhile, and meets code that was compiled
 * for those: it has so long, which is not measured, until it takes what it takes.
 */
const SETTLE_MILLIS = 2_000

export function growth ({ name, title, counts, bytes }: Growth): BenchCase {
  const [fewest, ...more] = counts
  const metrics: Metric[] = [
    { name: 'cpu', title: `CPU of both ends, ${fewest} stream`, unit: 's/GiB', better: 'lower' },
    ...more.map<Metric>(count => ({ name: timesOf(count), title: `with ${count.toLocaleString('en')}, of that`, unit: 'times', better: 'lower' }))
  ]

  return {
    name,
    title,
    links: ['bare'],
    metrics,
    seconds: ({ millis }) => (counts.length * (millis + RAMP_MILLIS) + SETTLE_MILLIS) / 1_000 + counts[counts.length - 1] / 5_000,

    async client (side) {
      const session = await side.session()
      const message = new Uint8Array(bytes).fill(7)
      const channels: Channel[] = []
      const costs: number[] = []

      for (const count of counts) {
        channels.push(...await openChannels(session, count - channels.length))

        if (count === fewest) {
          await side.hear()

          const stop = pump(channels[0], message)

          await side.hear()
          stop()
        }

        await side.hear()

        const cpu = process.cpuUsage()
        const stops = channels.map(channel => pump(channel, message))
        const measured = await side.hear()

        costs.push((measured.cpuMillis + cpuMillis(cpu)) / 1_000 / ((measured.bytes + measured.rampBytes) / GIB))
        stops.forEach(stop => {
          stop()
        })
      }

      const figures: Figures = { cpu: costs[0] }

      more.forEach((count, index) => {
        figures[timesOf(count)] = costs[index + 1] / costs[0]
      })

      return figures
    },

    async server (side) {
      const session = await side.session()
      const channels: Channel[] = []

      for (const count of counts) {
        channels.push(...await acceptChannels(session, count - channels.length))

        if (count === fewest) {
          const settled = meter(channels, SETTLE_MILLIS)

          side.tell('ready')
          side.tell(await settled)
        }

        const measured = meter(channels, side.parameters.millis, { rampMillis: RAMP_MILLIS })

        side.tell('ready')
        side.tell(await measured)
      }

      return {}
    }
  }
}

function timesOf (count: number): string {
  return `times${count}`
}
