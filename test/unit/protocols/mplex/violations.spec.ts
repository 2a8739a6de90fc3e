import { expect } from 'aegir/chai'
import { join } from '../../../support/frames.ts'
import { MplexDriver } from '../../../support/mplex-engines.ts'
import { close, data, header, message, open, reset, varint } from '../../../support/mplex-frames.ts'

const MIB = 1_048_576

describe('mplex: violations', () => {
  const cases: Array<[string, Uint8Array, string]> = [
    ['the flag 7, which means nothing', message(7, 0, 5), 'flag 7'],
    ['a stream that is opened twice', join(open(0), open(0)), 'stream 0 is opened, and is open already'],
    ['a stream that is opened twice, half-closed', join(open(5), close.opener(5), open(5)), 'stream 5 is opened'],
    ['a message of 1 MiB and a byte', header(2, 0, MIB + 1), `message of ${MIB + 1} bytes, the most is ${MIB}`],
    ['a message of 2 MiB less a byte', header(2, 0, 2 * MIB - 1), `message of ${2 * MIB - 1} bytes`],
    ['a message of 2 MiB', header(2, 0, 2 * MIB), 'message of more than 1048576 bytes'],
    ['a message of 2⁶³ bytes', header(2, 0, 2n ** 63n), 'message of more than 1048576 bytes'],
    ['a name of more than 1 MiB', header(0, 0, MIB + 1), 'message of 1048577 bytes'],
    ['an id of 2⁶⁰, which has ten bytes', header(2, 2n ** 60n), 'header of more than 9 bytes'],
    ['a header that never ends', new Uint8Array(100).fill(0xff), 'header of more than 9 bytes'],
    ['a header that is not in its shortest form', join(varint(2, 2), varint(0)), 'header that is not in its shortest form'],
    ['a long header that is not in its shortest form', join(varint(2n ** 40n, 9), varint(0)), 'header that is not in its shortest form'],
    ['a length that is not in its shortest form', join(varint(2), varint(5, 2)), 'length that is not in its shortest form']
  ]

  for (const [what, bytes, message] of cases) {
    it(`ends the connection over ${what}`, () => {
      const driver = new MplexDriver()
      const stream = driver.outbound()

      driver.give(bytes)

      const error = driver.closedBy()

      expect(error).to.include({ name: 'ProtocolError', origin: 'remote', scope: 'connection', code: 1 })
      expect(error.message).to.include(message)
      expect(stream.error).to.equal(error)
      expect(driver.engine.state).to.equal('closed')
      // there is no word for it
      expect(driver.engine.wantsTransmit).to.be.false()
      expect(driver.bytes()).to.have.lengthOf(0)
    })

    it(`ends the connection over ${what}, byte by byte`, () => {
      const driver = new MplexDriver()

      for (const byte of bytes) {
        driver.give(Uint8Array.of(byte))
      }

      expect(driver.closedBy().message).to.include(message)
    })
  }

  it('judges a message by its header, before a byte of its body has come', () => {
    const driver = new MplexDriver()

    driver.give(varint(2), Uint8Array.of(0xff, 0xff))
    expect(driver.engine.state).to.equal('open')
    driver.give(Uint8Array.of(0x80))
    expect(driver.closedBy()).to.have.property('name', 'ProtocolError')
  })

  it('hears nothing after a violation, in the same bytes or later', () => {
    const driver = new MplexDriver()

    driver.give(join(open(0), message(7, 0), open(1)), open(2))
    expect(driver.edges()).to.deep.equal(['r0 opened', 'r0 ended', 'r0 closed'])
    expect([...driver.engine.streams]).to.deep.equal([])
  })

  it('says what it had reset before, as the last thing', () => {
    const driver = new MplexDriver()
    const stream = driver.inbound(0)

    driver.reset(stream)
    driver.give(message(7, 0))
    expect(driver.engine.wantsTransmit).to.be.true()
    expect(driver.sent()).to.deep.equal(['reset-receiver 0'])
    expect(driver.engine.wantsTransmit).to.be.false()
  })

  it('takes a message of 1 MiB', () => {
    const driver = new MplexDriver()
    const stream = driver.inbound(0)

    driver.give(data.opener(0, MIB), data.opener(0, 1))
    expect(stream.receiveQueue.byteLength).to.equal(MIB + 1)
    expect(driver.engine.state).to.equal('open')
  })

  it('ignores messages for streams that never were, and skips their bodies', () => {
    const driver = new MplexDriver()

    driver.give(data.opener(3, 1_000), data.accepter(0, 5), close.opener(7), reset.accepter(9, 50), open(1), data.opener(1, 'here'))
    expect(driver.edges()).to.deep.equal(['r1 opened', 'r1 readable'])
    expect(driver.sent()).to.deep.equal([])
  })

  it('has no exception for any bytes', () => {
    for (let first = 0; first < 256; first++) {
      const driver = new MplexDriver()

      driver.give(Uint8Array.of(first, 0, first, 1, 255, first), new Uint8Array(3).fill(first))
      expect(driver.engine.state).to.be.oneOf(['open', 'closed'])
    }
  })
})
