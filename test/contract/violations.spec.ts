/**
 * A peer that breaks the protocol: the application never sees an exception for it, the peer is told by a GoAway before
 * its connection is closed, and every stream ends with the reason.
 */
import { expect } from 'aegir/chai'
import all from 'it-all'
import { ACK, DATA, GO_AWAY, PING, RST, SYN, WINDOW_UPDATE, data, frame, join, ping, windowUpdate } from '../support/frames.ts'
import { inboundStream, muxerAndPeer } from '../support/muxers.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { eventOf, noUnhandledRejections, outcomeOf, turn, uncaughtDuring, until } from '../support/waiting.ts'
import type { MuxedStream } from '../../src/connection/stream.ts'
import type { YamuxOptions } from '../../src/protocols/yamux/config.ts'

interface Violation {
  name: string
  frames: Uint8Array[]
  code: number
  error: string
  options?: YamuxOptions
}

function many (count: number, make: (i: number) => Uint8Array): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => make(i))
}

/** On top of stream 1, which is open. */
const VIOLATIONS: Violation[] = [
  { name: 'a version of 1', frames: [frame({ version: 1, type: DATA, streamId: 1 })], code: 1, error: 'ProtocolError' },
  { name: 'a version of 255', frames: [frame({ version: 255, type: 255, flags: 0xffff, streamId: 2 ** 32 - 1, length: 2 ** 32 - 1 })], code: 1, error: 'ProtocolError' },
  { name: 'a type of 4', frames: [frame({ type: 4 })], code: 1, error: 'ProtocolError' },
  { name: 'a type of 255', frames: [frame({ type: 255, streamId: 1 })], code: 1, error: 'ProtocolError' },
  { name: 'SYN with our parity', frames: [windowUpdate(2, 0, SYN)], code: 1, error: 'ProtocolError' },
  { name: 'SYN for stream 0', frames: [windowUpdate(0, 0, SYN)], code: 1, error: 'ProtocolError' },
  { name: 'SYN for an open stream', frames: [windowUpdate(1, 0, SYN)], code: 1, error: 'ProtocolError' },
  { name: 'SYN with data beyond the initial window', frames: [frame({ type: DATA, flags: SYN, streamId: 3, length: 262_145 })], code: 1, error: 'ProtocolError' },
  { name: 'SYN with a window over 32 bits', frames: [windowUpdate(3, 2 ** 32 - 1, SYN)], code: 1, error: 'ProtocolError' },
  { name: 'data beyond the window', frames: [data(1, 1_000), frame({ type: DATA, streamId: 1, length: 261_145 })], code: 1, error: 'ProtocolError' },
  { name: 'data of 4 GiB', frames: [frame({ type: DATA, streamId: 1, length: 2 ** 32 - 1 })], code: 1, error: 'ProtocolError' },
  { name: 'credit over 32 bits', frames: [windowUpdate(1, 2 ** 32 - 1)], code: 1, error: 'ProtocolError' },
  { name: 'credit over 32 bits in small steps', frames: [windowUpdate(1, 2 ** 31), windowUpdate(1, 2 ** 31)], code: 1, error: 'ProtocolError' },
  { name: 'more pings than the budget', frames: many(11, i => ping(i)), code: 1, error: 'BudgetExceededError', options: { budgets: { pings: 10 } } },
  {
    name: 'more opened and reset streams than the budget',
    frames: many(11, i => join(windowUpdate(2 * i + 3, 0, SYN), windowUpdate(2 * i + 3, 0, RST))),
    code: 1,
    error: 'BudgetExceededError',
    options: { budgets: { resets: 10 } }
  },
  {
    name: 'more refused streams than the budget',
    frames: many(11, i => windowUpdate(2 * i + 3, 0, SYN)),
    code: 1,
    error: 'BudgetExceededError',
    options: { maxInboundStreams: 1, budgets: { refusals: 10 } }
  },
  { name: 'more frames for unknown streams than the budget', frames: many(11, () => windowUpdate(99, 1)), code: 1, error: 'BudgetExceededError', options: { budgets: { unknownStreams: 10 } } },
  { name: 'more empty data frames than the budget', frames: many(11, () => data(1)), code: 1, error: 'BudgetExceededError', options: { budgets: { emptyFrames: 10 } } },
  { name: 'more empty window updates than the budget', frames: many(11, () => windowUpdate(1)), code: 1, error: 'BudgetExceededError', options: { budgets: { emptyFrames: 10 } } },
  { name: 'more pongs for nothing than the budget', frames: many(11, () => ping(5, ACK)), code: 1, error: 'BudgetExceededError', options: { budgets: { emptyFrames: 10 } } }
]

