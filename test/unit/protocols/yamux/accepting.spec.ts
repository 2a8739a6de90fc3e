import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { ACK, FIN, RST, SYN, data, pattern, text, windowUpdate } from '../../../support/frames.ts'
import { brokenInvariant } from '../../../support/invariants.ts'

describe('yamux: accepting', () => {
  it('acknowledges a stream when the application takes it, not before', () => {
    const link = new EngineDriver('server')

    link.give(windowUpdate(1, 0, SYN), data(1, 'early'))

    expect(link.edges()).to.deep.equal(['1 opened', '1 readable'])
    expect(link.sent()).to.deep.equal([])

    link.accept(1)
    expect(link.sent()).to.deep.equal(['window|ACK 1 +0'])
  })

  it('acknowledges once, before any data of its own', () => {
    const link = new EngineDriver('server')

    link.give(windowUpdate(1, 0, SYN))
    link.write(link.accept(1), pattern(5))
    link.accept(1)

    expect(link.sent()).to.deep.equal(['window|ACK 1 +0', 'data 1 5'])
    link.accept(1)
    expect(link.sent()).to.deep.equal([])
  })

  it('announces a larger initial window as a delta in the ACK', () => {
    const link = new EngineDriver('server', { streamOptions: { initialStreamWindowSize: 524_288 } })

    link.give(windowUpdate(1, 0, SYN))
    link.accept(1)

    expect(link.sent()).to.deep.equal(['window|ACK 1 +262144'])
  })

  it('announces in an ACK the window that the stream began with, however small it was made since', () => {
    const link = new EngineDriver('server').know(0)

    link.give(windowUpdate(1, 0, SYN), data(1, 8_192))

    const stream = link.accept(1)

    link.engine.limit(stream, { maxReadBufferLength: 4_096 })
    link.read(stream)

    expect(link.sent()).to.deep.equal(['window|ACK 1 +0'])
  })

  it('takes no window away in the ACK of a stream that was lowered below the protocol\'s own', () => {
    const link = new EngineDriver('server')

    link.give(windowUpdate(1, 0, SYN))
    link.engine.limit(link.accept(1), { maxReadBufferLength: 1 })
    link.give(data(1, 262_144))

    expect(link.sent()).to.deep.equal(['window|ACK 1 +0'])
    expect(link.engine.state).to.equal('open')
  })

  for (const [name, bytes, window, body] of [
    ['a window update', windowUpdate(1, 0, SYN), 262_144, ''],
    ['a window update with a delta', windowUpdate(1, 1_000, SYN), 263_144, ''],
    ['empty data', data(1, 0, SYN), 262_144, ''],
    ['data', data(1, 'hello', SYN), 262_144, 'hello'],
    ['a window update with SYN and ACK', windowUpdate(1, 0, SYN | ACK), 262_144, ''],
    ['a window update with bits that mean nothing', windowUpdate(1, 0, SYN | 0x8010), 262_144, '']
  ] as const) {
    it(`takes a stream that is opened by ${name}`, () => {
      const link = new EngineDriver('server').give(bytes)
      const stream = link.accept(1)

      expect(link.edges()[0]).to.equal('1 opened')
      expect(link.sent()).to.deep.equal(['window|ACK 1 +0'])
      expect(stream.sendWindow.available).to.equal(window)
      expect(text(link.read(stream))).to.equal(body)
    })
  }

  it('takes as much data in a SYN as the initial window', () => {
    const link = new EngineDriver('server').give(data(1, 262_144, SYN))

    expect(link.stream(1).receiveQueue.byteLength).to.equal(262_144)
    expect(link.engine.state).to.equal('open')
  })

  it('takes a stream that is opened and half-closed in one frame', () => {
    const link = new EngineDriver('server').give(data(1, 'all', SYN | FIN))
    const stream = link.accept(1)

    expect(link.edges()).to.deep.equal(['1 opened', '1 readable', '1 remoteEnded'])
    expect(text(link.read(stream))).to.equal('all')

    link.write(stream, pattern(3))
    link.end(stream)
    expect(link.sent()).to.deep.equal(['window|ACK 1 +0', 'data 1 3', 'window|FIN 1 +0'])
    expect(link.edges()).to.deep.equal(['1 flushed', '1 ended', '1 closed'])
  })

  it('takes a window update that opens, grants and half-closes in one frame', () => {
    const link = new EngineDriver('server').give(windowUpdate(1, 5, SYN | FIN))

    expect(link.edges()).to.deep.equal(['1 opened', '1 remoteEnded'])
    expect(link.stream(1).sendWindow.available).to.equal(262_149)
    expect(link.sent()).to.deep.equal([])
  })

  for (const [name, bytes] of [
    ['one frame', [data(1, 'gone', SYN | RST)]],
    ['two frames', [windowUpdate(1, 0, SYN), windowUpdate(1, 0, RST)]]
  ] as const) {
    it(`shows a stream that is opened and reset in ${name} as one that is over already`, () => {
      const link = new EngineDriver('server').give(...bytes)

      expect(link.edges()).to.deep.equal(['1 opened', '1 ended', '1 closed'])
      expect(link.engine.streamCount.inbound).to.equal(0)

      expect(link.accept(1).closed).to.be.true()
      expect(link.sent()).to.deep.equal([])
    })
  }

  it('acknowledges nothing that the peer reset after it was taken', () => {
    const link = new EngineDriver('server').give(windowUpdate(1, 0, SYN))

    link.accept(1)
    link.give(windowUpdate(1, 0, RST))

    expect(link.sent()).to.deep.equal([])
  })

  it('takes ids in any order, up to the last of 32 bits', () => {
    const link = new EngineDriver('server')

    link.give(windowUpdate(0xffffffff, 0, SYN), windowUpdate(7, 0, SYN), windowUpdate(0x80000001, 0, SYN), windowUpdate(1, 0, SYN))

    for (const id of [0xffffffff, 7, 0x80000001, 1]) {
      link.accept(id)
    }

    expect(link.sent()).to.deep.equal(['window|ACK 4294967295 +0', 'window|ACK 7 +0', 'window|ACK 2147483649 +0', 'window|ACK 1 +0'])
  })

  it('takes an id anew once its stream is over', () => {
    const link = new EngineDriver('server')

    link.end(link.inbound(1))
    link.give(windowUpdate(1, 0, FIN))
    link.settle()
    link.give(data(1, 'again', SYN))

    expect(link.edges()).to.deep.equal(['1 opened', '1 readable'])
    expect(link.engine.statistics().streamsOpened.inbound).to.equal(2)
  })

  it('refuses streams beyond maxInboundStreams by RST, and no other stream suffers', () => {
    const link = new EngineDriver('server', { maxInboundStreams: 1 })
    const stream = link.inbound(1)

    link.give(data(3, 'refused', SYN), data(3, 'and skipped'), data(1, 'kept'))

    expect(link.sent()).to.deep.equal(['window|RST 3 0'])
    expect(link.edges()).to.deep.equal(['1 readable'])
    expect(text(link.read(stream))).to.equal('kept')
    expect(link.engine.statistics().streamsRefused.inbound).to.equal(1)
  })

  it('answers nothing to a refused stream that was reset in its SYN', () => {
    const link = new EngineDriver('server', { maxInboundStreams: 0 }).give(windowUpdate(1, 0, SYN | RST))

    expect(link.sent()).to.deep.equal([])
  })

  it('takes streams again once there is room', () => {
    const link = new EngineDriver('server', { maxInboundStreams: 1 })

    link.reset(link.inbound(1))
    link.settle()
    link.give(windowUpdate(3, 0, SYN))

    expect(link.edges()).to.deep.equal(['3 opened'])
  })

  it('ends the connection of a peer that reads nothing before the RSTs owed to it fill memory', () => {
    const link = new EngineDriver('server', { budgets: { replies: 20 } })

    for (let id = 1; link.engine.state === 'open'; id += 2) {
      link.give(windowUpdate(id, 0, SYN))

      if (link.engine.state === 'open') {
        // the application gives it up, and the RST cannot be sent
        link.reset(link.accept(id))
        expect(id).to.be.lessThan(100)
      }
    }

    expect(link.closedBy()).to.include({ name: 'BudgetExceededError', budget: 'replies' })
  })

  it('keeps nothing of streams that a peer which reads nothing has reset, and owes it nothing for them', () => {
    const link = new EngineDriver('server', { budgets: { replies: 20 } })

    for (let id = 1; id < 2_000; id += 2) {
      link.give(windowUpdate(id, 0, SYN))
      link.accept(id)
      link.write(link.stream(id), pattern(10))
      link.give(windowUpdate(id, 0, RST))
    }

    expect(brokenInvariant(link.engine)).to.equal(undefined)
    expect(link.sent()).to.deep.equal([])
    expect(link.engine.state).to.equal('open')
  })
})
