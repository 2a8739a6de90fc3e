/** Resets, GoAways, and connections that are cut. */
import { echo, failureOf, pattern, readPattern, writePattern } from './streams.ts'
import { expectThat } from './types.ts'
import type { Cell, Scenario } from './types.ts'
import type { MuxerName } from '../ours/index.ts'
import type { PeerEvent } from '../peers/program.ts'

const MIB = 1_048_576

/** Rate limited, among libp2p's own for streams. */
const CODE = 0x1003

async function end (cell: Cell, stream = 0): Promise<PeerEvent> {
  return cell.program.event(event => event.event === 'end' && event.stream === stream)
}

function resetByUs (code: number): Scenario {
  return {
    name: `reset-ours-${code}`,
    title: `we reset a stream${code === 0 ? '' : ` with code ${code}`}, and the peer's application is told`,
    mode: 'sink',
    async run (cell) {
      const stream = await cell.open(cell.signal)

      await stream.write(pattern(1_000), { signal: cell.signal })
      await cell.program.event(({ event }) => event === 'stream')
      stream.reset(code)

      const told = await end(cell)

      expectThat(told.how === 'reset', `the peer's reader was told ${told.how} ${told.message ?? ''}`)
      expectThat(cell.peer.resetCodes !== true || (told.code ?? 0) === code, `the peer was told code ${told.code}`)
      await echoAgain(cell)

      return told.code === undefined ? undefined : `read back as ${told.code}`
    }
  }
}

/** The connection outlives what happened to a stream. */
async function echoAgain (cell: Cell): Promise<void> {
  const stream = await cell.open(cell.signal)

  await stream.write(pattern(100), { signal: cell.signal })
  await stream.closeWrite({ signal: cell.signal })
  await cell.program.event(event => event.event === 'end' && event.stream === 1)
}

function resetByThem (code: number): Scenario {
  return {
    name: `reset-theirs-${code}`,
    title: `the peer resets a stream${code === 0 ? '' : ` with code ${code}`}, and our application is told`,
    mode: 'reset',
    number: code,
    seconds: 10,
    needs: code === 0 ? ['reset'] : ['reset', 'reset-code'],
    async run (cell) {
      const stream = await cell.open(cell.signal)

      await stream.write(pattern(10), { signal: cell.signal })

      const failure = await failureOf(readPattern(stream, cell.signal))

      expectThat(failure?.name === 'StreamResetError', `reading ended with ${failure ?? 'the end of the stream'}`)
      expectThat(failure.origin === 'remote', `the reset was taken for ${failure.origin}`)
      expectThat(cell.peer.resetCodes !== true || failure.code === code, `the code was ${failure.code}`)
      expectThat(stream.status === 'reset', `the stream is ${stream.status}`)

      const again = await cell.open(cell.signal)

      await again.write(pattern(10), { signal: cell.signal })
      await failureOf(readPattern(again, cell.signal))

      return failure.code === undefined ? undefined : `code ${failure.code}`
    }
  }
}

function goAwayByUs (code: number): Scenario {
  return {
    name: `goaway-ours-${code}`,
    title: `we end the connection with GoAway ${code} while the peer writes, and both end cleanly`,
    mode: 'source',
    number: 64 * MIB,
    ends: true,
    async run (cell) {
      const stream = await cell.open(cell.signal)

      await stream.write(pattern(1), { signal: cell.signal })
      // it is in the middle of writing: more of it is under way than we have read
      await stream.read({ signal: cell.signal, bytes: 1 })
      await cell.muxer.close({ code, signal: cell.signal })

      const told = await end(cell)

      expectThat(told.how !== 'eof', 'the peer took the end of the connection for the end of the stream')
      expectThat(cell.peer.goAwayCodes !== true || code === 0 || told.code === code, `the peer's writer was told ${told.how}, code ${told.code}, ${told.message}`)
      expectThat(stream.status !== 'open', 'the stream is open')

      return told.code === undefined ? undefined : `read back as ${told.code}`
    }
  }
}

