import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { ACK, FIN, GO_AWAY, RST, SYN, data, frame, ping, text, windowUpdate } from '../../../support/frames.ts'

const UNKNOWN = 0xfff0

describe('yamux: flags', () => {
  it('ignores the twelve bits that mean nothing, on every type', () => {
    const link = new EngineDriver()

    for (let bit = 0x10; bit <= 0x8000; bit <<= 1) {
      const id = bit

      link.give(windowUpdate(id, 100, SYN | bit), data(id, 'a', bit), windowUpdate(id, 100, bit), ping(bit, SYN | bit), data(id, 'b', FIN | bit))

      expect(text(link.read(link.stream(id)))).to.equal('ab')
      expect(link.stream(id)).to.include({ receive: 'ended', send: 'open' })
      expect(link.stream(id).sendWindow.available).to.equal(262_344)
      expect(link.sent()).to.deep.equal([`ping|ACK ${bit}`])
    }

    link.give(frame({ type: GO_AWAY, flags: UNKNOWN, length: 2 }))
    expect(link.closedBy()).to.have.property('code', 2)
  })

  it('takes every combination of flags on a stream that it opened', () => {
    for (const body of [undefined, 'body']) {
      for (const flags of [0, ACK, FIN, ACK | FIN, RST, ACK | RST, FIN | RST, ACK | FIN | RST]) {
        const link = new EngineDriver()
        const stream = link.open()

        link.give(body === undefined ? windowUpdate(1, 50, flags) : data(1, body, flags))

        const reset = (flags & RST) !== 0

        expect(stream.send).to.equal(reset ? 'reset' : 'open')
        expect(stream.receive).to.equal(receiveHalf(flags))
        expect(stream.sendWindow.available).to.equal(262_144 + (body === undefined && !reset ? 50 : 0))
        expect(text(link.read(stream))).to.equal(reset ? '' : body ?? '')
        expect(link.engine.state).to.equal('open')
      }
    }
  })

  it('takes every combination of flags with SYN', () => {
    for (const body of [undefined, 'body']) {
      for (const flags of [SYN, SYN | ACK, SYN | FIN, SYN | ACK | FIN, SYN | RST, SYN | FIN | RST, SYN | ACK | FIN | RST]) {
        const link = new EngineDriver().give(body === undefined ? windowUpdate(2, 50, flags) : data(2, body, flags))
        const reset = (flags & RST) !== 0

        expect(link.edges()[0]).to.equal('2 opened')
        expect(link.stream(2).closed).to.equal(reset)
        expect(link.stream(2).receive).to.equal(receiveHalf(flags))
        expect(text(link.read(link.stream(2)))).to.equal(reset ? '' : body ?? '')
        expect(link.engine.state).to.equal('open')
      }
    }
  })

  it('never sends two flags in one frame, nor one that has no meaning', () => {
    const link = new EngineDriver('client', { maxInboundStreams: 2 })
    const given = link.outbound()

    // everything at once that could be said in one frame
    for (const body of ['', 'body']) {
      const stream = link.open()

      link.write(stream, new TextEncoder().encode(body))
      link.end(stream)
    }

    link.give(data(2, 'all', SYN | FIN), data(4, 'all', SYN), windowUpdate(6, 0, SYN), ping(3, SYN | ACK | UNKNOWN))

    for (const id of [2, 4]) {
      link.end(link.accept(id))
    }

    link.engine.ping()
    link.reset(given)

    const flags = link.frames().map(sent => sent.flags)

    expect(flags).to.include.members([SYN, ACK, FIN, RST])
    expect(flags.filter(value => ![0, SYN, ACK, FIN, RST].includes(value))).to.deep.equal([])
  })

  it('sends SYN, ACK, FIN and RST on window updates only', () => {
    const link = new EngineDriver()
    const stream = link.open()

    link.write(stream, new Uint8Array(10))
    link.end(stream)
    link.give(windowUpdate(2, 0, SYN))
    link.write(link.accept(2), new Uint8Array(10))

    expect(link.sent()).to.deep.equal(['window|SYN 1 +0', 'window|ACK 2 +0', 'data 1 10', 'window|FIN 1 +0', 'data 2 10'])

    link.reset(link.stream(2))
    expect(link.sent()).to.deep.equal(['window|RST 2 0'])
  })
})

/** What a frame with these flags makes of the half that receives. */
function receiveHalf (flags: number): string {
  if ((flags & RST) !== 0) {
    return 'reset'
  }

  return (flags & FIN) !== 0 ? 'ended' : 'open'
}
