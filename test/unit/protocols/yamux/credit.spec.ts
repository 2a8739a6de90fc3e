import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { FIN, RST, data, pattern, windowUpdate } from '../../../support/frames.ts'
import type { YamuxStream } from '../../../../src/protocols/yamux/stream.ts'

const WINDOW = 262_144
const HALF = WINDOW / 2

describe('yamux: credit', () => {
  let link: EngineDriver
  let stream: YamuxStream

  beforeEach(() => {
    // a round trip of 0 never makes a window grow
    link = new EngineDriver().know(0)
    stream = link.inbound(2)
  })

  it('gives credit back when half of the window was read, and not before', () => {
    link.give(data(2, WINDOW))
    link.read(stream, HALF - 1)
    expect(link.sent()).to.deep.equal([])

    link.read(stream, 1)
    expect(link.sent()).to.deep.equal([`window 2 +${HALF}`])
  })

  it('gives back exactly what was read, also when it is a little more than half', () => {
    link.give(data(2, HALF + 1))
    link.read(stream)

    expect(link.sent()).to.deep.equal([`window 2 +${HALF + 1}`])
  })

  it('gives nothing back for what is not read, however long it waits', () => {
    link.give(data(2, WINDOW)).pass(60_000)

    expect(link.sent()).to.deep.equal([])
    expect(stream.receiveWindow.available).to.equal(0)
  })

  it('counts many small reads together', () => {
    link.give(data(2, WINDOW))

    for (let i = 0; i < 128; i++) {
      expect(link.sent()).to.deep.equal([])
      link.read(stream, 1_024)
    }

    expect(link.sent()).to.deep.equal([`window 2 +${HALF}`])
  })

  it('merges what was not sent yet into one window update', () => {
    link.give(data(2, WINDOW))
    link.read(stream, HALF)
    link.read(stream, HALF)

    expect(link.sent()).to.deep.equal([`window 2 +${WINDOW}`])
  })

  it('gives nothing back a second time for what was pushed back to be read again', () => {
    link.give(data(2, WINDOW))

    for (const expected of [[`window 2 +${WINDOW}`], [], []]) {
      const bytes = link.read(stream)

      expect(link.sent()).to.deep.equal(expected)
      link.engine.pushBack(stream, [bytes], true, link.now)
    }

    // as much as the window again, of which half is read
    link.give(data(2, WINDOW))
    link.read(stream, WINDOW + HALF)
    expect(link.sent()).to.deep.equal([`window 2 +${HALF}`])
  })

  it('grows no window by what was pushed back when its limit is lowered', () => {
    link.give(data(2, WINDOW))

    const bytes = link.read(stream)

    link.engine.pushBack(stream, [bytes], true, link.now)
    link.engine.limit(stream, { maxReadBufferLength: WINDOW / 4 })
    expect(stream.receiveWindow.size).to.equal(WINDOW)
    link.read(stream)
    expect(stream.receiveWindow.size).to.equal(WINDOW)
    link.give(data(2, WINDOW))
    link.read(stream)
    expect(stream.receiveWindow.size).to.equal(WINDOW / 4)
  })

  it('lets the peer use what it was given, again and again', () => {
    for (let i = 0; i < 20; i++) {
      link.pass(10)
      link.give(data(2, WINDOW))
      expect(link.read(stream)).to.have.lengthOf(WINDOW)
      expect(link.sent()).to.deep.equal([`window 2 +${WINDOW}`])
    }

    expect(link.engine.state).to.equal('open')
  })

  it('gives none after the FIN of the peer', () => {
    link.give(data(2, WINDOW, FIN))
    expect(link.read(stream)).to.have.lengthOf(WINDOW)

    expect(link.sent()).to.deep.equal([])
  })

  it('gives none while the frame that ends the half of the peer is still coming', () => {
    link.give(data(2, WINDOW, FIN).subarray(0, WINDOW - 1))
    link.read(stream)

    expect(link.sent()).to.deep.equal([])
  })

  it('gives none that was owed when the FIN of the peer came', () => {
    link.give(data(2, HALF))
    link.read(stream)
    link.give(windowUpdate(2, 0, FIN))

    expect(link.sent()).to.deep.equal([])
  })

  it('gives none for a stream that the peer reset', () => {
    link.give(data(2, WINDOW))
    link.read(stream, HALF)
    link.give(windowUpdate(2, 0, RST))
    link.read(stream)

    expect(link.sent()).to.deep.equal([])
  })

  it('gives it after our own FIN as before', () => {
    link.end(stream)
    expect(link.sent()).to.deep.equal(['window|FIN 2 +0'])

    link.give(data(2, HALF))
    link.read(stream)
    expect(link.sent()).to.deep.equal([`window 2 +${HALF}`])
  })

  it('gives each stream its own', () => {
    const other = link.inbound(4)

    link.give(data(2, HALF), data(4, WINDOW))
    link.read(other)
    link.read(stream)

    expect(link.sent()).to.deep.equal([`window 4 +${WINDOW}`, `window 2 +${HALF}`])
  })

  it('measures the round trip when a stream first uses its window, once', () => {
    link = new EngineDriver()
    stream = link.inbound(2)
    link.give(data(2, WINDOW))
    link.read(stream, HALF)
    link.read(stream, HALF)
    expect(link.sent()).to.deep.equal(['ping|SYN 0', `window 2 +${WINDOW}`])

    link.give(data(2, WINDOW))
    link.read(stream)
    expect(link.sent()).to.deep.equal([`window 2 +${WINDOW}`])
  })
})