function goAwayByThem (code: number): Scenario {
  return {
    name: `goaway-theirs-${code}`,
    title: `the peer ends the connection with GoAway ${code} while streams are open`,
    mode: 'goaway',
    number: code,
    needs: code === 0 ? ['close'] : ['close', 'close-code'],
    ends: true,
    async run (cell) {
      const stream = await cell.open(cell.signal)

      await stream.write(pattern(10), { signal: cell.signal })

      const failure = await failureOf(readPattern(stream, cell.signal))

      expectThat(failure !== undefined || cell.recorder.hasEnded(stream.id), 'the end of the connection was taken for the end of the stream')

      if (code !== 0 && (failure !== undefined || cell.peer.goAwayCodes === true)) {
        expectThat(failure?.name === 'GoAwayError' && failure.code === code, `reading ended with ${failure}, code ${failure?.code}`)
      }

      const opening = await failureOf(cell.open(cell.signal))

      expectThat(opening !== undefined, 'a stream could be opened on a connection that is over')

      return failure === undefined ? 'the peer ended each stream first' : `${failure.name}${failure.code === undefined ? '' : ` ${failure.code}`}`
    }
  }
}

const LONG = 1_000 * MIB

export const ENDINGS: Scenario[] = [
  resetByUs(0),
  resetByUs(CODE),
  resetByThem(0),
  resetByThem(CODE),
  ...[0, 1, 2, CODE].map(goAwayByUs).map(scenario => ({ ...scenario, muxers: ['yamux' as const] })),
  ...[0, 1, 2, CODE].map(goAwayByThem).map(scenario => ({ ...scenario, muxers: ['yamux' as const] })),
  {
    name: 'close-unread',
    title: 'the peer ends both halves and never reads while we write 1 MiB: an end or an error, never a hang',
    mode: 'close',
    needs: ['close-unread'],
    options: { streamOptions: { writeStallTimeout: 2_000 } },
    async run (cell) {
      const stream = await cell.open(cell.signal)
      const failure = await failureOf(writePattern(stream, MIB, cell.signal).then(async () => stream.closeWrite({ signal: cell.signal })))

      expectThat(!cell.signal.aborted, 'writing hung')
      expectThat(cell.muxer.status === 'open', `the connection is ${cell.muxer.status}`)

      return failure === undefined ? 'all was taken' : `${failure.name}: ${failure.message.split(' (')[0]}`
    }
  },
  {
    name: 'cut-theirs',
    title: 'the peer is killed in the middle of sending',
    mode: 'source',
    number: LONG,
    ends: true,
    async run (cell) {
      const streams = await Promise.all([cell.open(cell.signal), cell.open(cell.signal)])

      await Promise.all(streams.map(async stream => stream.write(pattern(1), { signal: cell.signal })))

      const failures = streams.map(async stream => failureOf(readPattern(stream, cell.signal, total => {
        if (total > 1_000_000 / (cell.peer.slowness ?? 1)) {
          cell.program.kill()
        }
      })))

      for (const failure of await Promise.all(failures)) {
        expectThat(failure?.name === 'ConnectionClosedError', `reading ended with ${failure}`)
      }

      return undefined
    }
  },
  {
    name: 'cut-ours',
    title: 'we cut the connection in the middle of a frame',
    mode: 'sink',
    ends: true,
    async run (cell) {
      const stream = await cell.open(cell.signal)

      await stream.write(pattern(1_000), { signal: cell.signal })
      await cell.program.event(({ event }) => event === 'stream')
      cell.cut(halfAFrame(cell.peer.muxer, Number(stream.id.replace(/\D/g, ''))))

      const told = await end(cell)

      expectThat(told.how !== 'eof', 'the peer took the end of the connection for the end of the stream')

      return undefined
    }
  },
  {
    name: 'after-everything',
    title: 'streams ended and reset in all ways, then an echo',
    mode: 'echo',
    seconds: 15,
    async run (cell) {
      for (let i = 0; i < 100; i++) {
        const stream = await cell.open(cell.signal)

        if (i % 4 > 0) {
          await stream.write(pattern(1 + i * 1_000), { signal: cell.signal })
        }

        if (i % 4 === 1) {
          await stream.closeRead({ signal: cell.signal })
        }

        if (i % 4 < 3) {
          stream.reset(i)
        } else {
          await stream.closeWrite({ signal: cell.signal })
          await readPattern(stream, cell.signal)
        }
      }

      await echo(cell, 100_000)
      expectThat(cell.muxer.status === 'open', `the connection is ${cell.muxer.status}`)

      return undefined
    }
  }
]

/** The header of 1,000 bytes of data on a stream of ours, and 500 of them. */
function halfAFrame (muxer: MuxerName, streamId: number): Uint8Array {
  const header = muxer === 'yamux'
    ? [0, 0, 0, 0, 0, 0, 0, streamId, 0, 0, 3, 0xe8]
    : [streamId << 3 | 2, 0xe8, 7]

  return Uint8Array.of(...header, ...pattern(500))
}
