import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { FIN, GO_AWAY, RST, SYN, data, frame, goAway, pattern, ping, pong, text, windowUpdate } from '../../../support/frames.ts'

describe('yamux: GoAway', () => {
  it('goes on with all streams after the peer\'s GoAway 0, and opens none', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.give(goAway(0))
    expect(link.events()).to.deep.equal([{ type: 'go-away', code: 0 }])
    expect(link.engine.state).to.equal('open')
    expect(() => link.open()).to.throw('the peer has said GoAway').with.property('name', 'MuxerClosedError')

    link.give(data(1, 'answer'))
    link.write(stream, pattern(10))
    expect(text(link.read(stream))).to.equal('answer')
    expect(link.sent()).to.deep.equal(['data 1 10'])
  })

  it('takes streams that the peer opens after its own GoAway 0, as hashicorp/yamux does', () => {
    const link = new EngineDriver()

    link.outbound()
    link.give(goAway(0), windowUpdate(2, 0, SYN))
    link.accept(2)

    expect(link.sent()).to.deep.equal(['window|ACK 2 +0'])
  })

  it('ends the connection with GoAway 0 when the last stream after the peer\'s GoAway 0 has ended', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.give(goAway(0), windowUpdate(1, 0, FIN)).settle()
    link.write(stream, pattern(10))
    link.end(stream)

    expect(link.sent()).to.deep.equal(['data 1 10', 'window|FIN 1 +0', 'goaway 0'])
    expect(link.events()).to.deep.equal([{ type: 'closed', error: undefined }])
    expect(link.engine.state).to.equal('closed')
  })

  it('tells the reset of the last stream before it says GoAway', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.give(goAway(0))
    link.reset(stream, 4)

    expect(link.sent()).to.deep.equal(['window|RST 1 4', 'goaway 0'])
  })

  it('ends at once when the peer says GoAway 0 and no stream is open', () => {
    const link = new EngineDriver().give(goAway(0))

    expect(link.events()).to.deep.equal([{ type: 'go-away', code: 0 }, { type: 'closed', error: undefined }])
    expect(link.sent()).to.deep.equal(['goaway 0'])
  })

  it('hears GoAway 0 once', () => {
    const link = new EngineDriver()

    link.outbound()
    link.give(goAway(0), goAway(0))

    expect(link.events()).to.have.lengthOf(1)
    expect(link.engine.state).to.equal('open')
  })

  for (const code of [1, 2, 0x1003, 0xffffffff]) {
    it(`ends at once, with an error and no answer, when the peer says GoAway ${code}`, () => {
      const link = new EngineDriver()
      const stream = link.outbound()

      link.write(stream, pattern(10))
      link.give(data(1, 'unread'), goAway(code))

      const error = link.closedBy()

      expect(error).to.include({ name: 'GoAwayError', code, scope: 'connection', origin: 'remote' })
      expect(stream.error).to.equal(error)
      expect(text(link.read(stream))).to.equal('unread')
      expect(link.sent()).to.deep.equal([])
    })
  }

  it('hears a GoAway that names a stream as any other', () => {
    const link = new EngineDriver().give(frame({ type: GO_AWAY, streamId: 3, length: 2 }))

    expect(link.closedBy()).to.include({ name: 'GoAwayError', code: 2 })
  })

  it('hears GoAway 2 after GoAway 0', () => {
    const link = new EngineDriver()

    link.outbound()
    link.give(goAway(0), goAway(2))

    expect(link.closedBy()).to.include({ name: 'GoAwayError', code: 2 })
  })

  it('says GoAway last: what was owed beside is dropped, and nothing follows', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.give(ping(1), windowUpdate(2, 0, SYN))
    link.accept(2)
    link.write(stream, pattern(10))
    link.engine.ping()
    link.engine.close(0, undefined)

    expect(link.sent()).to.deep.equal(['goaway 0'])

    link.engine.close(2, new Error('again'))
    link.give(ping(2), windowUpdate(4, 0, SYN), data(2, 'late'))
    expect(link.engine.wantsTransmit).to.be.false()
    expect(link.sent()).to.deep.equal([])
    expect(link.events()).to.have.lengthOf(1)
  })

  it('says the code that it is given', () => {
    const link = new EngineDriver()

    link.engine.close(0x1005, new Error('over'))

    expect(link.sent()).to.deep.equal(['goaway 4101'])
  })

  it('ends the streams that have not ended with the connection', () => {
    const link = new EngineDriver()
    const [half, open] = [link.outbound(), link.inbound(2)]
    const error = new Error('over')

    link.give(data(1, 'whole', FIN))
    link.engine.close(2, error)

    expect(half).to.include({ receive: 'ended', send: 'reset', error })
    expect(open).to.include({ receive: 'reset', send: 'reset', error })
    expect(link.engine.streamCount).to.deep.equal({ inbound: 0, outbound: 0 })
  })

  it('gives streams that a graceful end cuts an error too: a cut is never mistaken for an end', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.engine.close(0, undefined)

    expect(stream.error).to.have.property('name', 'MuxerClosedError')
    expect(link.events()).to.deep.equal([{ type: 'closed', error: undefined }])
  })

  it('tells resets that were owed before it says GoAway', () => {
    const link = new EngineDriver()

    const streams = [link.outbound(), link.inbound(2)]

    link.reset(streams[0], 8)
    link.reset(streams[1], 9)
    link.open()
    link.engine.close(2, new Error('over'))

    expect(link.sent()).to.deep.equal(['window|RST 1 8', 'window|RST 2 9', 'goaway 2'])
  })

  it('opens and accepts nothing while it drains, and goes on with what is open', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.engine.drain()
    expect(link.engine.state).to.equal('draining')
    expect(() => link.open()).to.throw('the muxer is closing').with.property('name', 'MuxerClosedError')

    link.give(windowUpdate(2, 0, SYN), data(1, 'x'), ping(4))
    link.write(stream, pattern(10))
    expect(link.sent()).to.deep.equal(['ping|ACK 4', 'window|RST 2 0', 'data 1 10'])
    expect(text(link.read(stream))).to.equal('x')
  })

  it('does nothing more once it is closed', () => {
    const link = new EngineDriver('client', { enableKeepAlive: true })
    const stream = link.outbound()

    link.engine.close(0, undefined)
    link.settle()
    link.engine.drain()
    link.reset(stream, 1)
    link.engine.accept(stream)
    link.give(windowUpdate(1, 0, RST), pong(0))

    expect(link.engine.state).to.equal('closed')
    expect(() => link.open()).to.throw('the muxer is closed').with.property('name', 'MuxerClosedError')
    expect(link.engine.pollTimeout()).to.equal(undefined)
    expect(link.edges()).to.deep.equal([])
    expect(link.sent()).to.deep.equal([])
  })
})
