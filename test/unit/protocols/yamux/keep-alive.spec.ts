import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { ACK, data, ping, pong, windowUpdate } from '../../../support/frames.ts'

const ON = { enableKeepAlive: true }

describe('yamux: keep-alive', () => {
  it('pings at once, and every 30 s from then on', () => {
    const link = new EngineDriver('client', ON, 5_000)

    expect(link.sent()).to.deep.equal(['ping|SYN 0'])
    link.give(pong(0))

    expect(link.engine.pollTimeout()).to.equal(35_000)
    link.pass(29_999)
    expect(link.sent()).to.deep.equal([])

    link.pass(1)
    expect(link.sent()).to.deep.equal(['ping|SYN 1'])
    link.give(pong(1)).pass(30_000)
    expect(link.sent()).to.deep.equal(['ping|SYN 2'])
  })

  it('keeps the interval that it was given', () => {
    const link = new EngineDriver('client', { ...ON, keepAliveInterval: 1_000 })

    link.sent()
    link.give(pong(0)).pass(3_500)

    // the second of them was not answered, and one is enough
    expect(link.sent()).to.deep.equal(['ping|SYN 1'])
  })

  it('closes the connection when nothing at all was received for keepAliveTimeout', () => {
    const link = new EngineDriver('client', ON)
    const stream = link.open()

    link.sent()
    link.pass(9_999)
    expect(link.engine.state).to.equal('open')

    link.pass(1)

    const error = link.closedBy()

    expect(error).to.include({ name: 'TimeoutError', scope: 'connection', origin: 'transport' })
    expect(error.message).to.equal('no sign of life for 10000 ms after a keep-alive ping (option keepAliveTimeout)')
    expect(stream.error).to.equal(error)
    expect(link.sent()).to.deep.equal(['goaway 2'])
    expect(link.engine.pollTimeout()).to.equal(undefined)
  })

  it('waits longer for an answer as long as anything else is received, as the answer may be far behind it', () => {
    const link = new EngineDriver('client', ON)
    const start = link.now

    link.open()
    link.sent()
    link.pass(6_000).give(windowUpdate(1, 0, ACK))
    link.pass(9_000).give(data(1, 'x').subarray(0, 1))
    expect(link.now - start).to.equal(15_000)

    link.pass(9_999)
    expect(link.engine.state).to.equal('open')

    link.pass(1)
    expect(link.closedBy()).to.have.property('name', 'TimeoutError')
    expect(link.now - start).to.equal(25_000)
  })

  it('waits longer as long as the transport drains, as ping and answer may be far behind what we send', () => {
    const link = new EngineDriver('client', ON)
    const start = link.now

    link.sent()
    link.pass(8_000).engine.receiveDrain(link.now)
    link.pass(9_999)
    expect(link.engine.state).to.equal('open')

    link.pass(1)
    expect(link.closedBy()).to.have.property('name', 'TimeoutError')
    expect(link.now - start).to.equal(18_000)
  })

  it('asks no second time while the first answer is awaited', () => {
    const link = new EngineDriver('client', { ...ON, keepAliveInterval: 1_000 })

    for (let i = 0; i < 60; i++) {
      link.pass(1_000).give(ping(i))
    }

    expect(link.sent().filter(line => line.startsWith('ping|SYN'))).to.deep.equal(['ping|SYN 0'])
    expect(link.engine.state).to.equal('open')
  })

  it('closes nothing once it was answered, however silent the peer is until the next ping', () => {
    const link = new EngineDriver('client', ON)

    link.sent()
    link.give(pong(0)).pass(29_999)
    expect(link.engine.state).to.equal('open')

    link.pass(1 + 9_999)
    expect(link.engine.state).to.equal('open')
    link.pass(1)
    expect(link.engine.state).to.equal('closed')
  })

  it('does not take the answer to another ping for its own, but hears that the peer lives', () => {
    const link = new EngineDriver('client', ON)

    link.engine.ping()
    link.sent()
    link.pass(5_000).give(pong(1)).pass(9_999)
    expect(link.engine.state).to.equal('open')

    link.pass(1)
    expect(link.closedBy()).to.have.property('name', 'TimeoutError')
  })

  it('neither pings nor closes when it is off', () => {
    const link = new EngineDriver('client', { enableKeepAlive: false })

    expect(link.engine.pollTimeout()).to.equal(undefined)
    link.pass(1_000_000)
    expect(link.sent()).to.deep.equal([])
    expect(link.engine.state).to.equal('open')
  })

  it('is gone with the connection', () => {
    const link = new EngineDriver('client', ON)

    link.engine.close(0, undefined)
    link.settle()
    link.pass(1_000_000)

    expect(link.engine.pollTimeout()).to.equal(undefined)
    expect(link.events()).to.deep.equal([])
    expect(link.sent()).to.deep.equal([])
  })
})
