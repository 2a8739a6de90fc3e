import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { SYN, data, pattern, windowUpdate } from '../../../support/frames.ts'

const WINDOW = 262_144
const NEVER = 100_000_000

/** Streams without an inactivity timeout, so that only the other one is seen. */
const STALL = { streamOptions: { inactivityTimeout: Infinity } }

describe('yamux: inactivity', () => {
  it('resets a stream on which nothing happened for inactivityTimeout, to the millisecond', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.pass(119_999)
    expect(stream.closed).to.be.false()

    link.pass(1)
    expect(stream.error).to.include({ name: 'TimeoutError', scope: 'stream', origin: 'local' })
    expect(stream.error?.message).to.equal('nothing was sent, received or read for 120000 ms (option inactivityTimeout)')
    expect(link.sent()).to.deep.equal(['window|RST 1 0'])
    expect(link.edges()).to.deep.equal(['1 ended', '1 closed'])
    expect(link.engine.pollTimeout()).to.equal(undefined)
  })

  it('counts from what was last sent, received or read', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.pass(60_000)
    link.write(stream, pattern(1))
    link.sent()

    link.pass(60_000).give(data(1, 2))
    link.read(stream, 1)

    link.pass(60_000)
    link.read(stream)

    link.pass(119_999)
    expect(stream.closed).to.be.false()
    link.pass(1)
    expect(stream.closed).to.be.true()
  })

  it('counts while bytes wait for our reader, if bytes of ours wait as well, or our end, and nothing is taken of them', () => {
    const link = new EngineDriver()
    const [reading, writing, ending] = [link.outbound(), link.outbound(), link.outbound()]

    link.give(data(reading.id, 1), data(writing.id, 1), data(ending.id, 1))
    link.write(writing, pattern(1))
    link.end(ending)
    link.pass(120_000)
    expect([reading.closed, writing.closed, ending.closed]).to.deep.equal([false, true, true])
  })

  it('counts from our end, if that was last', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.pass(60_000)
    link.end(stream)
    link.sent()
    link.pass(119_999)
    expect(stream.closed).to.be.false()
    link.pass(1)
    expect(stream.closed).to.be.true()
  })

  it('does not count frames that carry no data', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.pass(119_999).give(windowUpdate(1, 5)).pass(1)

    expect(stream.closed).to.be.true()
  })

  it('does not count time in which bytes wait for our own reader', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.give(data(1, 10)).pass(10_000_000)
    expect(stream.closed).to.be.false()

    link.read(stream)
    link.pass(119_999)
    expect(stream.closed).to.be.false()
    link.pass(1)
    expect(stream.closed).to.be.true()
  })

  it('watches each stream by its own limit', () => {
    const link = new EngineDriver()
    const short = link.outbound({ limits: { inactivityTimeout: 1_000 } })
    const long = link.outbound({ limits: { inactivityTimeout: 10_000 } })

    link.pass(1_000)
    expect([short.closed, long.closed]).to.deep.equal([true, false])
    link.pass(9_000)
    expect(long.closed).to.be.true()
  })

  it('holds a limit that is set later from then on', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.pass(10_000)
    link.engine.limit(stream, { inactivityTimeout: 15_000 })
    link.pass(4_999)
    expect(stream.closed).to.be.false()
    link.pass(1)
    expect(stream.closed).to.be.true()
  })

  it('sets no limit for a stream that is over', () => {
    const link = new EngineDriver('client', { streamOptions: { inactivityTimeout: 0 } })
    const stream = link.outbound()

    link.reset(stream)
    link.engine.limit(stream, { inactivityTimeout: 1 })

    expect(link.engine.pollTimeout()).to.equal(undefined)
  })

  for (const never of [0, Infinity]) {
    it(`resets nothing when inactivityTimeout is ${never}`, () => {
      const link = new EngineDriver('client', { streamOptions: { inactivityTimeout: never } })
      const stream = link.outbound()

      expect(link.engine.pollTimeout()).to.equal(undefined)
      link.pass(NEVER)
      expect(stream.closed).to.be.false()
    })
  }

  it('watches inbound streams that nobody has accepted', () => {
    const link = new EngineDriver().give(windowUpdate(2, 0, SYN))

    link.pass(120_000)

    expect(link.sent()).to.deep.equal(['window|RST 2 0'])
  })

  it('is no more than a 32nd late for streams that are busy just before, and looks at them no more often', () => {
    const link = new EngineDriver('client', { streamOptions: { inactivityTimeout: 32_000 } })
    const stream = link.outbound()
    let looks = 0

    for (let i = 0; i < 320; i++) {
      link.write(stream, pattern(1))
      link.sent()
      link.now += 100

      if (link.engine.pollTimeout() as number <= link.now) {
        link.engine.handleTimeout(link.now)
        looks++
      }
    }

    expect(looks).to.be.at.most(2)

    const lastSent = link.now - 100

    while (!stream.closed) {
      link.pass(1)
    }

    expect(link.now - lastSent).to.be.within(32_000, 33_000)
  })
})

