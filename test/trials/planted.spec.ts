import { expect } from 'aegir/chai'
import { PushedBack } from '../../src/connection/pushed-back.ts'
import { MuxedStream } from '../../src/connection/stream.ts'
import { Waiters } from '../../src/connection/waiters.ts'
import { BaseEngine } from '../../src/core/base-engine.ts'
import { Budgets } from '../../src/core/budgets.ts'
import { Kept } from '../../src/core/kept.ts'
import { ReceiveQueue } from '../../src/core/receive-queue.ts'
import { Scheduler } from '../../src/core/scheduler.ts'
import { EdgeQueue, OwedLane } from '../../src/core/stream-lanes.ts'
import { Edge, StreamRecord } from '../../src/core/stream-record.ts'
import { Streams } from '../../src/core/stream-table.ts'
import { ReceiveWindow, SendWindow } from '../../src/core/windows.ts'
import { MuxerClosedError, StreamBufferError } from '../../src/interface/errors.ts'
import { MplexEngine } from '../../src/protocols/mplex/engine.ts'
import { YamuxEngine } from '../../src/protocols/yamux/engine.ts'
import { EPISODE_CONNECTIONS, runEpisode } from '../../trials/fuzz/episode.ts'
import { LANGUAGES } from '../../trials/languages.ts'
import { runConnections } from '../simulation/kit/random-connections.ts'
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

/** Limits that are others for as long as an engine looks at what came. */
function receivingWith (limits: (engine: any) => { of: any, name: string, times: number }): Planted['instead'] {
  return original => function (...args) {
    const { of, name, times } = limits(this)
    const limit = of[name]

    of[name] = limit * times
    original.apply(this, args)
    of[name] = limit
  }
}

