import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { ACK, FIN, SYN, join, ping, pong, windowUpdate } from '../../../support/frames.ts'

describe('yamux: ping', () => {
  it('answers each ping once, in order, with its value and ACK', () => {
    const link = new EngineDriver().give(ping(0), ping(0xffffffff), join(ping(7), ping(7)))

    expect(link.sent()).to.deep.equal(['ping|ACK 0', 'ping|ACK 4294967295', 'ping|ACK 7', 'ping|ACK 7'])
    expect(link.sent()).to.deep.equal([])
  })

  it('answers a ping on a stream id on stream 0', () => {
    const link = new EngineDriver().give(ping(5, SYN, 2), ping(6, SYN, 99))

    expect(link.sent()).to.deep.equal(['ping|ACK 5', 'ping|ACK 6'])
    expect(link.engine.streamCount.inbound).to.equal(0)
  })

  it('answers a ping that carries other flags beside SYN', () => {
    const link = new EngineDriver().give(ping(1, SYN | ACK), ping(2, SYN | FIN), ping(3, SYN | 0x100))

    expect(link.sent()).to.deep.equal(['ping|ACK 1', 'ping|ACK 2', 'ping|ACK 3'])
  })

  it('answers nothing to a ping that is neither question nor answer', () => {
    const link = new EngineDriver()

    link.engine.ping()
    link.sent()
    link.give(ping(0, 0), ping(0, FIN))

    expect(link.sent()).to.deep.equal([])
    expect(link.events()).to.deep.equal([])
  })

  it('asks on stream 0 with SYN and a new value each time', () => {
    const link = new EngineDriver()

    expect([link.engine.ping(), link.engine.ping()]).to.deep.equal([0, 1])
    expect(link.sent()).to.deep.equal(['ping|SYN 0', 'ping|SYN 1'])
  })

  it('tells the round trip from when the ping was made to when its answer came', () => {
    const link = new EngineDriver()
    const id = link.engine.ping()

    // the transport took nothing for a while: that is not distance
    link.now += 500
    link.sent()
    link.now += 40
    link.give(pong(id))

    expect(link.events()).to.deep.equal([{ type: 'pong', id, rtt: 40 }])
    expect(link.engine.roundTrip).to.include({ last: 40, min: 40, smoothed: 40 })
  })

  it('tells the answers of several pings apart, in any order', () => {
    const link = new EngineDriver()

    link.engine.ping()
    link.engine.ping()
    link.sent()
    link.now += 10
    link.give(pong(1))
    link.now += 10
    link.give(pong(0))

    expect(link.events()).to.deep.equal([{ type: 'pong', id: 1, rtt: 10 }, { type: 'pong', id: 0, rtt: 20 }])
  })

  it('ignores answers to what it never asked, and the second of two', () => {
    const link = new EngineDriver()

    link.give(pong(0), pong(99))
    link.engine.ping()
    link.give(pong(0))
    expect(link.events()).to.deep.equal([])

    link.sent()
    link.give(pong(0), pong(0))
    expect(link.events()).to.have.lengthOf(1)
    expect(link.sent()).to.deep.equal([])
    expect(link.engine.state).to.equal('open')
  })

  it('takes an answer that comes very late', () => {
    const link = new EngineDriver()
    const id = link.engine.ping()

    link.sent()
    link.pass(600_000).give(pong(id))

    expect(link.events()).to.deep.equal([{ type: 'pong', id, rtt: 600_000 }])
  })

  it('forgets no ping that is waited for', () => {
    const link = new EngineDriver()
    const ids = Array.from({ length: 12_000 }, () => link.engine.ping())

    link.sent()
    link.give(...ids.map(id => pong(id)))
    expect(link.events()).to.deep.equal(ids.map(id => ({ type: 'pong', id, rtt: 0 })))
    expect(link.engine.state).to.equal('open')
  })

  it('forgets the oldest of more than 1,024 pings that were given up, and charges nobody for their answers', () => {
    const link = new EngineDriver()
    const waited = link.engine.ping()
    const ids = Array.from({ length: 12_000 }, () => link.engine.ping())

    link.sent()
    ids.forEach(id => { link.engine.giveUpPing(id) })
    link.give(pong(waited), ...ids.map(id => pong(id)))

    expect(link.events()).to.deep.equal([waited, ...ids.slice(-1_024)].map(id => ({ type: 'pong', id, rtt: 0 })))
    expect(link.engine.state).to.equal('open')

    // once: what comes beyond it is charged
    link.give(...ids.map(id => pong(id)))
    expect(link.engine.state).to.equal('closed')
  })

  it('tells the round trip by the late answer to a ping that was given up', () => {
    const link = new EngineDriver()
    const id = link.engine.ping()

    link.sent()
    link.engine.giveUpPing(id)
    link.pass(70).give(pong(id))
    expect(link.engine.roundTrip.last).to.equal(70)

    // it was answered: there is nothing left to give up, nor to excuse
    link.engine.giveUpPing(id)
    link.give(...Array.from({ length: 10_001 }, () => pong(id)))
    expect(link.engine.state).to.equal('closed')
  })

  it('does not send a ping that was given up before', () => {
    const link = new EngineDriver()
    const id = link.engine.ping()

    link.engine.ping()
    link.engine.giveUpPing(id)
    expect(link.sent()).to.deep.equal(['ping|SYN 1'])
  })

  it('answers pings before it sends what waits on streams', () => {
    const link = new EngineDriver()

    link.open()
    link.give(windowUpdate(2, 0, SYN))
    link.accept(2)
    link.give(ping(3))

    expect(link.sent()).to.deep.equal(['ping|ACK 3', 'window|SYN 1 +0', 'window|ACK 2 +0'])
  })
})
