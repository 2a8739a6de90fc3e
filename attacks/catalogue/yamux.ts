/** Attacks on what yamux adds: windows, pings, parity, GoAway. */
import { FIN, SYN, data, goAway, ping, windowUpdate } from '../../test/support/frames.ts'
import { yamuxId } from '../dialects.ts'
import { GOES_ON, PROTOCOL, overBudget } from './ends.ts'
import type { Attack } from '../types.ts'

const YAMUX: Attack['languages'] = ['yamux']
const WINDOW = 262_144
const MAX = 2 ** 32 - 1

export const YAMUX_ONLY: Attack[] = [
  {
    name: 'echoed-in-part',
    title: 'credit for all but a byte of 64 KiB that are echoed on each of 900 streams',
    languages: YAMUX,
    ends: GOES_ON,
    app: 'echo',
    run: async (wire, { open, data }) => {
      const last = new Uint8Array(65_000).fill(7)

      for (let i = 0; i < 900 && !wire.closed; i++) {
        // as much as may be echoed without credit
        await wire.send(open(i), data(i, new Uint8Array(262_144).fill(7)))
        await wire.pause(3)
        await wire.send(data(i, last))
        await wire.pause(3)
        await wire.send(windowUpdate(yamuxId(i), last.byteLength - 1))
      }
    }
  },
  {
    name: 'ping-flood',
    title: '200,000 pings, answers read',
    languages: YAMUX,
    ends: overBudget('pings'),
    run: async wire => {
      await wire.each(200_000, i => ping(i))
    }
  },
  {
    name: 'ping-flood-deaf',
    title: '1,000,000 pings, answers unread',
    languages: YAMUX,
    ends: overBudget('pings'),
    deaf: true,
    run: async wire => {
      // kernels keep the answers to the first 200,000 or so
      await wire.each(1_000_000, i => ping(i))
    }
  },
  {
    name: 'pongs',
    title: '1,000,000 answers to pings that were never asked',
    languages: YAMUX,
    ends: overBudget('emptyFrames'),
    run: async wire => {
      await wire.each(1_000_000, i => ping(i, 2))
    }
  },
  {
    name: 'credit-of-nothing',
    title: '1,000,000 window updates of 0',
    languages: YAMUX,
    ends: overBudget('emptyFrames'),
    run: async wire => {
      await wire.send(windowUpdate(1, 0, SYN))
      await wire.repeat(1_000_000, windowUpdate(1, 0))
    }
  },
  {
    name: 'credit-of-one',
    title: '200,000 window updates of 1 to a writer that has used its window',
    languages: YAMUX,
    ends: GOES_ON,
    app: 'write',
    run: async wire => {
      await wire.send(windowUpdate(1, 0, SYN))
      await wire.pause(200)
      await wire.repeat(200_000, windowUpdate(1, 1))
    }
  },
  {
    name: 'credit-after-end',
    title: '1,000,000 window updates for a half that the victim has ended',
    languages: YAMUX,
    ends: overBudget('emptyFrames'),
    app: 'end-first',
    run: async wire => {
      await wire.send(windowUpdate(1, 0, SYN))
      await wire.pause(200)
      await wire.repeat(1_000_000, windowUpdate(1, 12))
    }
  },
  {
    name: 'window-overflow',
    title: 'credit that makes a window larger than 32 bits',
    languages: YAMUX,
    ends: PROTOCOL,
    run: async wire => {
      await wire.send(windowUpdate(1, 0, SYN), windowUpdate(1, MAX))
    }
  },
  {
    name: 'window-overflow-syn',
    title: 'a window larger than 32 bits in a SYN',
    languages: YAMUX,
    ends: PROTOCOL,
    run: async wire => {
      await wire.send(windowUpdate(1, MAX, SYN))
    }
  },
  {
    name: 'window-of-4gib',
    title: 'a window of 2³²-1 on each of 10 streams, writes of the victim unread for 5 s',
    languages: YAMUX,
    ends: GOES_ON,
    app: 'write',
    deaf: true,
    run: async wire => {
      await wire.each(10, n => windowUpdate(yamuxId(n), MAX - WINDOW, SYN))
      await wire.pause(5_000)
    }
  },
  {
    name: 'beyond-window',
    title: 'one byte more than the window',
    languages: YAMUX,
    ends: PROTOCOL,
    app: 'ignore',
    run: async wire => {
      await wire.send(windowUpdate(1, 0, SYN), data(1, new Uint8Array(WINDOW + 1)))
    }
  },
  {
    name: 'beyond-window-syn',
    title: 'one byte more than the window, in the frame that opens the stream',
    languages: YAMUX,
    ends: PROTOCOL,
    app: 'ignore',
    run: async wire => {
      await wire.send(data(1, new Uint8Array(WINDOW + 1), SYN))
    }
  },
  {
    name: 'wrong-parity',
    title: 'streams opened under ids of the victim',
    languages: YAMUX,
    ends: PROTOCOL,
    run: async wire => {
      await wire.each(1_000, n => windowUpdate(2 + 2 * n, 0, SYN))
    }
  },
  {
    name: 'half-closed',
    title: '100,000 streams opened and ended in one frame, never read',
    languages: YAMUX,
    ends: overBudget('refusals'),
    app: 'ignore',
    run: async wire => {
      await wire.each(100_000, n => windowUpdate(yamuxId(n), 0, SYN | FIN))
    }
  },
  {
    name: 'after-goaway',
    title: 'GoAway, then 10,000 streams with data, then GoAway 100,000 times',
    languages: YAMUX,
    // the former when the application is late, and too many are open at once
    ends: [overBudget('refusals'), overBudget('emptyFrames')],
    run: async wire => {
      await wire.send(windowUpdate(1, 0, SYN), goAway(0))
      await wire.each(10_000, n => [windowUpdate(yamuxId(n + 1), 0, SYN), data(yamuxId(n + 1), new Uint8Array(100))])
      await wire.repeat(100_000, goAway(0))
    }
  },
  {
    name: 'withheld-body',
    title: '1,000 streams, on the last of which 256 KiB are announced and 1 byte comes',
    languages: YAMUX,
    ends: GOES_ON,
    run: async wire => {
      await wire.each(999, n => windowUpdate(yamuxId(n), 0, SYN))
      await wire.send(windowUpdate(yamuxId(999), 0, SYN), data(yamuxId(999), new Uint8Array(WINDOW)).subarray(0, 13))
      await wire.pause(1_000)
    }
  }
]
