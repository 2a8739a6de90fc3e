/** Streams that live for one byte there and one byte back, sixteen at a time. */
import { cpuMillis } from './pump.ts'
import type { BenchCase, Metric } from './types.ts'
import type { Session } from '../peers/types.ts'

const AT_ONCE = 16

const METRICS: Metric[] = [
  { name: 'rate', title: 'rate', unit: 'streams/s', better: 'higher' },
  { name: 'cpu', title: 'CPU of both ends', unit: 'µs/stream', better: 'lower' }
]

/** Done when the byte and the end of the remote came, our own end being sent with the byte. */
async function roundTrip (session: Session): Promise<void> {
  const channel = await session.open()

  await new Promise<void>((resolve, reject) => {
    let echoed = 0

    channel.onData(chunk => {
      echoed += chunk.byteLength
    })
    channel.onEnd(err => {
      if (err == null && echoed === 1) {
        resolve()
      } else {
        reject(err ?? new Error(`${echoed} bytes came back, not one`))
      }
    })
    channel.send(new Uint8Array(1))
    channel.end()
  })
}

export function openEchoClose (init: { name: string, title: string, links: BenchCase['links'] }): BenchCase {
  return {
    ...init,
    metrics: METRICS,
    native: {
      request: ({ millis }) => ({ kind: 'open', streams: AT_ONCE, bytes: 1, millis }),
      figures: ({ count, millis, clientCpuMillis, serverCpuMillis }) => ({
        rate: count / millis * 1_000,
        cpu: (clientCpuMillis + serverCpuMillis) * 1_000 / count
      })
    },
    seconds: ({ millis }) => millis / 1_000 + 0.1,

    async client (side) {
      const session = await side.session()
      let streams = 0

      await side.hear()

      const start = performance.now()
      const cpu = process.cpuUsage()

      await Promise.all(Array.from({ length: AT_ONCE }, async () => {
        while (performance.now() - start < side.parameters.millis) {
          await roundTrip(session)
          streams++
        }
      }))

      const millis = performance.now() - start
      const own = cpuMillis(cpu)

      side.tell('done')

      const remote = await side.hear()

      return { rate: streams / millis * 1_000, cpu: (own + remote.cpuMillis) * 1_000 / streams }
    },

    async server (side) {
      const session = await side.session()

      session.onChannel(channel => {
        channel.onData(chunk => {
          channel.send(chunk)
        })
        channel.onEnd(err => {
          if (err == null) {
            channel.end()
          }
        })
      })

      const cpu = process.cpuUsage()

      side.tell('ready')
      await side.hear()
      side.tell({ cpuMillis: cpuMillis(cpu) })

      return {}
    }
  }
}
