/** A reader that takes little, and a writer that offers all it can: who holds the bytes, and how many? */
import { pump } from './pump.ts'
import { acceptChannels, openChannels } from './setup.ts'
import { MIB } from './types.ts'
import type { BenchCase, Metric, Parameters } from './types.ts'
import type { Channel } from '../peers/types.ts'

const WRITE_BYTES = 65_536
const READ_BYTES = 65_536
const READ_MILLIS = 50

const METRICS: Metric[] = [
  { name: 'reader', title: 'memory of the reader, peak growth', unit: 'MiB', better: 'lower' },
  { name: 'writer', title: 'memory of the writer, peak growth', unit: 'MiB', better: 'lower' },
  { name: 'held', title: 'taken by send(), not yet read', unit: 'MiB', better: 'lower' }
]

function duration ({ quick }: Parameters): number {
  return quick ? 1_000 : 3_000
}

/** Heap and buffers: RSS also has what a garbage collector or an allocator keeps for later. */
function used (): number {
  const { heapUsed, external } = process.memoryUsage()

  return heapUsed + external
}

/** Looks at the memory of this process now and then, until told to stop: then says by how much it grew at most. */
function watchMemory (): () => number {
  globalThis.gc?.()

  const before = used()
  let peak = before
  const timer = setInterval(() => {
    peak = Math.max(peak, used())
  }, READ_MILLIS / 2)

  return () => {
    clearInterval(timer)

    return (peak - before) / MIB
  }
}

/** Reads 64 KiB every 50 ms, on average: a chunk that is larger is made up for by a longer pause. */
async function readSlowly (channel: Channel, millis: number): Promise<number> {
  let taken = 0
  let allowed = READ_BYTES
  let paused = false

  return new Promise((resolve, reject) => {
    const timer = setInterval(() => {
      allowed += READ_BYTES

      if (paused && taken < allowed) {
        paused = false
        channel.resume()
      }
    }, READ_MILLIS)

    channel.onData(chunk => {
      taken += chunk.byteLength

      if (!paused && taken >= allowed) {
        paused = true
        channel.pause()
      }
    })
    channel.onEnd(err => {
      clearInterval(timer)
      reject(err ?? new Error('the stream ended in the middle of a sample'))
    })
    setTimeout(() => {
      clearInterval(timer)
      resolve(taken)
    }, millis)
  })
}

export function slowReader (init: { name: string, title: string }): BenchCase {
  return {
    ...init,
    links: ['bare'],
    metrics: METRICS,
    native: {
      request: parameters => ({ kind: 'slow-reader', streams: 1, bytes: READ_BYTES, millis: duration(parameters) }),
      figures: ({ reader, writer, sent, taken }) => ({ reader: reader / MIB, writer: writer / MIB, held: (sent - taken) / MIB })
    },
    seconds: parameters => duration(parameters) / 1_000 + 0.2,

    async client (side) {
      const session = await side.session()
      const [channel] = await openChannels(session, 1)

      await side.hear()

      const message = new Uint8Array(WRITE_BYTES).fill(7)
      const grown = watchMemory()
      let sent = 0
      const stop = pump({
        send: bytes => {
          sent += bytes.byteLength

          return channel.send(bytes)
        },
        onDrain: callback => {
          channel.onDrain(callback)
        }
      // a buffer of its own for each write: one that is queued a thousand times would not show
      }, message, () => new Uint8Array(message))
      const taken = await side.hear()

      stop()

      return { writer: grown(), held: (sent - taken) / MIB }
    },

    async server (side) {
      const session = await side.session()
      const [channel] = await acceptChannels(session, 1)
      const grown = watchMemory()
      const reading = readSlowly(channel, duration(side.parameters))

      side.tell('ready')
      side.tell(await reading)

      return { reader: grown() }
    }
  }
}
