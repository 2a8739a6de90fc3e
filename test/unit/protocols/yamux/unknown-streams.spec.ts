import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { ACK, FIN, RST, data, join, pattern, text, windowUpdate } from '../../../support/frames.ts'

describe('yamux: unknown streams', () => {
  for (const [name, bytes] of [
    ['data', data(99, 'x')],
    ['empty data', data(99)],
    ['empty data with FIN, as rust-yamux ends streams that it never announced', data(99, 0, FIN)],
    ['empty data with RST, as rust-yamux drops streams that it never announced', data(99, 0, RST)],
    ['a window update', windowUpdate(99, 1_000)],
    ['a window update that would overflow', windowUpdate(99, 0xffffffff)],
    ['a window update with ACK', windowUpdate(99, 0, ACK)],
    ['a window update with FIN', windowUpdate(99, 0, FIN)],
    ['a window update with RST', windowUpdate(99, 7, RST)],
    ['data for an id that is ours to open', data(98, 'x')],
    ['data for stream 0', data(0, 'x')],
    ['a window update for stream 0', windowUpdate(0, 1)]
  ] as const) {
    it(`ignores ${name}`, () => {
      const link = new EngineDriver('server').give(bytes)

      expect(link.sent()).to.deep.equal([])
      expect(link.edges()).to.deep.equal([])
      expect(link.events()).to.deep.equal([])
      expect(link.engine.state).to.equal('open')
    })
  }

  it('skips the body of data for a stream that is not open, wherever it is cut', () => {
    const bytes = join(data(99, pattern(40)), data(2, 'after'))

    for (let cut = 0; cut <= bytes.byteLength; cut++) {
      const link = new EngineDriver()
      const stream = link.inbound(2)

      link.give(bytes.subarray(0, cut), bytes.subarray(cut))

      expect(text(link.read(stream))).to.equal('after')
      expect(link.engine.statistics().bytesReceived).to.equal(5)
    }
  })

  it('does not mind the length of a body that it skips, and keeps none of it', () => {
    const link = new EngineDriver()

    link.give(data(99, 1).fill(0xff, 8, 12))

    for (let i = 0; i < 10; i++) {
      link.give(pattern(1_000_000))
    }

    expect(link.engine.state).to.equal('open')
    expect(link.engine.statistics().bytesReceived).to.equal(0)
  })

  it('charges nobody for what was under way when we reset a stream', () => {
    const link = new EngineDriver('client', { budgets: { unknownStreams: 1 } })
    const stream = link.outbound()

    link.write(stream, pattern(262_144))
    link.sent()
    link.give(data(1, 100_000))
    link.reset(stream)

    // the rest of the window in frames, credit for each frame that we sent, and its end
    for (let i = 0; i < 100; i++) {
      link.give(data(1, 1_621))
    }

    link.give(windowUpdate(1, 65_536), windowUpdate(1, 65_536), windowUpdate(1, 65_536), windowUpdate(1, 65_536), windowUpdate(1, 0, FIN))

    expect(link.engine.state).to.equal('open')
  })

  it('charges what goes beyond good faith', () => {
    const link = new EngineDriver('client', { budgets: { unknownStreams: 1 } })
    const stream = link.outbound()

    link.give(data(1, 262_000))
    link.reset(stream)
    link.sent()

    link.give(data(1, 144), data(1, 1))
    expect(link.engine.state).to.equal('open')

    link.give(data(1, 1))
    expect(link.closedBy()).to.include({ name: 'BudgetExceededError', budget: 'unknownStreams' })
  })

  it('charges more frames than good faith explains', () => {
    const link = new EngineDriver('client', { budgets: { unknownStreams: 1 } })

    link.reset(link.outbound())
    link.sent()

    // ACK, a credit, FIN and RST of a peer that had not heard of it, and one from the budget
    for (let i = 0; i < 5; i++) {
      link.give(windowUpdate(1, 1))
    }

    expect(link.engine.state).to.equal('open')

    link.give(windowUpdate(1, 1))
    expect(link.closedBy()).to.include({ budget: 'unknownStreams' })
  })

  it('charges data that a peer sends after its own FIN', () => {
    const link = new EngineDriver('client', { budgets: { unknownStreams: 1 } })

    link.inbound(2)
    link.give(windowUpdate(2, 0, FIN), data(2, 1))
    expect(link.engine.state).to.equal('open')

    link.give(data(2, 1))
    expect(link.closedBy()).to.include({ budget: 'unknownStreams' })
  })

  it('charges nobody for the stream that it refused', () => {
    const link = new EngineDriver('client', { maxInboundStreams: 0, budgets: { unknownStreams: 1 } })

    link.give(data(2, 1_000, 1))

    for (let i = 0; i < 100; i++) {
      link.give(data(2, 2_000))
    }

    link.give(windowUpdate(2, 5), windowUpdate(2, 0, FIN), windowUpdate(2, 0, RST))

    expect(link.sent()).to.deep.equal(['window|RST 2 0'])
    expect(link.engine.state).to.equal('open')
  })
})
