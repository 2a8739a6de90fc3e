import { expect } from 'aegir/chai'
import { equals } from 'uint8arrays/equals'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { SYN, data, join, pattern, windowUpdate } from '../../../support/frames.ts'
import { fill, pushBack } from '../../../support/unread.ts'

describe('yamux: the pieces in which what waits to be read is kept', () => {
  it('joins small pieces before it ends the connection over their number', () => {
    const link = new EngineDriver('client', { budgets: { unreadPieces: 100 } })
    const stream = link.inbound(2)

    for (let i = 0; i < 10_000; i++) {
      link.give(data(2, 1))
    }

    expect(stream.closed).to.be.false()
    expect(stream.receiveQueue.pieces).to.be.at.most(100)
    expect(stream.receiveQueue.byteLength).to.equal(10_000)
  })

  it('joins what few messages of many streams hold once there are more than 2,048 of them', () => {
    const link = new EngineDriver('client')
    const streams = Array.from({ length: 1_000 }, (_, i) => link.inbound(2 + 2 * i))

    for (let round = 0; round < 16; round++) {
      for (const stream of streams) {
        link.give(data(stream.id, pattern(160).subarray(round * 10, round * 10 + 10)))
        link.engine.retain(stream)
      }
    }

    expect(streams.reduce((sum, { receiveQueue }) => sum + receiveQueue.pieces, 0)).to.be.at.most(3_000)
    expect(streams.every(stream => equals(link.read(stream), pattern(160)))).to.be.true()
  })

  it('ends the connection over more pieces than budgets.unreadPieces that cannot be joined', () => {
    const link = new EngineDriver('client', { budgets: { unreadPieces: 100 } })
    const many = link.inbound(2)

    link.give(data(2, 1), data(2, 1))

    for (let id = 4; id <= 200; id += 2) {
      link.give(join(windowUpdate(id, 0, SYN), data(id, 1)))
    }

    // those of the first were joined
    expect(link.engine.state).to.equal('open')
    link.give(join(windowUpdate(202, 0, SYN), data(202, 1)))

    const error = link.closedBy()

    expect(error).to.include({ name: 'BudgetExceededError', budget: 'unreadPieces', code: 1, scope: 'connection', origin: 'remote' })
    expect(error?.message).to.equal('the peer went over the budget "unreadPieces" of 100 pieces that wait to be read on all streams (option budgets.unreadPieces)')
    expect(link.sent().at(-1)).to.equal('goaway 1')
    expect(many.error).to.equal(error)
    expect(link.read(many)).to.have.lengthOf(2)
  })

  it('ends the connection over more pieces of one stream than budgets.streamPieces that cannot be joined', () => {
    const link = new EngineDriver('client', { budgets: { streamPieces: 4 } })
    const [many, other] = [link.inbound(2), link.inbound(4)]

    for (let i = 0; i < 4; i++) {
      link.give(data(2, 40_000), data(4, 40_000))
    }

    link.inbound(6)
    link.give(...new Array(20).fill(data(6, 4_096)))
    expect(link.engine.state).to.equal('open')
    link.give(data(2, 40_000))

    expect(link.closedBy()).to.include({ name: 'BudgetExceededError', budget: 'streamPieces', code: 1 })
    expect(link.sent().at(-1)).to.equal('goaway 1')
    expect([many, other].map(stream => link.read(stream).byteLength)).to.deep.equal([200_000, 160_000])
  })

  it('joins what readers gave back, in pieces as they had them in hand, before it ends the connection', () => {
    for (const budget of ['unreadPieces', 'streamPieces']) {
      const link = new EngineDriver('client', { budgets: { [budget]: 40 } })
      const stream = link.inbound(2)
      const inHand: Uint8Array[] = []

      for (let i = 0; i < 200; i++) {
        link.give(data(2, pattern(819_204).subarray(i * 4_096, i * 4_096 + 4_096)))
        inHand.push(link.read(stream))
      }

      link.engine.giveBack(stream, inHand)
      expect(stream.receiveQueue.pieces).to.equal(200)
      link.give(data(2, pattern(819_204).subarray(819_200)))
      expect(link.engine.state).to.equal('open')
      expect(stream.receiveQueue.pieces).to.be.at.most(26)
      expect(equals(link.read(stream), pattern(819_204))).to.be.true()
    }
  })

  it('joins what was pushed back in ever smaller pieces', () => {
    const link = new EngineDriver('client', { budgets: { streamPieces: 100 } })
    const stream = link.inbound(2)

    for (let i = 0; i < 1_000; i++) {
      pushBack(link, stream, new Uint8Array(100 - i % 100).fill(i))
    }

    link.give(data(2, 1))
    expect([stream.closed, link.engine.state]).to.deep.equal([false, 'open'])
    expect(stream.receiveQueue).to.include({ byteLength: 50_501 })
    expect(stream.receiveQueue.pieces).to.be.at.most(100)
  })

  it('takes all that was granted to a stream by itself, in whatever pieces', () => {
    const link = new EngineDriver('client')
    const stream = link.outbound({ limits: { initialStreamWindowSize: 40 * 1_048_576, maxStreamWindowSize: 40 * 1_048_576, maxReadBufferLength: 40 * 1_048_576 } })

    link.settle()

    for (let i = 0; i < 10_000; i++) {
      link.give(data(stream.id, 4_096))
      link.give(data(stream.id, 1))
    }

    expect(link.engine.state).to.equal('open')
    expect(link.read(stream)).to.have.lengthOf(40_970_000)
  })

  it('ends no connection over what our own application pushes back in more pieces: that is a reset of the stream with the most', () => {
    for (const budget of ['unreadPieces', 'streamPieces']) {
      const link = new EngineDriver('client', { budgets: { [budget]: 20 } })
      const [few, many] = fill(link, 2, 4)

      link.engine.pushBack(many, Array.from({ length: 21 }, () => new Uint8Array(40_000)), true, 0)
      expect([few.closed, many.closed, link.engine.state]).to.deep.equal([false, true, 'open'])
      expect(many.error).to.include({ name: 'StreamBufferError' })
      expect(many.error?.message).to.include(`(option budgets.${budget})`)
    }
  })
})