describe('yamux: write stall', () => {
  it('resets a stream that has bytes to send and got no credit for writeStallTimeout', () => {
    const link = new EngineDriver('client', STALL)
    const stream = link.outbound()

    link.write(stream, pattern(WINDOW + 1))
    link.sent()
    link.pass(29_999)
    expect(stream.closed).to.be.false()

    link.pass(1)
    expect(stream.error).to.include({ name: 'TimeoutError', scope: 'stream' })
    expect(stream.error?.message).to.equal('the peer gave no credit for 30000 ms while bytes wait to be sent (option writeStallTimeout)')
    expect(link.sent()).to.deep.equal(['window|RST 1 0'])
  })

  it('counts from when the window was used up, not from when the stream was opened', () => {
    const link = new EngineDriver('client', STALL)
    const stream = link.outbound()

    link.pass(60_000)
    link.write(stream, pattern(WINDOW))
    link.sent()
    link.pass(60_000)
    expect(stream.closed).to.be.false()

    // nothing waited until now
    link.write(stream, pattern(1))
    link.pass(29_999)
    expect(stream.closed).to.be.false()
    link.pass(1)
    expect(stream.closed).to.be.true()
  })

  it('starts anew with each credit', () => {
    const link = new EngineDriver('client', STALL)
    const stream = link.outbound()

    link.write(stream, pattern(WINDOW + 10))
    link.sent()

    for (let i = 0; i < 5; i++) {
      link.pass(29_999).give(windowUpdate(1, 1)).pass(100)
      expect(link.sent()).to.deep.equal(['data 1 1'])
    }

    link.pass(29_999)
    expect(stream.closed).to.be.false()
    link.pass(1)
    expect(stream.closed).to.be.true()
  })

  it('is over once credit for all that waits has come', () => {
    const link = new EngineDriver('client', STALL)
    const stream = link.outbound()

    link.write(stream, pattern(WINDOW + 10))
    link.sent()
    link.pass(10_000).give(windowUpdate(1, 10))
    link.sent()
    link.pass(NEVER)

    expect(stream.closed).to.be.false()
  })

  it('is not put off by further writes', () => {
    const link = new EngineDriver('client', STALL)
    const stream = link.outbound()

    link.write(stream, pattern(WINDOW))
    link.sent()

    for (let i = 0; i < 30; i++) {
      expect(stream.closed).to.be.false()
      link.write(stream, pattern(1))
      link.pass(1_000)
    }

    expect(stream.closed).to.be.true()
  })

  it('does not count for a stream that has nothing to send', () => {
    const link = new EngineDriver('client', STALL)
    const stream = link.outbound()

    link.write(stream, pattern(WINDOW))
    link.sent()
    link.write(stream, new Uint8Array(0))
    link.pass(NEVER)

    expect(stream.closed).to.be.false()
  })

  it('counts while our end waits behind the bytes', () => {
    const link = new EngineDriver('client', STALL)
    const stream = link.outbound()

    link.write(stream, pattern(WINDOW + 1))
    link.end(stream)
    link.sent()
    link.pass(30_000)

    expect(stream.send).to.equal('reset')
  })

  for (const never of [0, Infinity]) {
    it(`resets nothing when writeStallTimeout is ${never}`, () => {
      const link = new EngineDriver('client', { streamOptions: { inactivityTimeout: never, writeStallTimeout: never } })
      const stream = link.outbound()

      link.write(stream, pattern(WINDOW + 1))
      link.sent()

      expect(link.engine.pollTimeout()).to.equal(undefined)
      link.pass(NEVER)
      expect(stream.closed).to.be.false()
    })
  }
})
