import { expect } from 'aegir/chai'
import { MplexDriver, MplexPair } from '../../../support/mplex-engines.ts'
import { close, data, message, open, reset } from '../../../support/mplex-frames.ts'

const LARGEST = 2n ** 60n - 1n

describe('mplex: opening', () => {
  it('opens at once, with ids from 0 and the id in decimal for a name', () => {
    const driver = new MplexDriver()

    driver.open()
    driver.open()
    expect(driver.sent()).to.deep.equal(['open 0 "0"', 'open 1 "1"'])

    for (let i = 2; i < 12; i++) {
      driver.open()
    }

    expect(driver.sent().at(-1)).to.equal('open 11 "11"')
  })

  it('sends data right behind, without an answer of the peer', () => {
    const driver = new MplexDriver()
    const stream = driver.open()

    driver.write(stream, new Uint8Array(10))
    driver.end(stream)
    expect(driver.sent()).to.deep.equal(['open 0 "0"', 'message-initiator 0 10', 'close-initiator 0'])
  })

  it('uses an id that the peer uses as well: these are two streams', () => {
    const { client, server, exchange } = new MplexPair()
    const pair = { client, server, exchange }
    const ours = pair.client.open()
    const theirs = pair.server.open()

    exchange.call(pair)
    client.write(ours, Uint8Array.of(1))
    server.write(theirs, Uint8Array.of(2, 2))
    exchange.call(pair)

    expect(server.read(server.theirs(0))).to.deep.equal(Uint8Array.of(1))
    expect(client.read(client.theirs(0))).to.deep.equal(Uint8Array.of(2, 2))
    expect([ours.name, client.theirs(0).name]).to.deep.equal(['i0', 'r0'])

    client.reset(ours)
    exchange.call(pair)
    expect([ours.closed, server.theirs(0).closed, theirs.closed, client.theirs(0).closed]).to.deep.equal([true, true, false, false])
  })

  it('says nothing of a stream that was reset before it was announced', () => {
    const driver = new MplexDriver()
    const stream = driver.open()

    driver.write(stream, new Uint8Array(10))
    driver.reset(stream)
    driver.open()
    expect(driver.sent()).to.deep.equal(['open 1 "1"'])
  })

  it('opens as many streams as maxOutboundStreams says, and again once one is over', () => {
    const driver = new MplexDriver({ maxOutboundStreams: 2 })
    const stream = driver.open()

    driver.open()
    expect(() => { driver.open() }).to.throw('option maxOutboundStreams').with.property('name', 'TooManyOutboundProtocolStreamsError')
    expect(driver.engine.statistics().streamsRefused.outbound).to.equal(1)
    driver.reset(stream)
    expect(driver.open()).to.have.property('wireId', 2)
  })

  it('opens nothing while it drains, and after its end', () => {
    const driver = new MplexDriver()

    driver.engine.drain()
    expect(() => { driver.open() }).to.throw('the muxer is closing').with.property('name', 'MuxerClosedError')
    driver.engine.close(0, undefined)
    expect(() => { driver.open() }).to.throw('the muxer is closed').with.property('name', 'MuxerClosedError')
    driver.engine.drain()
    expect(driver.engine.state).to.equal('closed')
  })

  it('takes limits and a priority for one stream', () => {
    const driver = new MplexDriver()
    const stream = driver.open({ urgency: 1, incremental: false, limits: { maxReadBufferLength: 100, inactivityTimeout: 5 } })

    expect(stream).to.include({ urgency: 1, incremental: false })
    expect(stream.limits).to.include({ maxReadBufferLength: 100, inactivityTimeout: 5, maxMessageSize: 65_536 })
    expect(() => { driver.open({ limits: { maxReadBufferLength: 0 } }) }).to.throw('maxStreamBufferSize must be at least 1')
  })

  for (const id of [0, 15, 16, 2 ** 25 - 1, 2 ** 25, 2 ** 32 + 5, 2 ** 53 - 1, 2n ** 53n, 2n ** 53n + 1n, LARGEST]) {
    it(`takes and answers a stream of the peer with the id ${id}`, () => {
      const driver = new MplexDriver()

      driver.give(open(id))
      expect(driver.edges()).to.deep.equal([`r${id} opened`])

      const stream = driver.theirs(id)

      driver.give(data.opener(id, 'question'))
      driver.write(stream, new Uint8Array(3))
      driver.end(stream)
      expect(driver.sent()).to.deep.equal([`message-receiver ${id} 3`, `close-receiver ${id}`])
      driver.give(close.opener(id))
      expect(driver.engine.streamCount.inbound).to.equal(0)
      expect(new TextDecoder().decode(driver.read(stream))).to.equal('question')
    })
  }

  it('tells ids apart that are one number when 53 bits are all there are', () => {
    const driver = new MplexDriver()
    const [even, odd] = [2n ** 53n, 2n ** 53n + 1n]

    driver.inbound(even)
    driver.inbound(odd)
    driver.give(data.opener(odd, 'odd'))
    expect([driver.theirs(even), driver.theirs(odd)].map(stream => stream.receiveQueue.byteLength)).to.deep.equal([0, 3])
  })

  it('takes any name: none, one that is another\'s, and one as long as a message may be', () => {
    const driver = new MplexDriver()

    driver.give(open(1, ''), open(2, 'same'), open(3, 'same'), message(0, 4, 1_048_576), data.opener(4, 'after'))
    expect(driver.engine.streamCount.inbound).to.equal(4)
    // no name is kept
    expect(driver.theirs(4).receiveQueue.byteLength).to.equal(5)
    expect(driver.engine.statistics().bytesReceived).to.equal(5)
  })

  it('takes ids in any order, and again once their stream is over', () => {
    const driver = new MplexDriver()

    driver.inbound(9)
    driver.inbound(3)

    const first = driver.theirs(9)

    driver.give(reset.opener(9))
    driver.inbound(9)
    expect(driver.theirs(9)).to.not.equal(first)
    expect(driver.theirs(9).closed).to.be.false()
  })

  it('answers nothing when a stream is opened or accepted', () => {
    const driver = new MplexDriver()

    driver.give(open(0))
    driver.accept(driver.theirs(0).id)
    expect(driver.engine.wantsTransmit).to.be.false()
    expect(driver.sent()).to.deep.equal([])
  })

  it('has no ping', () => {
    const driver = new MplexDriver()

    expect(driver.engine.ping()).to.equal(undefined)
    expect(driver.engine.giveUpPing()).to.equal(undefined)
    expect(driver.engine.wantsTransmit).to.be.false()
    expect(driver.engine.roundTrip.smoothed).to.equal(undefined)
  })

  it('refuses streams beyond maxInboundStreams by a reset, and no other stream suffers', () => {
    const driver = new MplexDriver({ maxInboundStreams: 2 })

    driver.give(open(0), open(1), open(2), data.opener(2, 10), close.opener(2), open(3n + LARGEST - 3n))
    expect(driver.edges()).to.deep.equal(['r0 opened', 'r1 opened'])
    expect(driver.engine.wantsTransmit).to.be.true()
    expect(driver.sent()).to.deep.equal(['reset-receiver 2', `reset-receiver ${LARGEST}`])
    expect(driver.engine.statistics().streamsRefused.inbound).to.equal(2)
    driver.give(data.opener(0, 5), reset.opener(1), open(4))
    expect(driver.theirs(0).receiveQueue.byteLength).to.equal(5)
    expect(driver.theirs(4).closed).to.be.false()
  })

  it('refuses streams while it drains, but takes them while it closes', () => {
    const closing = new MplexDriver()
    const draining = new MplexDriver()

    closing.engine.drain(false)
    closing.give(open(0))
    expect(closing.edges()).to.deep.equal(['r0 opened'])
    draining.engine.drain()
    draining.give(open(0))
    expect(draining.sent()).to.deep.equal(['reset-receiver 0'])
  })

  it('resets what the application never had as refused, not as reset', () => {
    const driver = new MplexDriver()
    const stream = driver.inbound(0)
    const error = new Error('no room')

    driver.engine.refuse(stream, 0, error)
    driver.engine.refuse(stream, 0, error)
    expect(driver.sent()).to.deep.equal(['reset-receiver 0'])
    expect(stream.error).to.equal(error)
    expect(driver.engine.statistics()).to.deep.include({ streamsRefused: { inbound: 1, outbound: 0 }, streamsReset: { local: 0, remote: 0 } })
  })
})
