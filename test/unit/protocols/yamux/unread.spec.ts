import { expect } from 'aegir/chai'
import { equals } from 'uint8arrays/equals'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { FIN, RST, SYN, data, join, pattern, windowUpdate } from '../../../support/frames.ts'
import { WINDOW, fill, pushBack } from '../../../support/unread.ts'
import type { Kept } from '../../../../src/core/kept.ts'
import type { YamuxStream } from '../../../../src/protocols/yamux/stream.ts'

const LIMIT = 3 * WINDOW

/** Three windows may be full, whoever has begun to read them. */
function limited (): EngineDriver {
  return new EngineDriver('client', { connectionWindowBudget: 0, budgets: { unreadBytes: LIMIT, unstartedBytes: Infinity } })
}

function endBoth (link: EngineDriver, stream: YamuxStream): void {
  link.end(stream)
  link.settle()
  link.give(windowUpdate(stream.id, 0, FIN))
}

function keptOf ({ engine }: EngineDriver): Kept {
  return (engine as unknown as { connection: { kept: Kept } }).connection.kept
}

/** As much as makes it a stream that is read. */
const SOME = 1_024

describe('yamux: what waits to be read on all streams', () => {
  it('resets the stream that holds the most over one byte more than budgets.unreadBytes, and the connection goes on', () => {
    const link = limited()
    const [first, second, third] = fill(link, 2, 4, 6)

    link.read(second, 1)

    const last = link.inbound(8)

    link.give(data(8, 1))
    expect([first, second, third, last].map(({ closed }) => closed)).to.deep.equal([false, false, false, false])

    link.give(data(8, 1))
    // of equals the one that came last
    expect([first, second, third, last].map(({ closed }) => closed)).to.deep.equal([false, false, true, false])
    expect(third.error).to.include({ name: 'StreamBufferError' })
    expect(third.error?.message).to.equal(`${LIMIT + 1} bytes wait to be read on all streams, the limit is ${LIMIT} (option budgets.unreadBytes), and this one holds the most`)
    expect(link.sent()).to.deep.equal(['window|RST 6 4098'])
    expect(link.engine.state).to.equal('open')
    expect(link.engine.statistics().streamsReset).to.deep.equal({ local: 1, remote: 0 })
  })

  it('takes what was under way to a stream that it reset so for what it is', () => {
    const link = new EngineDriver('client', { connectionWindowBudget: 0, budgets: { unreadBytes: WINDOW, unstartedBytes: WINDOW, unknownStreams: 1 } })
    const [first] = fill(link, 2)
    const second = link.inbound(4)

    // the end of a message that was cut in its middle, and as much as the window holds behind it
    link.give(data(4, WINDOW / 2).subarray(0, 12 + WINDOW / 4))
    expect([first.closed, second.closed]).to.deep.equal([true, false])
    link.give(data(4, WINDOW / 2).subarray(12 + WINDOW / 4))

    const third = link.inbound(6)

    link.give(data(6, WINDOW))
    expect([second.closed, third.closed]).to.deep.equal([false, true])
    link.give(data(4, WINDOW / 2), windowUpdate(6, 0, FIN))
    expect(second.receiveQueue.byteLength).to.equal(WINDOW)
    expect(link.engine.state).to.equal('open')
  })

  it('tells of it, and of all that came behind it, when its end had come and was not told yet', () => {
    const link = new EngineDriver('client', { connectionWindowBudget: 0, budgets: { unreadBytes: WINDOW, unstartedBytes: WINDOW } })
    const [first] = fill(link, 2)

    link.inbound(4)
    link.edges()
    link.give(join(windowUpdate(2, 0, FIN), data(4, 1), windowUpdate(6, 0, SYN), windowUpdate(8, 0, SYN)))
    expect(first.receive).to.equal('reset')
    expect(link.edges()).to.deep.equal(['2 ended', '2 closed', '4 readable', '6 opened', '8 opened'])
  })

  it('charges budgets.provokedResets for it', () => {
    const link = new EngineDriver('client', { budgets: { unstartedBytes: WINDOW, provokedResets: 3 } })

    fill(link, 2, 4, 6, 8)
    expect(link.engine.state).to.equal('open')
    link.inbound(10)
    link.give(data(10, WINDOW))
    expect(link.closedBy()).to.include({ name: 'BudgetExceededError', budget: 'provokedResets' })
  })

  for (const [what, free] of [
    ['is read', (link: EngineDriver, stream: YamuxStream) => { link.read(stream) }],
    ['is read, pushed back and read again', (link: EngineDriver, stream: YamuxStream) => { pushBack(link, stream, link.read(stream)); link.read(stream) }],
    ['is made small, then read', (link: EngineDriver, stream: YamuxStream) => { link.engine.retain(stream); link.read(stream, 1); link.engine.retain(stream); link.read(stream) }],
    ['is given up by its reader', (link: EngineDriver, stream: YamuxStream) => { link.closeRead(stream) }],
    ['is of a stream that we reset', (link: EngineDriver, stream: YamuxStream) => { link.reset(stream) }],
    ['is read of a stream that the peer reset', (link: EngineDriver, stream: YamuxStream) => { link.give(windowUpdate(stream.id, 0, RST)); link.read(stream) }],
    ['is pushed back and read again of a stream that the peer reset', (link: EngineDriver, stream: YamuxStream) => { link.give(windowUpdate(stream.id, 0, RST)); pushBack(link, stream, link.read(stream)); link.read(stream) }],
    ['is given up of a stream that both have ended', (link: EngineDriver, stream: YamuxStream) => { endBoth(link, stream); link.closeRead(stream) }],
    ['is of a stream that we reset after both have ended', (link: EngineDriver, stream: YamuxStream) => { endBoth(link, stream); link.reset(stream) }]
  ] as const) {
    it(`counts no more what ${what}`, () => {
      for (const unstartedBytes of [Infinity, LIMIT]) {
        const link = new EngineDriver('client', { connectionWindowBudget: 0, budgets: { unreadBytes: LIMIT, unstartedBytes } })
        const streams = fill(link, 2, 4, 6)

        for (let id = 8; id < 40; id += 2) {
          free(link, streams.shift() as YamuxStream)
          link.settle()
          streams.push(...fill(link, id))
        }

        expect(streams.some(({ error }) => error !== undefined)).to.be.false()
        link.inbound(40)
        link.give(data(40, 1))
        expect(streams.map(({ error }) => error?.name)).to.deep.equal([undefined, undefined, 'StreamBufferError'])
      }
    })
  }

  it('counts what is left of a stream that both have ended until it was read', () => {
    const link = limited()
    const [first, second, third] = fill(link, 2, 4, 6)

    endBoth(link, second)
    endBoth(link, first)
    link.engine.retain(first)
    link.read(second, 1_000)
    link.inbound(8)
    link.give(data(8, 1_000))
    expect([first, second].map(({ error }) => error)).to.deep.equal([undefined, undefined])
    link.edges()

    // who was over first, however little it holds, before any that is open
    link.give(data(8, 1))
    expect([second.receive, second.receiveQueue.byteLength]).to.deep.equal(['reset', 0])
    expect(second.error).to.have.property('name', 'StreamBufferError')
    expect(second.error?.message).to.equal(`${LIMIT + 1} bytes wait to be read on all streams, the limit is ${LIMIT} (option budgets.unreadBytes), and this one is over and was not read to its end`)
    expect(link.edges()).to.deep.equal(['8 readable', '4 closed'])

    // as many as it takes, and then the one that holds the most
    fill(link, 10, 12)
    expect([first.receive, third.closed, link.stream(12).closed]).to.deep.equal(['reset', false, true])
    expect(link.engine.state).to.equal('open')
    expect(link.engine.statistics().streamsReset).to.deep.equal({ local: 1, remote: 0 })
  })

  it('lets only what nobody has begun to read give way to what nobody has begun to read', () => {
    const link = new EngineDriver('client', { budgets: { unstartedBytes: 2 * WINDOW } })
    const [started, other] = fill(link, 2, 4)

    link.read(started, SOME)
    endBoth(link, started)
    endBoth(link, other)
    fill(link, 6, 8)

    expect([started.receive, other.receive]).to.deep.equal(['ended', 'reset'])
  })

  it('counts a stream that is over and unread as 64 pieces, however few it has', () => {
    const link = new EngineDriver('client', { budgets: { unreadPieces: 500 } })
    const streams: YamuxStream[] = []

    for (let id = 2; id <= 200; id += 2) {
      const stream = link.inbound(id)

      link.give(data(id, 1))
      endBoth(link, stream)
      streams.push(stream)
    }

    // seven, and one that came when they were few enough
    expect(streams.filter(({ receive }) => receive === 'ended').map(({ id }) => id)).to.deep.equal(streams.slice(-8).map(({ id }) => id))
    expect(streams[0].error?.message).to.include('(option budgets.unreadPieces)')
  })

  it('keeps a thousand answers, in whatever pieces they came, until the first is read', () => {
    const link = new EngineDriver('client')
    const streams: YamuxStream[] = []

    for (let i = 0; i < 1_000; i++) {
      const stream = link.outbound()

      streams.push(stream)

      link.settle()
      link.end(stream)

      for (let piece = 0; piece < 16; piece++) {
        link.give(data(stream.id, 100))
      }

      link.give(windowUpdate(stream.id, 0, FIN))
      link.engine.retain(stream)
      link.settle()
    }

    for (const stream of streams) {
      expect(link.read(stream)).to.have.lengthOf(1_600)
    }
  })

  it('keeps nothing of a stream that was reset before anybody heard of it', () => {
    const link = new EngineDriver()

    link.give(data(2, 1_000, SYN), windowUpdate(2, 0, RST))
    expect(link.edges()).to.deep.equal(['2 opened', '2 readable', '2 ended', '2 closed'])
    expect(link.stream(2).receiveQueue.byteLength).to.equal(0)
  })

  it('counts what is pushed back as unread, and charges what has to give way for it to no peer', () => {
    const link = new EngineDriver('client', { connectionWindowBudget: 0, budgets: { unreadBytes: LIMIT, unstartedBytes: Infinity, provokedResets: 1 } })
    const [first] = fill(link, 2)
    const bytes = link.read(first)

    for (let id = 4; id < 40; id += 8) {
      const streams = fill(link, id, id + 2, id + 4)

      link.sent()
      pushBack(link, first, bytes.subarray(0, 2))
      expect(streams.map(({ error }) => error?.message)).to.deep.equal([undefined, undefined,
        `${LIMIT + 2} bytes wait to be read on all streams, the limit is ${LIMIT} (option budgets.unreadBytes), and this one holds the most`])
      expect(link.sent()).to.deep.equal([`window|RST ${id + 4} 4098`])
      streams.forEach(stream => { link.read(stream) })
      link.read(first)
    }

    expect(link.engine.state).to.equal('open')
  })

  it('counts nothing of what is pushed back onto a stream that is over and was read, and leaves it to who holds it', () => {
    const link = limited()
    const [first] = fill(link, 2)
    const bytes = link.read(first)

    endBoth(link, first)
    pushBack(link, first, bytes)
    link.engine.giveBack(first, [pattern(100)])
    fill(link, 4, 6, 8)
    expect(keptOf(link)).to.include({ bytes: LIMIT, pieces: 3 })
    expect(keptOf(link).lingering.size).to.equal(0)
    expect(link.read(first)).to.have.lengthOf(WINDOW + 100)
  })

  it('counts what is pushed back onto a stream that is over and was not read to its end', () => {
    const link = limited()
    const [first, second] = fill(link, 2, 4)
    const bytes = link.read(first, 1_000)

    endBoth(link, first)
    endBoth(link, second)
    pushBack(link, first, bytes.subarray(0, 600))
    link.engine.giveBack(first, [bytes.subarray(0, 400)])
    fill(link, 6)
    expect([first.receive, second.receive]).to.deep.equal(['ended', 'ended'])
    link.inbound(8)
    link.give(data(8, 1))
    expect([first.receive, second.receive]).to.deep.equal(['reset', 'ended'])
  })

  it('counts nothing of what a reader had in hand that gave up, nor resets anything for it, until its stream is over', () => {
    const link = new EngineDriver('client', { connectionWindowBudget: 0, budgets: { unreadBytes: LIMIT, unstartedBytes: WINDOW } })
    const [first] = fill(link, 2)

    for (let i = 0; i < 20; i++) {
      const bytes = link.read(first)

      link.settle()
      link.engine.giveBack(first, [bytes])
      expect(keptOf(link).bytes).to.equal(0)
      link.give(data(2, WINDOW))
      expect([first.receiveQueue.byteLength, first.receiveQueue.unread, keptOf(link).bytes]).to.deep.equal([bytes.byteLength + WINDOW, WINDOW, WINDOW])
    }

    link.read(first, 20 * WINDOW + 1)
    expect(first.receiveQueue.unread).to.equal(WINDOW - 1)
    expect(first.closed).to.be.false()

    const [second] = fill(link, 4)
    const bytes = link.read(second)

    link.engine.giveBack(second, [bytes])
    endBoth(link, second)
    expect(keptOf(link)).to.include({ bytes: WINDOW - 1, pieces: 1 })
    expect(equals(link.read(second), bytes)).to.be.true()

    const [third] = fill(link, 6)

    link.engine.giveBack(third, [link.read(third, 10)])
    endBoth(link, third)
    expect(keptOf(link)).to.include({ bytes: 2 * WINDOW - 1, pieces: 3, piecesOver: 62 })
    link.read(third)
    expect(keptOf(link)).to.include({ bytes: WINDOW - 1, pieces: 1, piecesOver: 0 })
  })

  it('counts no more of a reader that gave up when it has read what it gave back', () => {
    const link = limited()
    const [first] = fill(link, 2)

    link.engine.giveBack(first, [link.read(first, 1_000)])
    link.read(first, 400)
    expect(first.receiveQueue).to.include({ returned: 600, unread: WINDOW - 1_000 })
    link.read(first, 1_000)
    expect(first.receiveQueue).to.include({ returned: 0, unread: WINDOW - 1_400 })
  })

  it('takes a stream of which all but a negotiation is pushed back for one that nobody has begun to read', () => {
    const link = new EngineDriver('client', { budgets: { unstartedBytes: 2 * WINDOW } })
    const [first, second] = fill(link, 2, 4)

    pushBack(link, first, link.read(first).subarray(60))
    link.inbound(6)
    link.give(data(6, 60))
    expect([first.closed, second.closed]).to.deep.equal([false, false])
    link.give(data(6, 1))
    expect(second.error?.message).to.include(`${2 * WINDOW + 1} bytes wait on streams that nobody has begun to read`)
  })

  it('leaves what is pushed back after the connection is over to its reader', () => {
    const link = limited()
    const [first] = fill(link, 2)
    const bytes = link.read(first)

    link.engine.close(0, undefined)
    pushBack(link, first, bytes)
    pushBack(link, first, new Uint8Array(LIMIT), false)
    expect(link.read(first)).to.have.lengthOf(WINDOW + LIMIT)
  })

  it('leaves it to its reader in however many pieces', () => {
    const link = new EngineDriver('client', { budgets: { streamPieces: 1, unreadPieces: 1 } })
    const [first] = fill(link, 2)

    link.engine.close(0, undefined)
    link.engine.pushBack(first, [new Uint8Array(5_000), new Uint8Array(5_000)], true, 0)
    expect(link.read(first)).to.have.lengthOf(WINDOW + 10_000)
  })

  it('gives back what it counts when the connection is over', () => {
    const link = limited()
    const [first, second] = fill(link, 2, 4)

    endBoth(link, first)
    link.engine.close(0, undefined)
    expect([first, second].map(stream => link.read(stream).byteLength)).to.deep.equal([WINDOW, WINDOW])
    link.reset(first)
    expect([first.receive, first.error]).to.deep.equal(['ended', undefined])
  })

  it('leaves room, by default, for 256 windows that are full beside all that windows may grow by', () => {
    const link = new EngineDriver('client', { connectionWindowBudget: 0, streamOptions: { initialStreamWindowSize: 300_000 } })
    const streams: YamuxStream[] = []

    for (let id = 2; id <= 512; id += 2) {
      const stream = link.inbound(id)

      link.give(data(id, SOME))
      link.read(stream)
      link.give(data(id, 300_000 - SOME))
      link.engine.retain(stream)
      streams.push(stream)
    }

    expect(streams.some(({ closed }) => closed)).to.be.false()
    link.inbound(514)
    link.give(data(514, 256 * SOME + 1))
    expect(streams.filter(({ closed }) => closed)).to.have.lengthOf(1)
  })

  describe('of which nobody has begun to read', () => {
    it('resets, by default, what goes beyond twelve windows that are full: of equals the last that came', () => {
      const link = new EngineDriver('client', { streamOptions: { initialStreamWindowSize: 300_000 } })
      const streams = Array.from({ length: 40 }, (_, i) => link.inbound(2 + 2 * i))

      for (const { id } of streams) {
        link.give(data(id, 300_000))
      }

      // by their ids: to tell how whole streams differ takes all memory there is
      const left = streams.filter(({ closed }) => !closed).map(({ id }) => id)

      expect(left).to.deep.equal(streams.slice(0, 12).map(({ id }) => id))
      expect(streams[20].error).to.have.property('name', 'StreamBufferError')
      expect(streams[20].error?.message).to.equal('3900000 bytes wait on streams that nobody has begun to read, the limit is 3600000 (option budgets.unstartedBytes), and this one holds the most')
      expect(link.engine.state).to.equal('open')
    })

    it('leaves a small question alone when large ones wait', () => {
      const link = new EngineDriver('client', { budgets: { unstartedBytes: 2 * WINDOW } })
      const [first, second] = fill(link, 2, 4)
      const small = link.inbound(6)

      link.give(data(6, 10))
      expect([first, second, small].map(({ closed }) => closed)).to.deep.equal([false, true, false])
    })

    it('counts nothing of streams that are read, however slowly, nor of our own', () => {
      const link = new EngineDriver('client', { budgets: { unstartedBytes: WINDOW } })
      const streams = [2, 4, 6, 8].map(id => {
        const stream = link.inbound(id)

        link.give(data(id, WINDOW))
        link.read(stream, SOME)

        return stream
      })
      const ours = [1, 3].map(id => {
        const stream = link.outbound()

        link.give(data(id, WINDOW))

        return stream
      })

      expect([...streams, ...ours].some(({ closed }) => closed)).to.be.false()
    })
  })
})