/** Nobody is told. */
function without (edge: number): Planted['instead'] {
  return original => function (stream, edges) {
    if ((edges & ~edge) !== 0) {
      original.call(this, stream, edges & ~edge)
    }
  }
}

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
    what: 'bytes that are lost with their connection, if nobody has read them yet',
    where: Kept,
    method: 'clear',
    instead: original => function () {
      for (const { receiveQueue } of this.lingering) {
        receiveQueue.clear()
      }

      original.call(this)
    },
    simulated: BOTH,
    fuzzed: []
  },
  {
    what: 'streams that are reset for no reason',
    where: MplexEngine,
    method: 'receive',
    instead: original => function (...args) {
      original.apply(this, args)

      for (const stream of this.streams) {
        if (stream.framesReceived === 20) {
          this.reset(stream, 0, new StreamBufferError('too much (option maxStreamBufferSize)'))
        }
      }
    },
    simulated: ['mplex'],
    fuzzed: []
  },
  {
    what: 'a quarter of maxStreamBufferSize',
    where: MplexEngine,
    method: 'receive',
    instead: receivingWith(({ connection: { config: { stream } } }) => ({ of: stream, name: 'maxReadBufferLength', times: 0.25 })),
    simulated: ['mplex'],
    fuzzed: []
  },
  ...(['unreadBytes', 'unreadPieces', 'streamPieces', 'unstartedBytes'] as const).map((name): Planted => ({
    what: `half of ${name}`,
    where: MplexEngine,
    method: 'receive',
    instead: receivingWith(({ connection: { budgets: { limits } } }) => ({ of: limits, name, times: 0.5 })),
    simulated: ['mplex'],
    fuzzed: []
  })),
  ...([['yamux', YamuxEngine], ['mplex', MplexEngine]] as const).map(([muxer, where]): Planted => ({
    what: 'four times as many streams of the peer as there may be',
    where,
    method: 'receive',
    instead: receivingWith(({ connection: { config } }) => ({ of: config, name: 'maxInboundStreams', times: 4 })),
    simulated: [muxer],
    fuzzed: [muxer]
  })),
  ...([['yamux', YamuxEngine], ['mplex', MplexEngine]] as const).map(([muxer, where]): Planted => ({
    what: 'an end that comes although we dropped what was unread in front of it',
    where,
    method: 'reset',
    instead: original => function (stream, ...args) {
      const { receive } = stream

      original.call(this, stream, ...args)

      if (receive === 'ended') {
        stream.receive = receive
      }
    },
    simulated: [muxer],
    fuzzed: []
  })),
  {
    what: 'bytes that are lost by a reset behind the end of them',
    where: MplexEngine,
    method: 'receive',
    instead: original => function (...args) {
      original.apply(this, args)

      for (const stream of this.connection.kept.lingering) {
        if (stream.error?.name === 'StreamResetError') {
          this.connection.kept.release(stream)
          stream.receiveQueue.clear()
        }
      }
    },
    simulated: ['mplex'],
    fuzzed: []
  },
  {
    what: 'a reset of the peer that is taken for the end of the muxer',
    where: BaseEngine,
    method: 'pollStream',
    instead: original => function () {
      const stream = original.call(this)

      if (stream?.error?.name === 'StreamResetError') {
        stream.error = new MuxerClosedError('the muxer is closed')
      }

      return stream
    },
    simulated: BOTH,
    fuzzed: []
  },
  {
    what: 'streams of the peer that are taken by who goes away',
    where: BaseEngine,
    method: 'drain',
    instead: original => function () { original.call(this, false) },
    simulated: BOTH,
    fuzzed: []
  },
  {
    what: 'writers that are not told that they may write',
    where: EdgeQueue,
    method: 'raise',
    instead: without(Edge.writable),
    simulated: BOTH,
    fuzzed: []
  },
  {
    what: 'writers that are not told that all has gone',
    where: EdgeQueue,
    method: 'raise',
    instead: without(Edge.flushed),
    simulated: BOTH,
    fuzzed: []
  },
  {
    what: 'ends of streams that nobody is told of',
    where: EdgeQueue,
    method: 'raise',
    instead: without(Edge.closed),
    simulated: BOTH,
    fuzzed: []
  },
  {
    what: 'writers that are never told to wait for others',
    where: BaseEngine,
    method: 'write',
    instead: original => function (...args) {
      const { writeHighWaterMark } = this.connection

      this.connection.writeHighWaterMark = Infinity

      const more = original.apply(this, args)

      this.connection.writeHighWaterMark = writeHighWaterMark

      return more
    },
    simulated: BOTH,
    fuzzed: []
  },
  {
    what: 'ten times as much that waits to be sent as should',
    where: BaseEngine,
    method: 'write',
    instead: original => function (stream, ...args) {
      const { limits } = stream

      stream.limits = { ...limits, writeHighWaterMark: 10 * limits.writeHighWaterMark }

      const more = original.call(this, stream, ...args)

      stream.limits = limits

      return more
    },
    simulated: BOTH,
    fuzzed: []
  },
  {
    what: 'bytes that are counted twice',
    where: BaseEngine,
    method: 'streamStatistics',
    instead: original => function (...args) {
      const statistics = original.apply(this, args)

      return { ...statistics, bytesReceived: 2 * statistics.bytesReceived }
    },
    simulated: BOTH,
    fuzzed: []
  },
  {
    what: 'a connection that is closed with another code than it is told',
    where: YamuxEngine,
    method: 'close',
    instead: original => function (code, ...args) { original.call(this, code === undefined ? undefined : 0, ...args) },
    simulated: ['yamux'],
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

/** Of what is above the engines, which simulation of engines cannot know. */
const PLANTED_ABOVE: Array<Pick<Planted, 'what' | 'where' | 'method'>> = [
  { what: 'bytes that a reader leaves, which nobody is handed', where: MuxedStream, method: 'readerLeft' },
  { what: 'bytes that are pushed back and not handed over again', where: PushedBack, method: 'deliver' },
  { what: 'waits that nobody ends', where: Waiters, method: 'notify' }
]

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

  for (const { what, where: { prototype }, method } of PLANTED_ABOVE) {
    for (const muxer of BOTH) {
      it(`simulation of connections of ${muxer} finds ${what}`, async () => {
        const original = prototype[method]
        const runs = async (): Promise<void> => {
          for (let seed = 1; seed <= CONNECTIONS / 10; seed++) {
            await runConnections(seed, muxer)
          }
        }

        prototype[method] = () => {}

        try {
          await expect(runs()).to.eventually.be.rejectedWith(`${muxer}, `)
        } finally {
          prototype[method] = original
        }
      })
    }
  }
})