describe('yamux: credit of many streams', () => {
  const COUNT = 20
  let link: EngineDriver
  let streams: YamuxStream[]

  beforeEach(() => {
    link = new EngineDriver().know(0)
    streams = Array.from({ length: COUNT }, (_, i) => link.inbound(2 + 2 * i))

    // each has had credit once, as its share is not known before
    expect(streams.flatMap(useHalf)).to.deep.equal(streams.map(line))
  })

  /** Half of the window comes and is read. */
  function useHalf (stream: YamuxStream): string[] {
    link.give(data(stream.id, HALF))
    link.read(stream)

    return link.sent()
  }

  function line ({ id }: YamuxStream): string {
    return `window ${id} +${HALF}`
  }

  it('waits for that of others until they had their turn', () => {
    const before = link.engine.pollTimeout()

    for (const stream of streams.slice(0, 3)) {
      expect(useHalf(stream)).to.deep.equal([])
    }

    expect(link.engine.pollTimeout()).to.equal(link.now)
    link.pass(0)
    expect(link.sent()).to.deep.equal(streams.slice(0, 3).map(line))
    expect(link.engine.pollTimeout()).to.equal(before)
  })

  it('goes with the next frames that go', () => {
    expect(useHalf(streams[0])).to.deep.equal([])
    link.write(streams[1], pattern(1))

    expect(link.sent()).to.deep.equal([line(streams[0]), 'data 4 1'])
  })

  it('is of what was read until it goes', () => {
    expect(useHalf(streams[0])).to.deep.equal([])
    link.give(data(2, 1_000))
    link.read(streams[0])
    link.pass(0)

    expect(link.sent()).to.deep.equal([`window 2 +${HALF + 1_000}`])
  })

  it('is not given after the FIN of the peer, its RST, or ours, that came meanwhile', () => {
    for (const stream of streams.slice(0, 4)) {
      expect(useHalf(stream)).to.deep.equal([])
    }

    link.give(windowUpdate(2, 0, FIN), windowUpdate(4, 0, RST))
    link.reset(streams[2])

    expect(link.sent()).to.deep.equal(['window|RST 6 0', line(streams[3])])
  })

  it('is forgotten at the end of the connection', () => {
    expect(useHalf(streams[0])).to.deep.equal([])
    link.engine.close(0, undefined)

    expect(link.sent()).to.deep.equal(['goaway 0'])
    expect(link.engine.pollTimeout()).to.equal(undefined)
  })

  it('goes at once for a stream that brought more than a sixteenth of all data', () => {
    // until now it brought a twentieth
    expect(useHalf(streams[0])).to.deep.equal([])
    link.pass(0)
    link.sent()

    for (let turn = 0; turn < 3; turn++) {
      expect(useHalf(streams[0])).to.deep.equal([line(streams[0])])
      link.give(data(4, 1_000))
      link.read(streams[1])
    }
  })
})

