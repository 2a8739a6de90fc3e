/** Senders that offer as much as they can, and the meter of who receives it. */
import { PerformanceObserver, constants } from 'node:perf_hooks'
import type { Channel, Chunk } from '../peers/types.ts'

/** After that much a sender lets others run, also when it was not told to wait: a stop must reach it. */
const BURST_BYTES = 1_048_576

/** Sends messages, all the same unless made anew, and waits for drain when told to. Returns what stops it. */
export function pump (channel: Pick<Channel, 'send' | 'onDrain'>, message: Uint8Array, make?: () => Uint8Array): () => void {
  const burst = Math.max(1, Math.floor(BURST_BYTES / message.byteLength))
  let blocked = false
  let stopped = false

  function run (): void {
    if (stopped) {
      return
    }

    for (let i = 0; i < burst; i++) {
      if (!channel.send(make?.() ?? message)) {
        blocked = true
        return
      }
    }

    setImmediate(run)
  }

  channel.onDrain(() => {
    // muxers of libp2p tell all their streams of a drain, also those that were not blocked
    if (blocked) {
      blocked = false
      run()
    }
  })
  setImmediate(run)

  return () => {
    stopped = true
  }
}

/** How far ahead of the receiver a round may be, and how often the receiver tells. */
const AHEAD_BYTES = 4 * 1_048_576
const ACKNOWLEDGE_BYTES = 65_536

/**
 * Sends the message on one channel after the other, round and round, leaving out those that told to wait. The receiver
 * says on a channel of its own how far it is: who takes whatever it is given must not win by queueing it.
 */
export function pumpRound (channels: Channel[], message: Uint8Array, acknowledgements: Channel): () => void {
  const blocked = new Uint8Array(channels.length)
  let free = channels.length
  let next = 0
  let ahead = 0
  let scheduled = false
  let stopped = false

  function run (): void {
    scheduled = false

    for (let i = 0; i < 1_000 && free > 0 && ahead < AHEAD_BYTES; i++) {
      while (blocked[next] === 1) {
        next = (next + 1) % channels.length
      }

      if (!channels[next].send(message)) {
        blocked[next] = 1
        free--
      }

      ahead += message.byteLength
      next = (next + 1) % channels.length
    }

    schedule()
  }

  function schedule (): void {
    if (!scheduled && !stopped && free > 0 && ahead < AHEAD_BYTES) {
      scheduled = true
      setImmediate(run)
    }
  }

  channels.forEach((channel, index) => {
    channel.onDrain(() => {
      if (blocked[index] === 1) {
        blocked[index] = 0
        free++
        schedule()
      }
    })
  })
  acknowledgements.onData(chunk => {
    ahead -= chunk.byteLength * ACKNOWLEDGE_BYTES
    schedule()
  })
  schedule()

  return () => {
    stopped = true
  }
}

export interface Measured {
  bytes: number

  /** What came before it was counted. */
  rampBytes: number
  millis: number
  cpuMillis: number

  /** Of that, what other threads than the main one took: those of V8, which collect garbage. */
  otherCpuMillis: number

  /** How often the whole heap was marked. */
  marks: number
}

let marked = 0

const collections = new PerformanceObserver(list => {
  countMarks(list.getEntries())
})

function countMarks (entries: PerformanceEntryList): void {
  marked += entries.filter(entry => (entry as any).detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR).length
}

function marks (): number {
  countMarks(collections.takeRecords())

  return marked
}

/** Counts what comes in on the channels: from the first byte on, for so many milliseconds, after so many to warm up. */
export async function meter (channels: Channel[], millis: number, options: { acknowledgements?: Channel, rampMillis?: number } = {}): Promise<Measured> {
  const { acknowledgements, rampMillis = 0 } = options
  const one = new Uint8Array(ACKNOWLEDGE_BYTES)
  let bytes = 0
  let rampBytes = 0
  let acknowledged = 0
  let first: number | undefined
  let cpu = process.cpuUsage()
  let main = process.threadCpuUsage()
  let marksBefore = 0

  collections.observe({ entryTypes: ['gc'] })

  return new Promise((resolve, reject) => {
    let done = false

    function count (chunk: Chunk): void {
      const now = performance.now()

      if (first === undefined) {
        first = now + rampMillis
        cpu = process.cpuUsage()
        main = process.threadCpuUsage()
        marksBefore = marks()
      }

      if (now < first) {
        rampBytes += chunk.byteLength
      } else if (!done) {
        bytes += chunk.byteLength
      }

      if (acknowledgements !== undefined) {
        acknowledged += chunk.byteLength

        if (acknowledged >= ACKNOWLEDGE_BYTES) {
          const times = Math.floor(acknowledged / ACKNOWLEDGE_BYTES)

          acknowledged -= times * ACKNOWLEDGE_BYTES
          acknowledgements.send(one.slice(0, times))
        }
      }

      if (!done && now - first >= millis) {
        done = true
        resolve({ bytes, rampBytes, millis: now - first, cpuMillis: cpuMillis(cpu), otherCpuMillis: otherCpuMillis(cpu, main), marks: marks() - marksBefore })
        collections.disconnect()
      }
    }

    for (const channel of channels) {
      channel.onData(count)
      channel.onEnd(err => {
        reject(err ?? new Error('the remote ended a stream in the middle of a sample'))
      })
    }
  })
}

/** CPU time of this process, all threads, since then. */
export function cpuMillis (since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)

  return (user + system) / 1_000
}

/** The same without the main thread. */
export function otherCpuMillis (since: NodeJS.CpuUsage, mainSince: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(mainSince)

  return cpuMillis(since) - (user + system) / 1_000
}
