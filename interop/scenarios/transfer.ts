/** Echo, bulk, many streams, both halves. */
import { echo, echoInbound, echoOn, failureOf, pattern, readPattern, writePattern } from './streams.ts'
import { expectThat } from './types.ts'
import type { Cell, Scenario } from './types.ts'

const KIB = 1_024
const MIB = 1_024 * KIB
const BULK = 256 * MIB
const FAR_BULK = 16 * MIB

function streamsAtOnce (count: number): Scenario {
  return {
    name: `streams-${count}`,
    title: `${count} streams at once, each open until all are, then echoed on`,
    mode: 'echo',
    seconds: 60,
    async run (cell) {
      const streams = await Promise.all(Array.from({ length: count }, async () => {
        const stream = await cell.open(cell.signal)

        // some peers hear of a stream, and acknowledge it, only with its first bytes
        await stream.write(pattern(1), { signal: cell.signal })

        return stream
      }))

      await Promise.all(streams.map(async stream => {
        const [received] = await Promise.all([
          readPattern(stream, cell.signal),
          stream.write(pattern(100, 1), { signal: cell.signal }).then(async () => stream.closeWrite({ signal: cell.signal }))
        ])

        expectThat(received === 101, `${received} bytes of 101 came back`)
      }))

      return `${cell.recorder.mostUnacknowledged} unacknowledged at most`
    }
  }
}

/** The peer's own word on one of its streams. */
async function endOf (cell: Cell, stream: number): Promise<{ how?: string, bytes?: number, intact?: boolean }> {
  return cell.program.event(event => event.event === 'end' && event.stream === stream)
}

