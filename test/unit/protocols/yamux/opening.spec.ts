import { expect } from 'aegir/chai'
import { StreamTable } from '../../../../src/core/stream-table.ts'
import { MAX_STREAM_ID } from '../../../../src/protocols/yamux/frame.ts'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { ACK, FIN, RST, SYN, data, pattern, windowUpdate } from '../../../support/frames.ts'

const MANY = { maxOutboundStreams: 2_000 }

describe('yamux: opening', () => {
  it('opens with a window update that carries SYN, before anything is written', () => {
    const link = new EngineDriver()

    link.open()

    expect(link.engine.wantsTransmit).to.be.true()
    expect(link.sent()).to.deep.equal(['window|SYN 1 +0'])
    expect(link.engine.wantsTransmit).to.be.false()
  })

  it('gives the client odd ids and the server even ones, in ascending order', () => {
    const client = new EngineDriver('client')
    const server = new EngineDriver('server')

    expect([client.open().id, client.open().id, client.open().id]).to.deep.equal([1, 3, 5])
    expect([server.open().id, server.open().id, server.open().id]).to.deep.equal([2, 4, 6])
  })

  it('needs no handshake: both sides open at once', () => {
    const link = new EngineDriver('client')

    link.open()
    link.give(windowUpdate(2, 0, SYN))

    expect(link.sent()).to.deep.equal(['window|SYN 1 +0'])
    expect(link.edges()).to.deep.equal(['2 opened'])
    expect(link.engine.streamCount).to.deep.equal({ inbound: 1, outbound: 1 })
  })

  it('announces a larger initial window as a delta in the SYN', () => {
    const link = new EngineDriver('client', { streamOptions: { initialStreamWindowSize: 1_048_576 } })
    const stream = link.open()

    expect(link.sent()).to.deep.equal(['window|SYN 1 +786432'])
    expect(stream.receiveWindow.available).to.equal(1_048_576)
  })

  it('announces the window that one stream was given in its SYN alone', () => {
    const link = new EngineDriver()

    link.open({ limits: { initialStreamWindowSize: 300_000 } })
    link.open()

    expect(link.sent()).to.deep.equal(['window|SYN 1 +37856', 'window|SYN 3 +0'])
  })

  it('sends data right behind the SYN, up to the initial window, without waiting for the ACK', () => {
    const link = new EngineDriver()

    link.write(link.open(), pattern(262_145))

    expect(link.sent()).to.deep.equal(['window|SYN 1 +0', 'data 1 65536', 'data 1 65536', 'data 1 65536', 'data 1 65536'])
  })

  it('tells the peer of a stream that was opened and ended without a write', () => {
    const link = new EngineDriver()

    link.end(link.open())

    expect(link.sent()).to.deep.equal(['window|SYN 1 +0', 'window|FIN 1 +0'])
  })

  it('says nothing of a stream that was reset before its SYN was made', () => {
    const link = new EngineDriver()
    const stream = link.open()

    link.write(stream, pattern(10))
    link.reset(stream, 7)
    link.open()

    expect(link.sent()).to.deep.equal(['window|SYN 3 +0'])
    expect(link.engine.streamCount.outbound).to.equal(1)
  })

  it('leaves no more than 256 streams unacknowledged', () => {
    const link = new EngineDriver('client', MANY)

    for (let i = 0; i < 256; i++) {
      expect(link.engine.open(link.now)).to.not.equal(undefined)
    }

    expect(link.engine.open(link.now)).to.equal(undefined)
    expect(link.sent()).to.have.lengthOf(256)
  })

  for (const [name, answer] of [
    ['a window update with ACK', windowUpdate(1, 0, ACK)],
    ['a window update that only grants credit', windowUpdate(1, 100)],
    ['a window update with FIN', windowUpdate(1, 0, FIN)],
    ['data with ACK', data(1, 'x', ACK)],
    ['data without ACK', data(1, 'x')],
    ['empty data with FIN', data(1, 0, FIN)]
  ] as const) {
    it(`takes ${name} as the acknowledgement of a stream`, () => {
      const link = new EngineDriver('client', MANY)

      openAll(link)
      link.give(answer)

      expect(link.events()).to.deep.equal([{ type: 'available' }])
      expect(link.open().id).to.equal(513)
    })
  }

  it('does not take RST for an acknowledgement, but the stream no longer waits for one', () => {
    const link = new EngineDriver('client', MANY)

    openAll(link)
    link.give(windowUpdate(1, 0, RST))

    expect(link.stream(1).send).to.equal('reset')
    expect(link.events()).to.deep.equal([{ type: 'available' }])
  })

  it('makes room for another stream by resetting one that waits', () => {
    const link = new EngineDriver('client', MANY)

    openAll(link)
    link.reset(link.stream(3))

    expect(link.events()).to.deep.equal([{ type: 'available' }])
    expect(link.engine.open(link.now)).to.not.equal(undefined)
    expect(link.engine.open(link.now)).to.equal(undefined)
  })

  it('says once that opening may succeed again, and only if it was tried', () => {
    const link = new EngineDriver('client', MANY)

    openAll(link)
    link.give(windowUpdate(1, 0, ACK), windowUpdate(3, 0, ACK), windowUpdate(3, 9), windowUpdate(5, 0, ACK))
    expect(link.events()).to.deep.equal([{ type: 'available' }])

    link.give(windowUpdate(7, 0, ACK))
    expect(link.events()).to.deep.equal([])

    for (let i = 0; i < 4; i++) {
      link.open()
    }

    expect(link.engine.open(link.now)).to.equal(undefined)
  })

  it('refuses to open more than maxOutboundStreams at a time', () => {
    const link = new EngineDriver('client', { maxOutboundStreams: 2 })
    const stream = link.open()

    link.open()

    expect(() => link.open()).to.throw('the limit is 2 (option maxOutboundStreams)').with.property('name', 'TooManyOutboundProtocolStreamsError')

    link.reset(stream)
    expect(link.open().id).to.equal(5)
  })

  it('refuses options of one stream that make no sense, and uses no id for it', () => {
    const link = new EngineDriver()

    expect(() => link.open({ limits: { initialStreamWindowSize: 1_000 } })).to.throw('must be at least 262144').with.property('name', 'InvalidParametersError')
    expect(link.open().id).to.equal(1)
  })

  it('gives out ids up to the last of 32 bits, and none twice', () => {
    // the engine counts through two thousand million of them: the end is reached in a table that begins close to it
    for (const [role, maxId, ids] of [['client', 5, [1, 3, 5]], ['server', 5, [2, 4]]] as const) {
      const table = new StreamTable(role, maxId)

      expect([table.nextId(), table.nextId(), table.nextId(), table.nextId()].filter(id => id !== undefined)).to.deep.equal(ids)
      expect(table.nextId()).to.equal(undefined)
    }

    expect(MAX_STREAM_ID).to.equal(0xffffffff)
  })

  it('refuses to open when all ids were used', () => {
    const link = new EngineDriver()
    const { nextId } = StreamTable.prototype

    StreamTable.prototype.nextId = () => undefined

    try {
      expect(() => link.open()).to.throw('all stream ids of this connection have been used').with.property('name', 'MuxerClosedError')
    } finally {
      StreamTable.prototype.nextId = nextId
    }

    expect(link.sent()).to.deep.equal([])
    expect(link.open().id).to.equal(1)
  })
})

/** As many as may wait, and one more try. */
function openAll (link: EngineDriver): void {
  for (let i = 0; i < 256; i++) {
    link.open()
  }

  expect(link.engine.open(link.now)).to.equal(undefined)
  link.settle()
}