describe('contract: a peer that breaks the protocol', () => {
  noUnhandledRejections()

  for (const { name, frames, code, error, options } of VIOLATIONS) {
    it(`by ${name}: GoAway(${code}), then the end`, async () => {
      const setup = muxerAndPeer({ direction: 'inbound', options, clock: new VirtualClock() })
      const { maConn, muxer, peer } = setup

      muxer.addEventListener('stream', () => {})

      const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
      const closed = eventOf(stream, 'close')

      peer.pongs = false

      const ping = expect(muxer.ping()).to.eventually.be.rejected.with.property('name', error)
      const reading = expect(all(stream)).to.eventually.be.rejected.with.property('name', error)

      await turn()

      const uncaught = await uncaughtDuring(async () => {
        peer.send(...frames)
        expect((await closed).error).to.have.property('name', error)
        await until(() => maConn.status === 'closed')
      })

      await Promise.all([ping, reading])
      expect(uncaught).to.deep.equal([])
      expect(muxer.status).to.equal('closed')
      expect(peer.goAways).to.deep.equal([code])
      expect(peer.lines.at(-1)).to.equal(`goaway ${code}`)
      expect(peer.framesAtEnd).to.equal(peer.frames.length)
      expect(maConn.listeners).to.equal(0)
      expect(maConn.sendsAfterEnd).to.equal(0)
    })

    it(`by ${name}, one byte at a time: the same`, async () => {
      const setup = muxerAndPeer({ direction: 'inbound', options, clock: new VirtualClock(), link: { chop: 1 } })
      const { maConn, muxer, peer } = setup

      muxer.addEventListener('stream', () => {})

      const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
      const closed = eventOf(stream, 'close')

      peer.send(...frames)
      expect((await closed).error).to.have.property('name', error)
      await until(() => maConn.status === 'closed')
      expect(peer.goAways).to.deep.equal([code])
    })
  }

  it('hears nothing of what follows the violation in the same delivery', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const ids: string[] = []

    setup.muxer.addEventListener('stream', event => { ids.push(event.detail.id) })
    setup.peer.send(windowUpdate(1, 0, SYN), frame({ type: 9 }), windowUpdate(3, 0, SYN), ping(1))
    await until(() => setup.maConn.status === 'closed')
    expect(ids).to.deep.equal([])
    expect(setup.peer.lines).to.deep.equal(['goaway 1'])
  })

  it('and does not read any more: its connection is cut when the GoAway was not taken in time', async () => {
    const setup = muxerAndPeer({ direction: 'inbound', link: { manual: true } })

    setup.peer.send(frame({ type: 9 }))
    setup.peer.end.flush()
    expect(setup.muxer.status).to.equal('closed')
    expect(setup.maConn.status).to.equal('closing')
    expect(await eventOf(setup.maConn, 'close')).to.have.nested.property('error.name', 'ProtocolError')
    expect(setup.maConn.status).to.equal('aborted')
  })

  it('while our own close() waits: the close says so', async () => {
    const setup = muxerAndPeer({ direction: 'inbound', peer: { pongs: false }, clock: new VirtualClock() })
    const closing = setup.muxer.close()

    expect(await outcomeOf(closing)).to.equal('pending')
    setup.peer.send(frame({ type: 9 }))
    await expect(closing).to.eventually.be.rejected.with.property('name', 'ProtocolError')
    expect(setup.peer.goAways).to.deep.equal([1])
  })

  it('by nothing but noise: never an exception', async () => {
    // a linear congruence: the same noise in every run
    let state = 12_345
    const random = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648

      return Math.floor(state / 2_147_483_648 * below)
    }

    const echo = ({ detail }: CustomEvent<MuxedStream>): void => {
      detail.addEventListener('message', ({ data }) => {
        if (detail.writeStatus === 'writable') {
          detail.send(data)
        }
      })
    }

    const uncaught = await uncaughtDuring(async () => {
      for (let run = 0; run < 200; run++) {
        const { muxer, peer } = muxerAndPeer({ direction: run % 2 === 0 ? 'inbound' : 'outbound', clock: new VirtualClock() })

        muxer.addEventListener('stream', echo)

        for (let i = 0; i < 50 && peer.end.status === 'open'; i++) {
          const type = [DATA, WINDOW_UPDATE, PING, GO_AWAY][random(random(20) === 0 ? 4 : 3)]
          const body = new Uint8Array(type === DATA ? random(100) : 0)

          peer.send(frame({ type, flags: random(16), streamId: random(8), length: type === DATA ? body.byteLength : random(70_000), body }))
          await turn()
        }

        muxer.abort(new Error('enough'))
      }
    })

    expect(uncaught).to.deep.equal([])
  })
})
