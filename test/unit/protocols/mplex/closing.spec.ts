import { expect } from 'aegir/chai'
import { MplexDriver, MplexPair } from '../../../support/mplex-engines.ts'
import { close, data, open, reset } from '../../../support/mplex-frames.ts'
import type { MplexStream } from '../../../../src/protocols/mplex/stream.ts'

/** A stream that the peer opened, sent 1,000 bytes on, ended, and reset before any of it was read. */
function leftBehind (driver: MplexDriver, id: number): MplexStream {
  const stream = driver.inbound(id)

  driver.give(data.opener(id, 1_000), close.opener(id), reset.opener(id))
  driver.settle()

  return stream
}

describe('mplex: closing', () => {
  it('ends our half behind all that was written, once, and goes on receiving', () => {
    const driver = new MplexDriver()
    const stream = driver.outbound()

    driver.write(stream, new Uint8Array(100))
    driver.end(stream)
    driver.end(stream)
    expect(driver.sent()).to.deep.equal(['message-initiator 0 100', 'close-initiator 0'])
    driver.end(stream)
    expect(driver.sent()).to.deep.equal([])
    expect(driver.edges()).to.deep.equal(['i0 flushed', 'i0 ended'])
    driver.give(data.accepter(0, 'answer'))
    expect(driver.read(stream)).to.have.lengthOf(6)
  })

  it('is no end any more for who has not read what came before the Close, when we reset the stream', () => {
    const driver = new MplexDriver()
    const stream = driver.inbound(4)
    const error = new Error('enough')

    driver.give(data.opener(4, 1_000), close.opener(4))
    driver.reset(stream, 0, error)

    expect(stream).to.include({ receive: 'reset', send: 'reset', error })
  })

  it('ends the half of a stream that has nothing to send', () => {
    const driver = new MplexDriver()
    const stream = driver.inbound(4)

    driver.end(stream)
    expect(driver.sent()).to.deep.equal(['close-receiver 4'])
  })

  it('goes on sending after the Close of the peer, and is over when both have ended', () => {
    const driver = new MplexDriver()
    const stream = driver.inbound(0)

    driver.give(data.opener(0, 'all'), close.opener(0))
    expect(driver.edges()).to.deep.equal(['r0 readable', 'r0 remoteEnded'])
    driver.write(stream, new Uint8Array(7))
    driver.end(stream)
    expect(driver.sent()).to.deep.equal(['message-receiver 0 7', 'close-receiver 0'])
    expect(driver.edges()).to.deep.equal(['r0 flushed', 'r0 ended', 'r0 closed'])
    expect([stream.closed, stream.error, driver.engine.streamCount.inbound]).to.deep.equal([true, undefined, 0])
    // what came before the end stays readable
    expect(driver.read(stream)).to.have.lengthOf(3)
  })

  it('ends a stream that both sides end at once', () => {
    const pair = new MplexPair()
    const ours = pair.client.open()

    pair.exchange()

    const theirs = pair.server.theirs(0)

    pair.client.end(ours)
    pair.server.end(theirs)
    pair.exchange()
    expect([ours.closed, theirs.closed, ours.error, theirs.error]).to.deep.equal([true, true, undefined, undefined])
  })

  it('honours a Close and a Reset that have bodies, and skips those', () => {
    const driver = new MplexDriver()
    const first = driver.inbound(0)
    const second = driver.inbound(1)

    driver.give(close.opener(0, 'why not'), reset.opener(1, 1_000))
    expect(first.receive).to.equal('ended')
    expect(second.closed).to.be.true()
    expect([first, second].map(stream => stream.receiveQueue.byteLength)).to.deep.equal([0, 0])
  })

  it('ignores data after a Close', () => {
    const driver = new MplexDriver()
    const stream = driver.inbound(0)

    driver.give(close.opener(0), data.opener(0, 100))
    expect(stream.receiveQueue.byteLength).to.equal(0)
    expect(stream.framesReceived).to.equal(0)
    expect(driver.engine.state).to.equal('open')
  })

  it('says nothing new at a second Close', () => {
    const driver = new MplexDriver()

    driver.inbound(0)
    driver.give(close.opener(0), close.opener(0))
    expect(driver.edges()).to.deep.equal(['r0 remoteEnded'])
  })

  it('resets with the word of its side, and sends nothing else for the stream', () => {
    const driver = new MplexDriver()
    const ours = driver.outbound()
    const theirs = driver.inbound(0)
    const error = new Error('enough')

    for (const stream of [ours, theirs]) {
      driver.write(stream, new Uint8Array(100))
      driver.end(stream)
      driver.reset(stream, 0x1003, error)
      driver.reset(stream)
    }

    expect(driver.sent()).to.deep.equal(['reset-initiator 0', 'reset-receiver 0'])
    expect([ours.error, theirs.error]).to.deep.equal([error, error])
    expect(driver.engine.statistics().streamsReset).to.deep.equal({ local: 2, remote: 0 })
    driver.give(data.accepter(0, 5), data.opener(0, 5), reset.accepter(0), close.opener(0))
    expect(driver.sent()).to.deep.equal([])
    expect(driver.engine.state).to.equal('open')
  })

  it('takes a Reset for an error and not for an end, and answers nothing', () => {
    const driver = new MplexDriver()
    const stream = driver.outbound()

    driver.write(stream, new Uint8Array(100))
    driver.give(reset.accepter(0))
    expect(driver.sent()).to.deep.equal([])
    expect(stream.error).to.include({ name: 'StreamResetError', origin: 'remote', scope: 'stream', code: undefined })
    expect([stream.send, stream.receive]).to.deep.equal(['reset', 'reset'])
    expect(driver.engine.statistics().streamsReset).to.deep.equal({ local: 0, remote: 1 })
  })

  it('drops what is unread at a Reset: every later read is the error', () => {
    const driver = new MplexDriver()
    const stream = driver.inbound(0)

    driver.give(data.opener(0, 1_000), reset.opener(0))
    expect(stream.receiveQueue.byteLength).to.equal(0)
    expect(stream.receive).to.equal('reset')
    expect(stream.error).to.have.property('name', 'StreamResetError')
  })

  it('keeps what came before a Close readable under a Reset that comes later, as it is whole', () => {
    const driver = new MplexDriver()
    const stream = driver.outbound()

    driver.give(data.accepter(0, 'the answer'), close.accepter(0), reset.accepter(0))
    expect([stream.receive, stream.send]).to.deep.equal(['ended', 'reset'])
    expect(stream.error).to.have.property('name', 'StreamResetError')
    expect(driver.read(stream)).to.have.lengthOf(10)
  })

  it('keeps no more of that than may be unread on all streams: the oldest gives way', () => {
    const driver = new MplexDriver({ maxStreamBufferSize: 1_000, budgets: { unreadBytes: 2_500, unstartedBytes: Infinity } })

    const streams = [0, 1, 2, 3, 4].map(id => leftBehind(driver, id))
    const kept = streams.map(({ receive, receiveQueue }) => [receive, receiveQueue.byteLength])

    expect(kept).to.deep.equal([
      ['reset', 0], ['reset', 0], ['reset', 0], ['ended', 1_000], ['ended', 1_000]
    ])
  })

  it('has room for more of that as soon as it is read, or nobody wants it', () => {
    const driver = new MplexDriver({ maxStreamBufferSize: 1_000, budgets: { unreadBytes: 1_500, unstartedBytes: Infinity } })

    for (let id = 0; id < 30; id++) {
      const stream = leftBehind(driver, id)

      expect(stream.receive).to.equal('ended')

      if (id % 3 === 0) {
        driver.closeRead(stream)
      } else if (id % 3 === 1) {
        driver.read(stream)
      } else {
        // 500 are left, and room for as many again
        expect(driver.read(stream, 500)).to.have.lengthOf(500)
        expect(leftBehind(driver, 100 + id).receive).to.equal('ended')
        expect(stream.receive).to.equal('ended')
        expect(leftBehind(driver, 200 + id).receive).to.equal('ended')
        expect([stream.receive, driver.theirs(100 + id).receive]).to.deep.equal(['reset', 'reset'])
        driver.read(driver.theirs(200 + id))
      }
    }
  })

  it('keeps nothing of it on a stream that nobody has heard of', () => {
    const driver = new MplexDriver()

    driver.give(open(0), data.opener(0, 1_000), close.opener(0), reset.opener(0))
    expect(driver.edges()).to.deep.equal(['r0 opened', 'r0 readable', 'r0 ended', 'r0 closed'])
    expect([driver.theirs(0).receive, driver.theirs(0).receiveQueue.byteLength]).to.deep.equal(['reset', 0])
  })

  it('sends no Close for a stream that the peer has reset since', () => {
    const driver = new MplexDriver()
    const stream = driver.outbound()

    driver.end(stream)
    driver.give(reset.accepter(0))
    expect(driver.sent()).to.deep.equal([])
  })

  describe('for reading', () => {
    it('says nothing by itself, and drops what was unread and what comes', () => {
      const driver = new MplexDriver()
      const stream = driver.inbound(0)

      driver.give(data.opener(0, 500))
      driver.closeRead(stream)
      driver.give(data.opener(0, 500))
      expect(stream.receiveQueue.byteLength).to.equal(0)
      expect(stream.bytesReceived).to.equal(1_000)
      driver.write(stream, new Uint8Array(5))
      expect(driver.sent()).to.deep.equal(['message-receiver 0 5'])
    })

    it('answers data by a Reset once our own half has ended', () => {
      const driver = new MplexDriver()
      const stream = driver.inbound(0)

      driver.closeRead(stream)
      driver.end(stream)
      expect(driver.sent()).to.deep.equal(['close-receiver 0'])
      driver.give(data.opener(0, 500))
      expect(driver.sent()).to.deep.equal(['reset-receiver 0'])
      expect(stream.closed).to.be.true()
    })

    it('takes a Close for what it is: nobody writes, so nobody need be told', () => {
      const driver = new MplexDriver()
      const stream = driver.inbound(0)

      driver.closeRead(stream)
      driver.end(stream)
      driver.give(close.opener(0))
      expect(driver.sent()).to.deep.equal(['close-receiver 0'])
      expect(stream.error).to.equal(undefined)
    })
  })

  describe('the connection', () => {
    it('ends every stream that has not ended, and says only what it had reset before', () => {
      const driver = new MplexDriver()
      const stream = driver.inbound(0)
      const other = driver.inbound(1)

      driver.reset(other)
      driver.engine.close(0, undefined)
      expect(stream.error).to.have.property('name', 'MuxerClosedError')
      expect(driver.sent()).to.deep.equal(['reset-receiver 1'])
      expect(driver.events()).to.deep.equal([{ type: 'closed', error: undefined }])
      driver.engine.close(0, new Error('again'))
      driver.reset(stream)
      expect(driver.events()).to.deep.equal([])
      expect(driver.engine.pollTimeout()).to.equal(undefined)
    })

    it('says refusals that were owed as its last word, if anybody hears it', () => {
      for (const code of [0, undefined]) {
        const driver = new MplexDriver({ maxInboundStreams: 0 })

        driver.give(open(0))
        driver.engine.close(code, undefined)
        expect(driver.engine.wantsTransmit).to.equal(code === 0)
        expect(driver.sent()).to.deep.equal(code === 0 ? ['reset-receiver 0'] : [])
        expect(driver.engine.wantsTransmit).to.be.false()
      }
    })

    it('that ends with nothing cut is no error', () => {
      const driver = new MplexDriver()

      driver.engine.receiveEnd(undefined)
      expect(driver.events()).to.deep.equal([{ type: 'closed', error: undefined }])
      expect(driver.engine.wantsTransmit).to.be.false()
    })

    it('that ends when the peer had ended every stream is its leave: our halves are cut, and the connection is not', () => {
      const driver = new MplexDriver()
      const stream = driver.inbound(0)

      driver.give(data.opener(0, 10), close.opener(0))
      driver.engine.receiveEnd(undefined)
      expect(driver.events()).to.deep.equal([{ type: 'closed', error: undefined }])
      expect(stream.error).to.include({ name: 'ConnectionClosedError', origin: 'transport' })
      expect([stream.receive, stream.send]).to.deep.equal(['ended', 'reset'])
      expect(driver.read(stream)).to.have.lengthOf(10)
    })

    const cuts: Array<[string, (driver: MplexDriver) => void, Error | undefined]> = [
      ['a stream of the peer\'s open', driver => { driver.inbound(0) }, undefined],
      ['bytes unsent', driver => {
        const stream = driver.inbound(0)

        driver.give(close.opener(0))
        driver.write(stream, new Uint8Array(5))
      }, undefined],
      ['half a message received', driver => { driver.give(data.opener(5, 100).subarray(0, 50)) }, undefined],
      ['half a header received', driver => { driver.give(Uint8Array.of(0x80)) }, undefined],
      ['a header without its length received', driver => { driver.give(Uint8Array.of(0)) }, undefined],
      ['a cause', () => {}, new Error('read ECONNRESET')]
    ]

    for (const [what, prepare, cause] of cuts) {
      it(`that ends with ${what} is cut`, () => {
        const driver = new MplexDriver()

        prepare(driver)
        driver.engine.receiveEnd(cause)
        expect(driver.closedBy()).to.include({ name: 'ConnectionClosedError', origin: 'transport', cause })
      })
    }
  })
})