describe('yamux: growth of windows', () => {
  const RTT = 100

  /** A window is used up and read, so many milliseconds after the last update, in which there was nothing to do. */
  function use (link: EngineDriver, stream: YamuxStream, millis: number): string[] {
    link.now += millis
    link.give(data(stream.id, pattern(stream.receiveWindow.available)))
    link.read(stream)

    return link.sent()
  }

  /** As often as it takes to show that the peer waits for credit. */
  function starve (link: EngineDriver, stream: YamuxStream): YamuxStream {
    for (let i = 0; i < 3; i++) {
      use(link, stream, RTT)
    }

    return stream
  }

  it('doubles a window that leaves the peer waiting, and announces the growth with the credit', () => {
    const link = new EngineDriver().know(RTT)
    const stream = starve(link, link.inbound(2))

    expect(use(link, stream, RTT)).to.deep.equal([`window 2 +${WINDOW + WINDOW}`])
    expect(stream.receiveWindow.size).to.equal(2 * WINDOW)
    expect(stream.receiveWindow.available).to.equal(2 * WINDOW)
    expect(use(link, stream, RTT)).to.deep.equal([`window 2 +${4 * WINDOW}`])
  })

  it('does not grow a window while it is our reader that takes its time', () => {
    const link = new EngineDriver().know(RTT)
    const stream = link.inbound(2)

    for (let turn = 0; turn < 10; turn++) {
      link.give(data(2, WINDOW))
      link.now += RTT
      link.read(stream)
      expect(link.sent()).to.deep.equal([`window 2 +${WINDOW}`])
    }
  })

  it('does not grow a window while other streams keep the connection busy', () => {
    const link = new EngineDriver().know(RTT)
    const stream = link.inbound(2)
    const other = link.inbound(4)

    for (let turn = 0; turn < 10; turn++) {
      // all the time something comes in, and is done at once
      link.now += RTT
      link.engine.pollTransmit(1, link.now)
      link.give(data(4, 1_000))
      link.read(other)
      expect(use(link, stream, 0)).to.deep.equal([`window 2 +${WINDOW}`])
    }
  })

  it('lends a larger window to a stream that has the connection to itself, until there is data for another', () => {
    const link = new EngineDriver().know(0)
    const stream = link.inbound(2)
    const other = link.inbound(4)

    for (let turn = 0; turn < 8; turn++) {
      use(link, stream, 0)
    }

    expect(stream.receiveWindow.size).to.equal(2 * WINDOW)

    link.give(data(4, 1))
    link.read(other)
    expect(use(link, stream, 0)).to.deep.equal([`window 2 +${1.5 * WINDOW}`])
    expect(stream.receiveWindow.size).to.equal(1.5 * WINDOW)

    // and company of another is company of this one
    for (let turn = 0; turn < 20; turn++) {
      use(link, stream, 0)
      link.give(data(4, 1))
      link.read(other)
    }

    expect(stream.receiveWindow.size).to.equal(1.5 * WINDOW)
  })

  it('does not grow a window that lasts for four round trips, measured by the least that was seen', () => {
    const link = new EngineDriver().know(RTT).measure(10 * RTT)
    const stream = link.inbound(2)

    for (let turn = 0; turn < 10; turn++) {
      expect(use(link, stream, 4 * RTT)).to.deep.equal([`window 2 +${WINDOW}`])
    }
  })

  it('grows no window beyond maxStreamWindowSize', () => {
    const link = new EngineDriver('client', { streamOptions: { maxStreamWindowSize: 300_000 } }).know(RTT)
    const stream = starve(link, link.inbound(2))

    expect(use(link, stream, RTT)).to.deep.equal(['window 2 +300000'])
    expect(use(link, stream, RTT)).to.deep.equal(['window 2 +300000'])
    expect(stream.receiveWindow.size).to.equal(300_000)
  })

  it('grows no window beyond what may be unread', () => {
    const link = new EngineDriver('client', { streamOptions: { maxReadBufferLength: 300_000 } }).know(RTT)

    expect(use(link, starve(link, link.inbound(2)), RTT)).to.deep.equal(['window 2 +300000'])
  })

  it('grows no window beyond maxStreamWindowSize because more may be unread', () => {
    const link = new EngineDriver('client', { streamOptions: { maxStreamWindowSize: 300_000 } }).know(RTT)
    const stream = starve(link, link.inbound(2))

    link.engine.limit(stream, { maxReadBufferLength: Infinity })

    expect(use(link, stream, RTT)).to.deep.equal(['window 2 +300000'])
  })

  it('shrinks a window that was lowered by giving less back than was read', () => {
    const link = new EngineDriver().know(RTT)
    const stream = link.inbound(2)

    link.engine.limit(stream, { maxReadBufferLength: 100_000 })

    // 162,144 of the window go for good, and of the rest more than half is owed
    expect(use(link, stream, 1)).to.deep.equal(['window 2 +100000'])
    expect(stream.receiveWindow.available).to.equal(100_000)
  })

  it('shares connectionWindowBudget among all streams', () => {
    const link = new EngineDriver('client', { connectionWindowBudget: WINDOW + 1_000 }).know(RTT)

    expect(use(link, starve(link, link.inbound(2)), RTT)).to.deep.equal([`window 2 +${2 * WINDOW}`])
    expect(use(link, starve(link, link.inbound(4)), RTT)).to.deep.equal([`window 4 +${WINDOW + 1_000}`])
    expect(use(link, starve(link, link.inbound(6)), RTT)).to.deep.equal([`window 6 +${WINDOW}`])
  })

  for (const [name, end] of [
    ['both FINs', (link: EngineDriver, stream: YamuxStream) => {
      link.end(stream)
      link.give(windowUpdate(stream.id, 0, FIN))
      link.sent()
    }],
    ['the peer\'s RST', (link: EngineDriver, stream: YamuxStream) => link.give(windowUpdate(stream.id, 0, RST))],
    ['our RST', (link: EngineDriver, stream: YamuxStream) => { link.reset(stream) }]
  ] as const) {
    it(`gives the growth of a stream that ends by ${name} back to the others`, () => {
      const link = new EngineDriver('client', { connectionWindowBudget: WINDOW }).know(RTT)
      const stream = starve(link, link.inbound(2))

      use(link, stream, RTT)
      end(link, stream)
      link.settle()

      expect(stream.closed).to.be.true()
      expect(use(link, starve(link, link.inbound(4)), RTT)).to.deep.equal([`window 4 +${2 * WINDOW}`])
    })
  }
})
