/** What a stream costs that does nothing: heap of both ends after garbage collection. */
import { acceptChannels, openChannels } from './setup.ts'
import type { BenchCase, Metric } from './types.ts'
import type { Channel, Chunk } from '../peers/types.ts'

const METRICS: Metric[] = [
  { name: 'accepted', title: 'accepting end', unit: 'bytes/stream', better: 'lower' },
  { name: 'opened', title: 'opening end', unit: 'bytes/stream', better: 'lower' }
]

function used (): number {
  // twice: what finalizers free is collected by the second
  globalThis.gc?.()
  globalThis.gc?.()

  const { heapUsed, external } = process.memoryUsage()

  // array buffers are part of what is external
  return heapUsed + external
}

function onData (chunk: Chunk): void {}

function onEnd (): void {}

/** The least that whoever uses a stream listens for. */
function listen (channels: Channel[]): void {
  for (const channel of channels) {
    channel.onData(onData)
    channel.onEnd(onEnd)
  }
}

/** Work that was put off is done. */
async function settle (): Promise<void> {
  for (let i = 0; i < 5; i++) {
    await new Promise(resolve => setImmediate(resolve))
  }
}

export function idle (init: { name: string, title: string, streams: number, links: BenchCase['links'] }): BenchCase {
  const { name, title, streams, links } = init

  return {
    name,
    title,
    links,
    metrics: METRICS,
    native: {
      request: ({ millis }) => ({ kind: 'idle', streams, bytes: 1, millis }),
      figures: raw => raw
    },
    seconds: () => 0.5 + streams / 5_000,

    async client (side) {
      const session = await side.session()
      const first = await openChannels(session, 1)

      await side.hear()
      await settle()

      const before = used()
      const channels = await openChannels(session, streams)

      listen(channels)
      await side.hear()
      await settle()

      const opened = (used() - before) / streams

      side.tell('done')

      const { accepted } = await side.hear()

      listen(first)

      return { opened, accepted }
    },

    async server (side) {
      const session = await side.session()
      const first = await acceptChannels(session, 1)

      await settle()

      const before = used()
      const accepting = acceptChannels(session, streams)

      side.tell('accepted')

      const channels = await accepting

      listen(channels)
      side.tell('accepted')
      await side.hear()
      await settle()

      const accepted = (used() - before) / streams

      side.tell({ accepted })
      listen(first)

      return {}
    }
  }
}
