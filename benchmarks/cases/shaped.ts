/** Bulk over a link with a delay: windows must grow to bandwidth × round trip, or the link stays empty. */
import { meter, pump } from './pump.ts'
import { acceptChannels, openChannels } from './setup.ts'
import type { BenchCase, Figures, LinkShape, Metric, Parameters } from './types.ts'

const WRITE_BYTES = 65_536
const RAMP_MILLIS = 2_000

const METRICS: Metric[] = [
  { name: 'use', title: 'capacity used after 2 s', unit: '%', better: 'higher' },
  { name: 'ramp', title: 'capacity used in the first 2 s', unit: '%', better: 'higher' }
]

function measuredMillis ({ quick }: Parameters): number {
  return quick ? 1_000 : 2_000
}

export function shaped (init: { name: string, title: string, shape: LinkShape }): BenchCase {
  const bytesPerMilli = init.shape.bitsPerSecond / 8_000

  function percent ({ bytes, rampBytes, millis }: Figures): Figures {
    return {
      use: 100 * bytes / millis / bytesPerMilli,
      ramp: 100 * rampBytes / RAMP_MILLIS / bytesPerMilli
    }
  }

  return {
    ...init,
    links: ['bare'],
    metrics: METRICS,
    native: {
      request: parameters => ({ kind: 'upload', streams: 1, bytes: WRITE_BYTES, millis: measuredMillis(parameters), rampMillis: RAMP_MILLIS }),
      figures: percent
    },
    seconds: parameters => (RAMP_MILLIS + measuredMillis(parameters)) / 1_000 + 0.3,

    async client (side) {
      const session = await side.session()
      const [channel] = await openChannels(session, 1)

      await side.hear()

      const stop = pump(channel, new Uint8Array(WRITE_BYTES).fill(7))
      const measured = await side.hear()

      stop()

      return percent(measured)
    },

    async server (side) {
      const session = await side.session()
      const channels = await acceptChannels(session, 1)
      const result = meter(channels, measuredMillis(side.parameters), { rampMillis: RAMP_MILLIS })

      side.tell('ready')
      side.tell(await result)

      return {}
    }
  }
}
