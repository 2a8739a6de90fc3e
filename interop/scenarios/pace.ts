/** Slow readers, pings, windows. */
import { echo, echoOn, fill, median, pattern, pingPong, readPattern, writePattern } from './streams.ts'
import { expectThat } from './types.ts'
import type { Cell, Scenario } from './types.ts'

const MIB = 1_048_576

/**
 * What a small message on another stream may take, there and back; so many times longer than alone where the machine is
 * so busy that this is more. Behind one window of the slow reader's it would be 2.6 s.
 */
const PROMPT_MILLIS = 50
const PROMPT_TIMES = 10

async function timesOfEchoes (cell: Cell): Promise<number[]> {
  const stream = await cell.open(cell.signal)
  const times: number[] = []

  // the first agrees on a protocol, and warms up
  await pingPong(stream, cell.signal)

  for (let i = 0; i < 20; i++) {
    times.push(await pingPong(stream, cell.signal))
  }

  await stream.closeWrite({ signal: cell.signal })
  await readPattern(stream, cell.signal)

  return times
}

/** Returns what is worth a note. */
function comparePace (beside: number[], alone: number[]): string {
  const limit = Math.max(PROMPT_MILLIS, PROMPT_TIMES * median(alone))

  expectThat(median(beside) < limit, `a small message took ${median(beside).toFixed(1)} ms beside the slow stream (median), and ${median(alone).toFixed(1)} ms alone`)

  return `${median(beside).toFixed(1)} ms, at most ${Math.max(...beside).toFixed(1)}; alone ${median(alone).toFixed(1)} ms`
}

export const PACE: Scenario[] = [
  {
    name: 'slow-theirs',
    title: 'the peer reads 1 KiB every 10 ms on one stream, and echoes on another in less than 50 ms (median of 20; on a busy machine, ten times what it takes alone)',
    mode: 'slow',
    // mplex has no flow control: a slow reader holds up the connection, or is reset
    muxers: ['yamux'],
    async run (cell) {
      const slow = await cell.open(cell.signal)
      const stop = new AbortController()

      await slow.write(pattern(1_000), { signal: cell.signal })

      const writing = writePattern(slow, 16 * MIB, AbortSignal.any([cell.signal, stop.signal])).catch(() => {})
      const beside = await timesOfEchoes(cell)

      expectThat(slow.status === 'open', `the slow stream is ${slow.status}`)
      stop.abort(new Error('enough'))
      await writing
      slow.reset()

      return comparePace(beside, await timesOfEchoes(cell))
    }
  },
  {
    name: 'slow-ours',
    title: 'we do not read on one stream that the peer fills, and echo on another in less than 50 ms (median of 20; on a busy machine, ten times what it takes alone); then read it all',
    mode: 'flood',
    number: 4 * MIB,
    muxers: ['yamux'],
    async run (cell) {
      const full = await cell.open(cell.signal)

      await full.write(pattern(1), { signal: cell.signal })

      const held = await fill(full, cell)

      expectThat(held <= 262_144, `${held} bytes were kept`)

      const beside = await timesOfEchoes(cell)

      expectThat(await readPattern(full, cell.signal) === 4 * MIB, 'not all came')
      await full.closeWrite({ signal: cell.signal })

      return comparePace(beside, await timesOfEchoes(cell))
    }
  },
  {
    name: 'ping-bulk',
    title: 'we ping 20 times while the peer sends bulk',
    mode: 'flood',
    number: peer => 128 * MIB / (peer.slowness ?? 1),
    muxers: ['yamux'],
    seconds: 60,
    async run (cell) {
      const stream = await cell.open(cell.signal)
      const times: number[] = []
      let beside = 0
      let bulk = true

      await stream.write(pattern(1), { signal: cell.signal })

      const reading = readPattern(stream, cell.signal).finally(() => { bulk = false })

      for (let i = 0; i < 20; i++) {
        times.push(await cell.muxer.ping({ signal: cell.signal }))
        beside += bulk ? 1 : 0
      }

      expectThat(await reading === cell.bulk(128 * MIB), 'not all came')
      expectThat(beside > 0, 'no ping was answered before all had come')
      await stream.closeWrite({ signal: cell.signal })

      return `${beside} before all had come; ${median(times).toFixed(1)} ms, at most ${Math.max(...times).toFixed(1)}`
    }
  },
  {
    name: 'ping-flood',
    title: 'we ping 2,000 times at once; the peer may answer some only, and goes on',
    mode: 'echo',
    muxers: ['yamux'],
    async run (cell) {
      const stop = new AbortController()
      let answered = 0

      const pings = Array.from({ length: 2_000 }, async () => cell.muxer.ping({ signal: stop.signal }).then(() => { answered++ }, () => {}))

      await echo(cell, 100_000)
      await Promise.race([Promise.all(pings), new Promise(resolve => { setTimeout(resolve, 500) })])
      stop.abort(new Error('enough'))
      await Promise.all(pings)
      await echo(cell, 100_000)
      expectThat(answered > 0, 'no ping was answered')

      return `${answered} answered`
    }
  },
  {
    name: 'ping-theirs',
    title: 'the peer pings 200 times, and gets a pong for each',
    mode: 'ping',
    number: 200,
    muxers: ['yamux'],
    needs: ['ping'],
    async run (cell) {
      const { count, message } = await cell.program.event(({ event }) => event === 'done')

      expectThat(count === 200, `${count} of 200 pings were answered: ${message}`)
      expectThat(cell.recorder.pongsOwed === 0, `${cell.recorder.pongsOwed} pings have no pong`)

      return undefined
    }
  },
  {
    name: 'keep-alive',
    title: 'our keep-alive pings every 20 ms while small messages are echoed',
    mode: 'echo',
    muxers: ['yamux'],
    options: { keepAliveInterval: 20, keepAliveTimeout: 5_000 },
    async run (cell) {
      const stream = await cell.open(cell.signal)

      while (cell.muxer.stats().pingsSent < 20) {
        await pingPong(stream, cell.signal)
      }

      await stream.closeWrite({ signal: cell.signal })
      await readPattern(stream, cell.signal)

      return cell.muxer.rtt === undefined ? undefined : `round trip ${cell.muxer.rtt.toFixed(2)} ms`
    }
  },
  {
    name: 'large-window',
    title: 'our initial window is 16 MiB: 32 MiB come in frames as large as the peer makes them',
    mode: 'source',
    number: peer => 32 * MIB / (peer.slowness ?? 1),
    muxers: ['yamux'],
    seconds: 60,
    options: { streamOptions: { initialStreamWindowSize: 16 * MIB } },
    async run (cell) {
      const stream = await cell.open(cell.signal)

      await stream.closeWrite({ signal: cell.signal })
      expectThat(await readPattern(stream, cell.signal) === cell.bulk(32 * MIB), 'not all came')
      expectThat(cell.peer.hugeFrames !== true || cell.recorder.largestFrameReceived > 1_000_000, `no frame was larger than ${cell.recorder.largestFrameReceived} bytes`)

      return `frames up to ${cell.recorder.largestFrameReceived} bytes`
    }
  },
  {
    name: 'window-echo',
    title: 'our initial window is 1 MiB: 8 MiB are echoed on two streams at once',
    mode: 'echo',
    muxers: ['yamux'],
    seconds: 60,
    options: { streamOptions: { initialStreamWindowSize: MIB } },
    async run (cell) {
      await Promise.all([1, 2].map(async () => echoOn(await cell.open(cell.signal), cell.bulk(8 * MIB), cell.signal)))

      return undefined
    }
  }
]
