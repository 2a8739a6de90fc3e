/** Attacks on what every multiplexer has: streams, data, ends, and memory in between. */
import { encodeVarint } from '../../src/core/varint.ts'
import { Random } from '../../test/simulation/kit/random.ts'
import { join } from '../../test/support/frames.ts'
import { GOES_ON, PROTOCOL, overBudget } from './ends.ts'
import type { Attack, Dialect, Language } from '../types.ts'
import type { Wire } from '../wire.ts'

const BOTH: Language[] = ['yamux', 'mplex']

const ONE = Uint8Array.of(7)
const KIB_64 = new Uint8Array(65_536).fill(7)

/** More than a yamux window, and less than a mplex message may have. */
const WINDOW = 262_144

/** Nearly all that a socket of Node.js reads at once. */
const MOST = new Uint8Array(65_000).fill(7)

/** Streams whose echoes fill the buffers of both kernels when nobody reads them. */
const FILLERS = 24

async function fillSocket (wire: Wire, open: Dialect['open'], data: Dialect['data']): Promise<void> {
  await wire.each(FILLERS, i => [open(i), data(i, new Uint8Array(WINDOW).fill(7))])
  await wire.pause(500)
}

export const SHARED: Attack[] = [
  {
    name: 'announce-4gib',
    title: '4 GiB announced on an open stream, then 64 MiB of them',
    languages: BOTH,
    ends: PROTOCOL,
    run: async (wire, { open, announce }) => {
      await wire.send(open(0), announce(0, 2 ** 32 - 1))
      await wire.repeat(1_024, KIB_64)
    }
  },
  {
    name: 'announce-unknown',
    title: '4 GiB announced for a stream that was never open, then 64 MiB of them',
    languages: BOTH,
    ends: { yamux: GOES_ON, mplex: PROTOCOL },
    run: async (wire, { announce }) => {
      await wire.send(announce(99, 2 ** 32 - 1))
      await wire.repeat(1_024, KIB_64)
    }
  },
  {
    name: 'open-flood',
    title: '100,000 streams opened',
    languages: BOTH,
    ends: overBudget('refusals'),
    run: async (wire, { open }) => {
      await wire.each(100_000, open)
    }
  },
  {
    name: 'ended-unaccepted',
    title: '9,900 streams opened and ended at once, then 900 a second for 4 s, of which the application accepts one',
    languages: BOTH,
    ends: GOES_ON,
    app: 'accept-first',
    run: async (wire, { open, end }) => {
      await wire.each(9_900, n => [open(n), end(n)])

      for (let i = 9_900; i < 13_500 && !wire.closed; i += 90) {
        await wire.pause(100)
        await wire.each(90, n => [open(i + n), end(i + n)])
      }
    }
  },
  {
    name: 'open-flood-deaf',
    title: '1,000,000 streams opened, refusals unread',
    languages: BOTH,
    ends: overBudget('refusals'),
    deaf: true,
    run: async (wire, { open }) => {
      // kernels keep the answers to the first 100,000 or so
      await wire.each(1_000_000, open)
    }
  },
  {
    name: 'rapid-reset',
    title: '100,000 streams opened and reset',
    languages: BOTH,
    ends: overBudget('resets'),
    run: async (wire, { open, reset }) => {
      await wire.each(100_000, n => [open(n), reset(n)])
    }
  },
  {
    name: 'reset-storm',
    title: '100 times 1,000 streams, live and echoing, reset at once',
    languages: BOTH,
    ends: overBudget('resets'),
    app: 'echo',
    run: async (wire, { open, data, reset }) => {
      for (let round = 0; round < 100 && !wire.closed; round++) {
        await wire.each(1_000, i => [open(round * 1_000 + i), data(round * 1_000 + i, ONE)])
        await wire.each(1_000, i => reset(round * 1_000 + i))
      }
    }
  },
  {
    name: 'reset-storm-deaf',
    title: '10 times 900 streams, live and echoing, reset at once by a peer that does not read',
    languages: BOTH,
    ends: GOES_ON,
    app: 'echo',
    deaf: true,
    run: async (wire, { open, data, reset }) => {
      await fillSocket(wire, open, data)

      for (let round = 0; round < 10 && !wire.closed; round++) {
        const first = FILLERS + round * 900

        await wire.each(900, i => [open(first + i), data(first + i, ONE)])
        await wire.pause(200)
        await wire.each(900, i => reset(first + i))
        await wire.pause(200)
      }
    }
  },
  {
    name: 'requests-deaf',
    title: '10,000 streams of the victim, 200 at a time, reset before it could announce them, as nobody reads what it sends',
    languages: BOTH,
    // a victim that is slow has not opened yet what is reset
    ends: [GOES_ON, overBudget('unknownStreams')],
    app: 'request',
    deaf: true,
    run: async (wire, { open, data, resetTheirs }) => {
      await fillSocket(wire, open, data)

      for (let round = 0; round < 50 && !wire.closed; round++) {
        await wire.each(200, i => resetTheirs(round * 200 + i))
        await wire.pause(100)
      }
    }
  },
  {
    name: 'data-and-reset',
    title: '900 streams to be echoed by who does not ask whether it may send, each with data, an end and a reset at once',
    languages: BOTH,
    app: 'echo-plainly',
    ends: GOES_ON,
    run: async (wire, { open, data, end, reset }) => {
      await wire.each(900, n => [open(n), data(n, ONE)])
      await wire.pause(500)
      await wire.each(900, n => n % 2 === 0 ? [data(n, ONE), reset(n)] : [data(n, ONE), end(n), reset(n)])
    }
  },
  {
    name: 'data-and-garbage',
    title: 'a stream to be echoed by who does not ask whether it may send, with data and then bytes that are no frame at once',
    languages: BOTH,
    app: 'echo-plainly',
    ends: PROTOCOL,
    run: async (wire, { open, data }) => {
      await wire.send(open(0), data(0, ONE))
      await wire.pause(500)
      await wire.send(join(data(0, ONE), new Uint8Array(64).fill(255)))
    }
  },
  {
    name: 'made-you-reset',
    title: '60,000 streams on which data comes that nobody wants',
    languages: BOTH,
    // the latter when the application is late, and too many are open at once
    ends: [GOES_ON, overBudget('refusals')],
    app: 'leave',
    run: async (wire, { open, data }) => {
      // many more than any budget has at once: what may have been on its way is charged to none
      for (let n = 0; n < 60_000 && !wire.closed; n += 500) {
        await wire.each(500, i => open(n + i))
        // the application has left them by then
        await wire.pause(100)
        await wire.each(500, i => data(n + i, ONE))
      }
    }
  },
  {
    name: 'empty-frames',
    title: '1,000,000 frames of 0 bytes on an open stream',
    languages: BOTH,
    ends: overBudget('emptyFrames'),
    run: async (wire, { open, data }) => {
      await wire.send(open(0))
      await wire.repeat(1_000_000, data(0, new Uint8Array(0)))
    }
  },
  {
    name: 'tiny-frames',
    title: '1,000,000 frames of 1 byte on four streams that are not read',
    languages: BOTH,
    ends: GOES_ON,
    app: 'ignore',
    run: async (wire, { open, data }) => {
      await wire.each(4, open)
      await wire.each(1_000_000, i => data(i % 4, ONE))
    }
  },
  {
    name: 'pinned-slices',
    title: '1,000 bytes kept, each cut from 64 KiB of which the rest is read',
    languages: BOTH,
    ends: GOES_ON,
    app: 'hold-first',
    run: async (wire, { open, data }) => {
      await wire.send(open(0), open(1))

      for (let i = 0; i < 1_000; i++) {
        // what is read gives its window back at once, so there is always enough
        await wire.send(Buffer.concat([data(0, ONE), data(1, KIB_64.subarray(0, 65_000))]))
        await wire.pause(1)
      }
    }
  },
  {
    name: 'pinned-streams',
    title: 'a byte kept on each of 900 streams, each cut from 64 KiB of which the rest is read',
    languages: BOTH,
    ends: GOES_ON,
    app: 'read-first',
    run: async (wire, { open, data }) => {
      await wire.each(901, open)

      for (let n = 1; n <= 900; n++) {
        await wire.send(Buffer.concat([data(n, ONE), data(0, KIB_64.subarray(0, 65_000))]))
        await wire.pause(1)
      }
    }
  },
  {
    name: 'unknown-streams',
    title: '1,000,000 bytes for streams that were never open',
    languages: BOTH,
    ends: { yamux: overBudget('unknownStreams'), mplex: GOES_ON },
    run: async (wire, { data }) => {
      await wire.each(1_000_000, i => data(1_000 + i % 1_000, ONE))
    }
  },
  {
    name: 'data-after-end',
    title: '16 MiB on a stream that its sender has ended',
    languages: BOTH,
    ends: { yamux: PROTOCOL, mplex: GOES_ON },
    app: 'ignore',
    run: async (wire, { open, data, end }) => {
      await wire.send(open(0), end(0))
      await wire.repeat(16_384, data(0, KIB_64.subarray(0, 1_024)))
    }
  },
  {
    name: 'unread-streams',
    title: '256 KiB on each of 1,000 streams that are not read',
    languages: BOTH,
    ends: GOES_ON,
    app: 'ignore',
    run: async (wire, { open, data }) => {
      const body = new Uint8Array(WINDOW).fill(7)

      // all are open, and were granted a window, before the first is filled
      await wire.each(1_000, open)

      for (let n = 0; n < 1_000 && !wire.closed; n++) {
        await wire.send(data(n, body))
      }
    }
  },
  {
    name: 'unread-pieces',
    title: '16 messages of 260 bytes on each of 1,000 streams that are not read',
    languages: BOTH,
    ends: GOES_ON,
    app: 'ignore',
    run: async (wire, { open, data }) => {
      const body = KIB_64.subarray(0, 260)

      await wire.each(1_000, open)

      for (let round = 0; round < 16; round++) {
        await wire.each(1_000, n => data(n, body))
      }
    }
  },
  {
    name: 'fill-and-reset',
    title: '2,000 streams, each reset with 256 KiB that were not read yet',
    languages: BOTH,
    ends: GOES_ON,
    app: 'slow',
    run: async (wire, { open, data, reset }) => {
      const body = new Uint8Array(WINDOW).fill(7)

      for (let n = 0; n < 2_000 && !wire.closed; n++) {
        await wire.send(open(n), data(n, body), reset(n))
      }
    }
  },
  {
    name: 'unread-ended',
    title: '256 KiB on each of 1,500 streams that both sides end, and that are not read',
    languages: BOTH,
    ends: GOES_ON,
    app: 'end-first',
    run: async (wire, { open, data, end }) => {
      const body = new Uint8Array(WINDOW).fill(7)

      for (let n = 0; n < 1_500 && !wire.closed; n++) {
        await wire.send(open(n), data(n, body), end(n))
      }
    }
  },
  {
    name: 'unread-ended-small',
    title: '100 bytes on each of 20,000 streams that both sides end, and that are not read',
    languages: BOTH,
    ends: GOES_ON,
    app: 'end-first',
    run: async (wire, { open, data, end }) => {
      const body = KIB_64.subarray(0, 100)

      for (let n = 0; n < 20_000 && !wire.closed; n++) {
        await wire.send(open(n), data(n, body), end(n))
      }
    }
  },
  {
    name: 'unread-open-and-over',
    title: '16 messages of 95 bytes on each of 1,000 streams that both sides end, and of 1,000 more, none of them read',
    languages: BOTH,
    ends: GOES_ON,
    app: 'end-thousand',
    run: async (wire, { open, data, end }) => {
      const body = KIB_64.subarray(0, 95)

      for (let n = 0; n < 2_000 && !wire.closed; n++) {
        await wire.send(open(n), ...Array.from({ length: 16 }, () => data(n, body)), ...(n < 1_000 ? [end(n)] : []))
      }
    }
  },
  {
    name: 'slow-loris',
    title: 'a frame of which a byte comes every 50 ms, for 4 s',
    languages: BOTH,
    ends: GOES_ON,
    run: async (wire, { open, announce }) => {
      await wire.send(open(0))

      for (const byte of Buffer.concat([announce(0, 1_000), new Uint8Array(68)])) {
        await wire.send(Uint8Array.of(byte))
        await wire.pause(50)
      }
    }
  },
  {
    name: 'read-in-part',
    title: 'a message of 64,900 bytes and 8 bytes more on each of 950 streams, of which the application reads the message',
    languages: BOTH,
    ends: GOES_ON,
    app: 'read-message',
    run: async (wire, { open, data }) => {
      for (let i = 0; i < 950 && !wire.closed; i++) {
        await wire.send(open(i))
        await wire.pause(2)
        await wire.send(data(i, join(encodeVarint(64_900), new Uint8Array(64_900 + 8))))
        await wire.pause(2)
      }
    }
  },
  {
    name: 'given-up-in-part',
    title: '59,000 bytes of a message of 60,000 on each of 960 streams, 80 at a time, that are aborted as it does not come in time',
    languages: BOTH,
    ends: GOES_ON,
    app: 'give-up',
    run: async (wire, { open, data }) => {
      const body = join(encodeVarint(60_000), new Uint8Array(59_000))

      for (let n = 0; n < 960 && !wire.closed; n += 80) {
        await wire.each(80, i => [open(n + i), data(n + i, body)])
        await wire.pause(1_200)
      }
    }
  },
  {
    name: 'unread-negotiated',
    title: '60,000 bytes behind the 2,000 in which a protocol is agreed on, on each of 500 streams that are not read otherwise',
    languages: BOTH,
    ends: GOES_ON,
    app: 'negotiate',
    run: async (wire, { open, data }) => {
      const body = join(encodeVarint(2_000), new Uint8Array(2_000 + 60_000))

      for (let i = 0; i < 500 && !wire.closed; i++) {
        await wire.send(open(i), data(i, body))
        await wire.pause(2)
      }
    }
  },
  {
    name: 'slow-messages',
    title: 'a message of 60,000 bytes announced on each of 900 streams, and 200 of them sent, a byte at a time',
    languages: BOTH,
    ends: GOES_ON,
    app: 'read-message',
    run: async (wire, { open, data }) => {
      await wire.each(900, i => [open(i), data(i, encodeVarint(60_000))])
      await wire.pause(300)
      await wire.each(900 * 200, i => data(i % 900, ONE))
      await wire.pause(1_000)
    }
  },
  {
    name: 'never-reads',
    title: 'writes of the victim unread for 5 s, on 10 streams',
    languages: BOTH,
    ends: GOES_ON,
    app: 'write',
    deaf: true,
    run: async (wire, { open }) => {
      await wire.each(10, open)
      await wire.pause(5_000)
    }
  },
  {
    name: 'writes-unread',
    title: 'messages of 1 KiB that the victim writes on 800 streams, unread for 5 s',
    languages: BOTH,
    ends: GOES_ON,
    app: 'write-small',
    deaf: true,
    run: async (wire, { open }) => {
      await wire.each(800, open)
      await wire.pause(5_000)
    }
  },
  {
    name: 'echoes-pinned',
    title: '3,000 bytes to be echoed, each cut from 64 KiB of which the rest is nobody\'s, echoes unread',
    languages: BOTH,
    ends: GOES_ON,
    app: 'echo',
    deaf: true,
    run: async (wire, { open, data }) => {
      await fillSocket(wire, open, data)
      await wire.send(open(FILLERS))

      for (let i = 0; i < 3_000 && !wire.closed; i++) {
        await wire.send(join(data(FILLERS, ONE), data(5_000, MOST)))
        await wire.pause(1)
      }
    }
  },
  {
    name: 'echoes-tiny',
    title: '800,000 messages of 1 byte to be echoed, on 4 streams, echoes unread',
    languages: BOTH,
    ends: GOES_ON,
    app: 'echo',
    deaf: true,
    run: async (wire, { open, data }) => {
      await fillSocket(wire, open, data)
      await wire.each(4, i => open(FILLERS + i))
      await wire.each(800_000, i => data(FILLERS + i % 4, ONE))
      await wire.pause(1_000)
    }
  },
  {
    name: 'never-stops',
    title: '1 GiB on a stream that is not read',
    languages: BOTH,
    ends: { yamux: PROTOCOL, mplex: GOES_ON },
    app: 'ignore',
    run: async (wire, { open, data }) => {
      await wire.send(open(0))
      await wire.repeat(16_384, data(0, KIB_64))
    }
  },
  {
    name: 'opens-twice',
    title: 'the same id opened 10,000 times',
    languages: BOTH,
    ends: PROTOCOL,
    run: async (wire, { open }) => {
      await wire.repeat(10_000, open(0))
    }
  },
  {
    name: 'garbage',
    title: '64 MiB of random bytes',
    languages: BOTH,
    ends: PROTOCOL,
    run: async wire => {
      const random = new Random(1)

      for (let i = 0; i < 1_024 && !wire.closed; i++) {
        await wire.send(Uint8Array.from({ length: 65_536 }, () => random.int(0, 255)))
      }
    }
  }
]
