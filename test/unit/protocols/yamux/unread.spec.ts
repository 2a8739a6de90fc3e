import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { FIN, RST, SYN, data, join, windowUpdate } from '../../../support/frames.ts'
import type { YamuxStream } from '../../../../src/protocols/yamux/stream.ts'

const WINDOW = 262_144
const LIMIT = 3 * WINDOW

/** Three windows may be full. */
function limited (): EngineDriver {
  return new EngineDriver('client', { connectionWindowBudget: 0, budgets: { unreadBytes: LIMIT } })
}

/** Streams of the peer whose windows are full. */
function fill (link: EngineDriver, ...ids: number[]): YamuxStream[] {
  return ids.map(id => {
    const stream = link.inbound(id)

    link.give(data(id, WINDOW))

    return stream
  })
}

describe('yamux: what waits to be read on all streams', () => {
  it('ends the connection over one byte more than budgets.unreadBytes', () => {
    const link = limited()

    fill(link, 2, 4, 6)
    link.inbound(8)
    expect(link.engine.state).to.equal('open')

    link.give(data(8, 1))

    const error = link.closedBy()

    expect(error).to.include({ name: 'BudgetExceededError', budget: 'unreadBytes', code: 1, scope: 'connection', origin: 'remote' })
    expect(error.message).to.equal(`the peer went over the budget "unreadBytes" of ${LIMIT} bytes that wait to be read (option budgets.unreadBytes)`)
    expect(link.sent()).to.deep.equal(['goaway 1'])
  })

  for (const [what, free] of [
    ['is read', (link: EngineDriver, stream: YamuxStream) => { link.read(stream) }],
    ['is read at once', (link: EngineDriver, stream: YamuxStream) => { link.engine.readAll(stream, link.now) }],
    ['is made small, then read', (link: EngineDriver, stream: YamuxStream) => { link.engine.retain(stream); link.read(stream, 1); link.engine.retain(stream); link.read(stream) }],
    ['is given up by its reader', (link: EngineDriver, stream: YamuxStream) => { link.closeRead(stream) }],
    ['is of a stream that we reset', (link: EngineDriver, stream: YamuxStream) => { link.reset(stream) }],
    ['is of a stream that the peer reset', (link: EngineDriver, stream: YamuxStream) => { link.give(windowUpdate(stream.id, 0, RST)) }],
    ['is of a stream that both have ended', (link: EngineDriver, stream: YamuxStream) => { link.end(stream); link.give(windowUpdate(stream.id, 0, FIN)) }]
  ] as const) {
    it(`counts no more what ${what}`, () => {
      const link = limited()
      const streams = fill(link, 2, 4, 6)

      for (let id = 8; id < 40; id += 2) {
        free(link, streams.shift() as YamuxStream)
        link.settle()
        streams.push(...fill(link, id))
      }

      expect(link.engine.state).to.equal('open')
      link.inbound(40)
      link.give(data(40, 1))
      expect(link.closedBy()).to.include({ budget: 'unreadBytes' })
    })
  }

  it('counts what a reader takes of a stream that is over to nobody', () => {
    const link = limited()
    const [first] = fill(link, 2)

    link.give(windowUpdate(2, 0, RST))
    link.engine.retain(first)
    link.read(first, 1_000)
    link.engine.readAll(first, link.now)
    link.closeRead(first)
    fill(link, 4, 6, 8)
    expect(link.engine.state).to.equal('open')

    link.inbound(10)
    link.give(data(10, 1))
    expect(link.engine.state).to.equal('closed')
  })

  it('joins small pieces before it ends a connection over their number', () => {
    const link = new EngineDriver('client', { budgets: { unreadPieces: 100 } })
    const stream = link.inbound(2)

    for (let i = 0; i < 10_000; i++) {
      link.give(data(2, 1))
    }

    expect(link.engine.state).to.equal('open')
    expect(stream.receiveQueue.pieces).to.be.at.most(100)
    expect(stream.receiveQueue.byteLength).to.equal(10_000)
  })

  it('ends the connection over more pieces than budgets.unreadPieces that cannot be joined', () => {
    const link = new EngineDriver('client', { budgets: { unreadPieces: 100 } })

    for (let id = 2; id <= 204 && link.engine.state === 'open'; id += 2) {
      link.give(join(windowUpdate(id, 0, SYN), data(id, 1)))
    }

    const error = link.closedBy()

    expect(error).to.include({ name: 'BudgetExceededError', budget: 'unreadPieces', code: 1 })
    expect(error.message).to.include('100 pieces that wait to be read (option budgets.unreadPieces)')
    expect(link.engine.statistics().streamsOpened.inbound).to.equal(101)
  })

  it('leaves room, by default, for 256 windows that are full beside all that windows may grow by', () => {
    const link = new EngineDriver('client', { connectionWindowBudget: 0, streamOptions: { initialStreamWindowSize: 300_000 } })

    for (let id = 2; id <= 512; id += 2) {
      link.inbound(id)
      link.give(data(id, 300_000))
      link.engine.retain(link.stream(id))
    }

    expect(link.engine.state).to.equal('open')
    link.inbound(514)
    link.give(data(514, 1))
    expect(link.closedBy()).to.include({ budget: 'unreadBytes' })
  })
})
