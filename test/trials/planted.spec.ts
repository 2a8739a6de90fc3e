import { expect } from 'aegir/chai'
import { Budgets } from '../../src/core/budgets.ts'
import { Kept } from '../../src/core/kept.ts'
import { ReceiveQueue } from '../../src/core/receive-queue.ts'
import { Scheduler } from '../../src/core/scheduler.ts'
import { OwedLane } from '../../src/core/stream-lanes.ts'
import { StreamRecord } from '../../src/core/stream-record.ts'
import { Streams } from '../../src/core/stream-table.ts'
import { ReceiveWindow, SendWindow } from '../../src/core/windows.ts'
import { EPISODE_CONNECTIONS, runEpisode } from '../../trials/fuzz/episode.ts'
import { LANGUAGES } from '../../trials/languages.ts'
import { makePlan, runPlan } from '../simulation/kit/random-operations.ts'

/** In so many connections whatever is planted must be found: some seconds' worth of either trial. Those of fuzz are short. */
const CONNECTIONS = 1_000
const FUZZ_CONNECTIONS = 4_000

type Method = (this: any, ...args: any[]) => any
type Muxer = 'yamux' | 'mplex'

interface Planted {
  what: string
  where: { prototype: any }
  method: string
  instead(original: Method): Method
  simulated: Muxer[]
  fuzzed: Muxer[]
}

const BOTH: Muxer[] = ['yamux', 'mplex']

const PLANTED: Planted[] = [
  {
    what: 'credit for bytes that nobody has read',
    where: ReceiveWindow,
    method: 'update',
    instead: original => function (_unread, ...args) { return original.call(this, 0, ...args) },
    simulated: ['yamux'],
    fuzzed: ['yamux']
  },
  {
    what: 'a window that nobody holds the peer to',
    where: ReceiveWindow,
    method: 'receive',
    instead: () => function (bytes) {
      this.available -= bytes

      return true
    },
    simulated: [],
    fuzzed: ['yamux']
  },
  {
    what: 'growth of windows that is never given back',
    where: ReceiveWindow,
    method: 'release',
    instead: () => function () {},
    simulated: ['yamux'],
    fuzzed: []
  },
  {
    what: 'a byte of credit that is lost',
    where: SendWindow,
    method: 'grant',
    instead: original => function (bytes) { return original.call(this, Math.max(0, bytes - 1)) },
    simulated: ['yamux'],
    fuzzed: []
  },
  {
    what: 'the wrong part of a piece that is read in parts',
    where: ReceiveQueue,
    method: 'shift',
    instead: original => function (max) { return original.call(this, max)?.toReversed() },
    simulated: BOTH,
    fuzzed: []
  },
  {
    what: 'an exception over many pieces',
    where: ReceiveQueue,
    method: 'settle',
    instead: original => function () {
      if (this.pieces > 1) {
        throw new RangeError('too many pieces')
      }

      original.call(this)
    },
    simulated: BOTH,
    fuzzed: ['yamux']
  },
  {
    what: 'bytes that count as unread after they were read',
    where: Kept,
    method: 'shift',
    instead: () => function (queue, max) { return queue.shift(max) },
    simulated: BOTH,
    fuzzed: BOTH
  },
  {
    what: 'streams that count as open after they have ended',
    where: Streams,
    method: 'delete',
    instead: original => function (stream) {
      const { inbound } = this
      const deleted = original.call(this, stream)

      this.inbound = inbound

      return deleted
    },
    simulated: BOTH,
    fuzzed: BOTH
  },
  {
    what: 'a reset that is taken for an end',
    where: StreamRecord,
    method: 'apply',
    instead: original => function (input) {
      const applied = original.call(this, input)

      if (input === 'reset-received' && this.receive === 'reset') {
        this.receive = 'ended'
      }

      return applied
    },
    simulated: BOTH,
    fuzzed: []
  },
  {
    what: 'frames that are owed and never made',
    where: OwedLane,
    method: 'add',
    instead: original => function (stream, frame) {
      if (stream.framesSent !== 3) {
        original.call(this, stream, frame)
      }
    },
    simulated: BOTH,
    fuzzed: []
  },
  {
    what: 'streams that hold what they like until somebody begins to read',
    where: Kept,
    method: 'push',
    instead: original => function (...args) {
      original.apply(this, args)
      this.unstarted = 0
    },
    simulated: BOTH,
    fuzzed: BOTH
  },
  {
    what: 'streams that are over and count for nobody, whatever is unread of them',
    where: Kept,
    method: 'linger',
    instead: () => function ({ inbound, receiveQueue }) {
      this.bytes -= receiveQueue.byteLength
      this.pieces -= receiveQueue.pieces
      this.unstarted -= inbound === true && receiveQueue.taken < 1_024 ? receiveQueue.byteLength : 0
    },
    simulated: BOTH,
    fuzzed: []
  },
  {
    what: 'bytes that are kept and not counted',
    where: Kept,
    method: 'push',
    instead: original => function (stream, piece) {
      original.call(this, stream, piece)
      this.bytes -= piece.byteLength
    },
    simulated: BOTH,
    fuzzed: BOTH
  },
  {
    what: 'pieces that are kept and not counted',
    where: Kept,
    method: 'push',
    instead: original => function (stream, piece) {
      original.call(this, stream, piece)
      this.pieces--
    },
    simulated: BOTH,
    fuzzed: BOTH
  },
  {
    what: 'a turn that ends only when its stream has nothing more to send',
    where: Scheduler,
    method: 'add',
    instead: original => function (stream) { original.call(this, stream, true) },
    simulated: BOTH,
    fuzzed: []
  },
  {
    what: 'answers that wait in any number',
    where: Budgets,
    method: 'checkReplies',
    instead: () => function () {},
    simulated: [],
    fuzzed: ['yamux']
  }
]

/** What the trial says at the first connection in which it finds something. */
function found (connection: (number: number) => void, connections = CONNECTIONS): string | undefined {
  for (let number = 1; number <= connections; number++) {
    try {
      connection(number)
    } catch (err: any) {
      return `connection ${number}: ${err.message}`
    }
  }
}

function withPlanted<Result> ({ where: { prototype }, method, instead }: Planted, run: () => Result): Result {
  const original = prototype[method]

  prototype[method] = instead(original)

  try {
    return run()
  } finally {
    prototype[method] = original
  }
}

describe('trials: bugs that are planted', function () {
  this.timeout(60_000)

  for (const planted of PLANTED) {
    for (const muxer of planted.simulated) {
      it(`simulation of ${muxer} finds ${planted.what}`, () => {
        expect(withPlanted(planted, () => found(seed => { runPlan(makePlan(seed, muxer)) }))).to.be.a('string')
      })
    }

    for (const muxer of planted.fuzzed) {
      it(`fuzzing of ${muxer} finds ${planted.what}`, () => {
        const language = LANGUAGES.find(({ name }) => name === muxer) as typeof LANGUAGES[number]

        expect(withPlanted(planted, () => found(number => { runEpisode(language, number, false) }, FUZZ_CONNECTIONS / EPISODE_CONNECTIONS))).to.be.a('string')
      })
    }
  }
})
