import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { FIN, RST, SYN, data, join, pattern, text, windowUpdate } from '../../../support/frames.ts'
import type { StreamResetError } from '../../../../src/interface/errors.ts'

describe('yamux: reset', () => {
  it('resets by a window update that carries RST and our code in its length', () => {
    const link = new EngineDriver()
    const stream = link.outbound()
    const error = new Error('enough')

    link.reset(stream, 0x1003, error)

    expect(link.sent()).to.deep.equal(['window|RST 1 4099'])
    expect(link.edges()).to.deep.equal(['1 ended', '1 closed'])
    expect(stream).to.include({ send: 'reset', receive: 'reset', error })
    expect(link.engine.streamCount.outbound).to.equal(0)
  })

  it('carries codes up to 32 bits', () => {
    const link = new EngineDriver()

    link.reset(link.outbound(), 0xffffffff)

    expect(link.sent()).to.deep.equal(['window|RST 1 4294967295'])
  })

  it('drops all that it owed and had not sent, and sends nothing for the stream but RST', () => {
    const link = new EngineDriver().know(0)
    const stream = link.inbound(2)

    link.give(data(2, 262_144))
    link.read(stream, 200_000)
    link.write(stream, pattern(100_000))
    link.end(stream)
    link.reset(stream)

    expect(link.sent()).to.deep.equal(['window|RST 2 0'])
    expect(stream.sendQueue.byteLength).to.equal(0)
    expect(stream.receiveQueue.byteLength).to.equal(0)
  })

  it('sends nothing for the stream after RST', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.reset(stream)
    link.sent()

    link.give(windowUpdate(1, 5_000), data(1, 'late'), windowUpdate(1, 0, FIN), windowUpdate(1, 0, RST))
    link.end(stream)
    link.reset(stream, 9)
    link.closeRead(stream)

    expect(link.sent()).to.deep.equal([])
  })

  it('resets instead of the acknowledgement of a stream that was taken and given up at once', () => {
    const link = new EngineDriver('server').give(windowUpdate(1, 0, SYN))

    link.reset(link.accept(1), 3)

    expect(link.sent()).to.deep.equal(['window|RST 1 3'])
  })

  it('says nothing to a stream that both sides have ended', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.end(stream)
    link.give(windowUpdate(1, 0, FIN)).settle()
    link.reset(stream)

    expect(stream.error).to.equal(undefined)
    expect(link.sent()).to.deep.equal([])
    expect(link.edges()).to.deep.equal([])
  })

  it('resets a stream whose own half has ended, if the peer\'s has not', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.end(stream)
    link.sent()
    link.reset(stream, 2)

    expect(link.sent()).to.deep.equal(['window|RST 1 2'])
    expect(stream).to.include({ send: 'ended', receive: 'reset' })
  })

  it('reads a code from the length of a window update with RST, never credit', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.give(windowUpdate(1, 0xffffffff, RST))

    const error = stream.error as StreamResetError

    expect(error).to.include({ name: 'StreamResetError', scope: 'stream', origin: 'remote', code: 0xffffffff })
    expect(error.message).to.equal('the peer reset the stream with code 4294967295')
    expect(stream.sendWindow.available).to.equal(262_144)
    expect(link.engine.state).to.equal('open')
  })

  it('takes RST on data for a reset without a code, and skips its body', () => {
    const link = new EngineDriver()
    const stream = link.outbound()
    const other = link.outbound()

    link.give(join(data(1, 'ignored', RST), data(3, 'next')))

    expect(stream.error).to.include({ name: 'StreamResetError', code: 0, message: 'the peer reset the stream' })
    expect(stream.receiveQueue.byteLength).to.equal(0)
    expect(text(link.read(other))).to.equal('next')
  })

  it('takes RST together with any other flag for a reset', () => {
    for (const flags of [RST | FIN, RST | 2, RST | FIN | 2, RST | 0x4000]) {
      const link = new EngineDriver()
      const stream = link.outbound()

      link.give(windowUpdate(1, 6, flags))

      expect(stream.error).to.include({ name: 'StreamResetError', code: 6 })
    }
  })

  it('answers RST with nothing, and drops what it had to send', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.write(stream, pattern(100_000))
    link.end(stream)
    link.give(windowUpdate(1, 0, RST))

    expect(link.sent()).to.deep.equal([])
    expect(link.edges()).to.deep.equal(['1 ended', '1 closed'])
    expect(stream.sendQueue.byteLength).to.equal(0)
  })

  it('keeps what was received before an RST readable, and tells it from an end', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.give(data(1, 'part'), windowUpdate(1, 0, RST))

    expect(text(link.read(stream))).to.equal('part')
    expect(stream.receive).to.equal('reset')
    expect(link.edges()).to.deep.equal(['1 readable', '1 ended', '1 closed'])
  })

  it('keeps no more of that than may be unread on all streams: the oldest gives way', () => {
    const link = new EngineDriver('server', { connectionWindowBudget: 0, budgets: { unreadBytes: 600_000 } })
    const streams = [1, 3, 5, 7].map(id => {
      const stream = link.inbound(id)

      link.give(data(id, pattern(262_144)), windowUpdate(id, 0, id === 5 ? FIN : 0), windowUpdate(id, 0, RST))

      return stream
    })

    expect(streams.map(({ receive, receiveQueue }) => [receive, receiveQueue.byteLength])).to.deep.equal([
      ['reset', 0], ['reset', 0], ['ended', 262_144], ['reset', 262_144]
    ])
    expect(streams.map(({ error }) => error?.name)).to.deep.equal(new Array(4).fill('StreamResetError'))
  })

  it('has room for more of that once it was read', () => {
    const link = new EngineDriver('server', { connectionWindowBudget: 0, budgets: { unreadBytes: 262_144 } })

    for (let id = 1; id < 40; id += 2) {
      const stream = link.inbound(id)

      link.give(data(id, pattern(262_144)), windowUpdate(id, 0, RST))
      expect(stream.receiveQueue.byteLength).to.equal(262_144)

      if (id % 4 === 1) {
        link.read(stream)
      } else {
        link.engine.closeRead(stream, link.now)
      }
    }
  })

  it('tells a stream apart from its neighbours', () => {
    const link = new EngineDriver()
    const [one, two] = [link.outbound(), link.outbound()]

    link.write(one, pattern(10))
    link.write(two, pattern(20))
    link.reset(one)

    expect(link.sent()).to.deep.equal(['window|RST 1 0', 'data 3 20'])
    expect(two.closed).to.be.false()
  })

  it('skips the rest of a frame whose stream was reset in the middle of it', () => {
    const link = new EngineDriver('client', { budgets: { unknownStreams: 1 } })
    const [one, two] = [link.outbound(), link.outbound()]
    const bytes = join(data(1, pattern(100), FIN), data(3, 'next'))

    link.give(bytes.subarray(0, 50))
    link.reset(one)
    link.give(bytes.subarray(50))

    expect(one.receiveQueue.byteLength).to.equal(0)
    expect(one.receive).to.equal('reset')
    expect(text(link.read(two))).to.equal('next')
  })
})
