import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { ACK, FIN, RST, data, join, pattern, text, windowUpdate } from '../../../support/frames.ts'

describe('yamux: half-close', () => {
  it('ends our half by FIN on a window update, and goes on receiving', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.end(stream)
    expect(link.sent()).to.deep.equal(['window|FIN 1 +0'])
    expect(link.edges()).to.deep.equal(['1 ended'])

    link.give(data(1, 'still here'))
    expect(text(link.read(stream))).to.equal('still here')

    link.give(windowUpdate(1, 0, FIN))
    expect(link.edges()).to.deep.equal(['1 readable', '1 remoteEnded', '1 ended', '1 closed'])
    expect(stream.error).to.equal(undefined)
    expect(link.engine.streamCount.outbound).to.equal(0)
  })

  it('goes on sending after the FIN of the peer', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.give(windowUpdate(1, 0, FIN))
    expect(link.edges()).to.deep.equal(['1 remoteEnded'])

    link.write(stream, pattern(10))
    link.give(windowUpdate(1, 300_000))
    link.write(stream, pattern(10))
    expect(link.sent()).to.deep.equal(['data 1 10', 'data 1 10'])

    link.end(stream)
    expect(link.sent()).to.deep.equal(['window|FIN 1 +0'])
    expect(link.edges()).to.deep.equal(['1 flushed', '1 ended', '1 closed'])
    expect(link.engine.streamCount.outbound).to.equal(0)
  })

  it('ends a stream that both sides end at once', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.end(stream)
    link.give(windowUpdate(1, 0, FIN))
    expect(stream.closed).to.be.false()

    expect(link.sent()).to.deep.equal(['window|FIN 1 +0'])
    expect(stream.closed).to.be.true()
  })

  it('sends the FIN behind all that was written before', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.write(stream, pattern(70_000))
    link.end(stream)

    expect(link.sent()).to.deep.equal(['data 1 65536', 'data 1 4464', 'window|FIN 1 +0'])
  })

  it('keeps the FIN until the peer lets all data go', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.write(stream, pattern(262_145))
    link.end(stream)
    expect(link.sent()).to.not.include('window|FIN 1 +0')
    expect(stream.send).to.equal('ending')

    link.give(windowUpdate(1, 1))
    expect(link.sent()).to.deep.equal(['data 1 1', 'window|FIN 1 +0'])
  })

  it('sends one FIN however often it is told to end', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.end(stream)
    link.end(stream)
    link.sent()
    link.end(stream)

    expect(link.sent()).to.deep.equal([])
  })

  for (const [name, bytes, body] of [
    ['a window update', windowUpdate(2, 0, FIN), ''],
    ['empty data', data(2, 0, FIN), ''],
    ['data', data(2, 'bye', FIN), 'bye'],
    ['a window update with ACK', windowUpdate(2, 0, ACK | FIN), ''],
    ['data with ACK', data(2, 'bye', ACK | FIN), 'bye']
  ] as const) {
    it(`takes FIN on ${name} for the end of the peer's half`, () => {
      const link = new EngineDriver()
      const stream = link.inbound(2)

      link.give(bytes)

      expect(link.edges()).to.deep.equal([...body === '' ? [] : ['2 readable'], '2 remoteEnded'])
      expect(text(link.read(stream))).to.equal(body)
      expect(stream.receive).to.equal('ended')
      expect(stream.send).to.equal('open')
    })
  }

  it('counts the credit of a window update with FIN', () => {
    const link = new EngineDriver()
    const stream = link.inbound(2)

    link.write(stream, pattern(262_145))
    link.sent()
    link.give(windowUpdate(2, 1, FIN))

    expect(link.sent()).to.deep.equal(['data 2 1'])
  })

  it('ends the half only when the whole body of a frame with FIN is there', () => {
    const link = new EngineDriver()
    const bytes = data(2, 'goodbye', FIN)

    link.inbound(2)
    link.give(bytes.subarray(0, 15))
    expect(link.edges()).to.deep.equal(['2 readable'])

    link.give(bytes.subarray(15))
    expect(link.edges()).to.deep.equal(['2 readable', '2 remoteEnded'])
  })

  it('ends the half, not the next frame\'s stream, by the FIN of a frame that was cut', () => {
    const link = new EngineDriver()

    link.inbound(2)
    link.inbound(4)
    link.give(join(data(2, 'one', FIN), data(4, 'two')).subarray(0, 14))
    link.give(join(data(2, 'one', FIN), data(4, 'two')).subarray(14))

    expect(link.stream(2).receive).to.equal('ended')
    expect(link.stream(4).receive).to.equal('open')
  })

  it('says nothing new at a second FIN, on either type', () => {
    const link = new EngineDriver()
    const stream = link.inbound(2)

    link.give(windowUpdate(2, 0, FIN)).settle()
    link.give(windowUpdate(2, 0, FIN), data(2, 0, FIN), data(2, 'late', FIN))

    expect(link.edges()).to.deep.equal([])
    expect(link.sent()).to.deep.equal([])
    expect(stream.receiveQueue.byteLength).to.equal(0)
    expect(link.engine.state).to.equal('open')
  })

  it('keeps what came before the FIN readable after both halves are over', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.give(data(1, 'kept', FIN))
    link.end(stream)
    link.sent()

    expect(stream.closed).to.be.true()
    expect(text(link.read(stream))).to.equal('kept')
    expect(link.sent()).to.deep.equal([])
  })

  it('keeps what came before the FIN readable under an RST that comes later', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.give(data(1, 'whole', FIN), windowUpdate(1, 5, RST))

    expect(stream.receive).to.equal('ended')
    expect(stream.send).to.equal('reset')
    expect(text(link.read(stream))).to.equal('whole')
  })

  it('is no end any more for who has not read what came before the FIN, when we reset the stream', () => {
    const link = new EngineDriver()
    const stream = link.outbound()
    const error = new Error('enough')

    link.give(data(1, 'lost', FIN))
    link.reset(stream, 0, error)

    expect(stream).to.include({ receive: 'reset', send: 'reset', error })
    expect(link.edges()).to.not.include('1 remoteEnded')
  })

  it('stays an end for who has read all before the FIN, when we reset the stream', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.give(data(1, 'kept', FIN))
    link.read(stream)
    link.reset(stream)

    expect(stream).to.include({ receive: 'ended', send: 'reset' })
  })

  it('ignores what a peer still sends for a stream that both have ended', () => {
    const link = new EngineDriver('client', { budgets: { unknownStreams: 1, emptyFrames: 1 } })
    const stream = link.outbound()

    link.end(stream)
    link.give(windowUpdate(1, 0, FIN)).sent()
    link.give(windowUpdate(1, 1_000), windowUpdate(1, 0, FIN), windowUpdate(1, 0, ACK), windowUpdate(1, 0, RST))

    expect(link.sent()).to.deep.equal([])
    expect(link.engine.state).to.equal('open')
  })
})
