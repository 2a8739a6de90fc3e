import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { ACK, DATA, FIN, SYN, WINDOW_UPDATE, data, frame, join, pattern, ping, text, windowUpdate } from '../../../support/frames.ts'

const WINDOW = 262_144

describe('yamux: violations', () => {
  for (const [name, message, ...pieces] of [
    ['a version other than 0', 'frame of version 1, only 0 is known', frame({ version: 1, type: WINDOW_UPDATE, streamId: 2, flags: SYN })],
    ['the highest version', 'frame of version 255', frame({ version: 255 })],
    ['a type above 3', 'frame of unknown type 4', frame({ type: 4 })],
    ['the highest type', 'frame of unknown type 255', frame({ type: 255, flags: 0xffff, streamId: 0xffffffff, length: 0xffffffff })],
    ['a SYN for an id of ours', 'SYN for stream 3, an id that is not the peer\'s to open: are both ends clients?', windowUpdate(3, 0, SYN)],
    ['a SYN for stream 0', 'SYN for stream 0', windowUpdate(0, 0, SYN)],
    ['a SYN on data for stream 0', 'SYN for stream 0', data(0, 'x', SYN)],
    ['a second SYN for a stream that is open', 'SYN for stream 2, which is open', windowUpdate(2, 0, SYN), windowUpdate(2, 0, SYN)],
    ['a second SYN on data for a stream that is open', 'SYN for stream 2, which is open', data(2, 'a', SYN), data(2, 'b', SYN)],
    ['a SYN for a stream that is half-closed', 'SYN for stream 2, which is open', windowUpdate(2, 0, SYN | FIN), windowUpdate(2, 0, SYN)],
    ['one byte beyond the window', 'data frame of 1 bytes on stream 2, which has a window of 0', windowUpdate(2, 0, SYN), data(2, WINDOW), data(2, 1)],
    ['a frame larger than what is left of the window', 'data frame of 200000 bytes on stream 2, which has a window of 162144', windowUpdate(2, 0, SYN), data(2, 100_000), data(2, 200_000)],
    ['data beyond the window after a FIN', 'which has a window of 0', data(2, WINDOW, SYN | FIN), data(2, 1)],
    ['data beyond the initial window in a SYN', 'SYN for stream 2 with data beyond the initial window: 262145', data(2, WINDOW + 1, SYN)],
    ['the most data that a SYN can announce', 'SYN for stream 2 with data beyond the initial window: 4294967295', frame({ type: DATA, flags: SYN, streamId: 2, length: 0xffffffff })],
    ['a window in a SYN that 32 bits do not hold', 'SYN for stream 2 with a window over 32 bits', windowUpdate(2, 0xffffffff - WINDOW + 1, SYN)],
    ['credit that makes a window too large for 32 bits', 'which had 262144: over 32 bits', windowUpdate(2, 0, SYN), windowUpdate(2, 0xffffffff - WINDOW + 1)],
    ['the most credit that a frame can carry', 'over 32 bits', windowUpdate(2, 0, SYN), windowUpdate(2, 0xffffffff)],
    ['many credits that together do not fit 32 bits', 'over 32 bits', windowUpdate(2, 0x7fffffff, SYN), windowUpdate(2, 0x7fffffff), windowUpdate(2, 0x7fffffff)]
  ] as Array<[string, string, ...Uint8Array[]]>) {
    it(`ends the connection with GoAway 1 over ${name}`, () => {
      const link = new EngineDriver('client').give(...pieces)
      const error = link.closedBy()

      expect(error).to.include({ name: 'ProtocolError', code: 1, scope: 'connection', origin: 'remote' })
      expect(error.message).to.include(message)
      expect(link.sent()).to.deep.equal(['goaway 1'])
      expect(link.engine.state).to.equal('closed')
    })
  }

  it('ends the connection with GoAway 1 over an ACK that makes a window too large for 32 bits', () => {
    const link = new EngineDriver()

    link.open()
    link.sent()
    link.give(windowUpdate(1, 0xffffffff, ACK))

    expect(link.closedBy()).to.have.property('name', 'ProtocolError')
    expect(link.sent()).to.deep.equal(['goaway 1'])
  })

  it('judges a server\'s peer by the other parity', () => {
    const link = new EngineDriver('server').give(windowUpdate(1, 0, SYN), windowUpdate(2, 0, SYN))

    expect(link.closedBy().message).to.include('SYN for stream 2').and.to.include('are both ends servers?')
  })

  it('judges a frame by its header, before a byte of its body has come', () => {
    const link = new EngineDriver()

    link.inbound(2)
    link.give(frame({ streamId: 2, length: WINDOW + 1 }))

    expect(link.sent()).to.deep.equal(['goaway 1'])
  })

  it('accepts up to a larger window once it has announced one, and in a SYN too', () => {
    const options = { streamOptions: { initialStreamWindowSize: 300_000 } }

    for (const last of [300_000, 300_001]) {
      const link = new EngineDriver('client', options).give(data(2, last, SYN))

      expect(link.engine.state).to.equal(last === 300_000 ? 'open' : 'closed')
    }
  })

  it('hears nothing after a violation, in the same bytes or later', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.give(join(data(1, 'before'), frame({ type: 9 }), data(1, 'after'), windowUpdate(2, 0, SYN), ping(1)))
    link.give(ping(2), data(1, 'later'))

    expect(link.sent()).to.deep.equal(['goaway 1'])
    expect(text(link.read(stream))).to.equal('before')
    expect(link.edges()).to.deep.equal(['1 readable', '1 ended', '1 closed'])
    expect(link.engine.statistics().pingsReceived).to.equal(0)
  })

  it('sends nothing that it owed but GoAway', () => {
    const link = new EngineDriver()

    link.write(link.outbound(), pattern(1_000))
    link.give(ping(1), frame({ version: 3 }))

    expect(link.sent()).to.deep.equal(['goaway 1'])
  })

  it('ends every stream with the error', () => {
    const link = new EngineDriver()
    const streams = [link.outbound(), link.inbound(2)]

    link.give(frame({ version: 3 }))

    const error = link.closedBy()

    expect(streams.map(stream => stream.error)).to.deep.equal([error, error])
  })

  it('throws nothing, whatever it is given', () => {
    const hostile = [frame({ version: 9 }), pattern(100), new Uint8Array(0), new Uint8Array(12).fill(0xff), windowUpdate(0xffffffff, 0xffffffff, 0xffff)]

    for (const bytes of hostile) {
      for (const role of ['client', 'server'] as const) {
        expect(() => new EngineDriver(role).give(bytes, bytes).settle()).to.not.throw()
      }
    }
  })
})