export const TRANSFER: Scenario[] = [
  {
    name: 'echo',
    title: 'echo of 0, 1, 4 Ki, 256 Ki, 256 Ki + 1 bytes, each on a stream of its own',
    mode: 'echo',
    async run (cell) {
      for (const length of [0, 1, 4 * KIB, 256 * KIB, 256 * KIB + 1]) {
        await echo(cell, length)
      }

      return undefined
    }
  },
  {
    name: 'echo-64m',
    title: 'echo of 64 MiB on one stream',
    mode: 'echo',
    seconds: 120,
    async run (cell) {
      await echo(cell, cell.bulk(64 * MIB))

      return undefined
    }
  },
  {
    name: 'upload',
    title: 'we send 256 MiB on one stream',
    mode: 'sink',
    seconds: 120,
    async run (cell) {
      const stream = await cell.open(cell.signal)
      const length = cell.bulk(BULK)

      await writePattern(stream, length, cell.signal)
      await stream.closeWrite({ signal: cell.signal })

      const { how, bytes, intact } = await endOf(cell, 0)

      expectThat(how === 'eof' && bytes === length && intact === true, `the peer had ${bytes} bytes of ${length}, intact: ${intact}, ended by ${how}`)
      expectThat(await readPattern(stream, cell.signal) === 0, 'something came back')

      return undefined
    }
  },
  {
    name: 'download',
    title: 'the peer sends 256 MiB on one stream',
    mode: 'source',
    number: peer => BULK / (peer.slowness ?? 1),
    seconds: 120,
    async run (cell) {
      const stream = await cell.open(cell.signal)

      await stream.closeWrite({ signal: cell.signal })

      const received = await readPattern(stream, cell.signal)

      expectThat(received === cell.bulk(BULK), `${received} bytes of ${cell.bulk(BULK)} came`)

      return stream.receiveWindow === undefined ? undefined : `window ${stream.receiveWindow / KIB} KiB`
    }
  },
  {
    name: 'download-far',
    title: 'the peer sends 16 MiB on one stream from 20 ms away, and our window grows above 256 KiB',
    mode: 'source',
    number: FAR_BULK,
    muxers: ['yamux'],
    distance: 20,
    seconds: 60,
    async run (cell) {
      const stream = await cell.open(cell.signal)

      await stream.closeWrite({ signal: cell.signal })

      const received = await readPattern(stream, cell.signal)
      const { mostCredit } = cell.recorder

      expectThat(received === FAR_BULK, `${received} bytes of ${FAR_BULK} came`)
      expectThat(mostCredit > 256 * KIB, `our window was ${mostCredit} bytes at most`)

      return `window ${Math.round(mostCredit / KIB)} KiB`
    }
  },
  streamsAtOnce(1),
  streamsAtOnce(256),
  streamsAtOnce(257),
  streamsAtOnce(600),
  streamsAtOnce(1_000),
  {
    name: 'backlog',
    title: 'the peer accepts none: 256 streams are opened, one more waits until it is given up, and none is refused',
    mode: 'noaccept',
    muxers: ['yamux'],
    needs: ['noaccept'],
    async run (cell) {
      const streams = await Promise.all(Array.from({ length: 256 }, async () => cell.open(cell.signal)))
      const stop = new AbortController()
      const waiting = failureOf(cell.open(AbortSignal.any([cell.signal, stop.signal])))

      // with its pong it has dealt with all that we had sent before
      await cell.muxer.ping({ signal: cell.signal })
      expectThat(cell.recorder.mostUnacknowledged === 256, `${cell.recorder.mostUnacknowledged} streams were unacknowledged at most`)
      expectThat(streams.every(({ status }) => status === 'open'), 'a stream was refused')
      expectThat(cell.muxer.streams.length === 256, `${cell.muxer.streams.length} streams are open`)

      stop.abort(new Error('enough'))
      expectThat((await waiting)?.message === 'enough', `the one that waited ended with ${await waiting}`)
      streams.forEach(stream => { stream.reset() })

      return undefined
    }
  },
  {
    name: 'sequential',
    title: '10,000 streams, one after the other, a byte echoed on each',
    mode: 'echo',
    seconds: 120,
    async run (cell) {
      const count = cell.times(10_000)

      for (let i = 0; i < count; i++) {
        await echo(cell, 1)
      }

      expectThat(cell.muxer.streams.length <= 2, `${cell.muxer.streams.length} streams are left`)

      return count === 10_000 ? undefined : `${count} streams`
    }
  },
  {
    name: 'both-open',
    title: 'both open 100 streams at once, and echo on those of the other',
    mode: 'open',
    number: 100,
    async run (cell) {
      const inbound = echoInbound(cell)

      await Promise.all(Array.from({ length: 100 }, async (_, index) => echo(cell, 100 * index)))

      const { failed, message } = await cell.program.event(({ event }) => event === 'done')

      expectThat(failed === 0, `${failed} streams of the peer failed: ${message}`)
      expectThat(inbound.failures.length === 0, `echoing failed: ${inbound.failures[0]}`)
      expectThat(inbound.opened === 100, `${inbound.opened} streams of 100 came in`)

      return undefined
    }
  },
  {
    name: 'open-few',
    title: 'the peer opens 3 streams at once, and we echo',
    mode: 'open',
    number: 3,
    async run (cell) {
      const inbound = echoInbound(cell)
      const { failed, message } = await cell.program.event(({ event }) => event === 'done')

      expectThat(failed === 0 && inbound.failures.length === 0, `${failed} streams of the peer failed: ${message ?? inbound.failures[0]}`)
      expectThat(inbound.opened === 3, `${inbound.opened} streams came in`)

      return undefined
    }
  },
  {
    name: 'half-close-ours',
    title: 'we end our half after 300,000 bytes, the peer then sends as many',
    mode: 'half',
    async run (cell) {
      await echoOn(await cell.open(cell.signal), 300_000, cell.signal)

      return undefined
    }
  },
  {
    name: 'half-close-small',
    title: 'we end our half after 1,000 bytes, the peer then sends as many',
    mode: 'half',
    async run (cell) {
      await echoOn(await cell.open(cell.signal), 1_000, cell.signal)

      return undefined
    }
  },
  {
    name: 'half-close-theirs',
    title: 'the peer ends its half after 300,000 bytes, we then send as many',
    mode: 'source',
    number: 300_000,
    async run (cell) {
      const stream = await cell.open(cell.signal)

      // hosts open with the first bytes of ours, as the protocol is agreed on with them
      await stream.write(pattern(1), { signal: cell.signal })
      expectThat(await readPattern(stream, cell.signal) === 300_000, 'not all came')
      await stream.write(pattern(299_999, 1), { signal: cell.signal })
      await stream.closeWrite({ signal: cell.signal })

      const { how, bytes, intact } = await endOf(cell, 0)

      expectThat(how === 'eof' && bytes === 300_000 && intact === true, `the peer had ${bytes} bytes, intact: ${intact}, ended by ${how}`)

      return undefined
    }
  },
  {
    name: 'empty-ours',
    title: 'we open a stream and end our half without a byte',
    mode: 'echo',
    async run (cell) {
      const stream = await cell.open(cell.signal)

      await stream.closeWrite({ signal: cell.signal })
      expectThat(await readPattern(stream, cell.signal) === 0, 'something came back')

      const { how, bytes } = await endOf(cell, 0)

      expectThat(how === 'eof' && bytes === 0, `the peer had ${bytes} bytes, ended by ${how}`)

      return undefined
    }
  },
  {
    name: 'empty-theirs',
    title: 'the peer opens a stream and ends its half without a byte',
    mode: 'empty',
    seconds: 10,
    async run (cell) {
      const inbound = echoInbound(cell)
      const { how, bytes } = await cell.program.event(({ event }) => event === 'done')

      expectThat(inbound.opened === 1, `${inbound.opened} streams came in`)
      expectThat(how === 'eof' && bytes === 0, `the peer had ${bytes} bytes, ended by ${how}`)

      return undefined
    }
  }
]
