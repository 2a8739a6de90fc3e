import { expect } from 'aegir/chai'
import { join } from '../../../support/frames.ts'
import { brokenInvariant } from '../../../support/invariants.ts'
import { MplexDriver } from '../../../support/mplex-engines.ts'
import { close, data, header, message, open, reset } from '../../../support/mplex-frames.ts'
import type { AbuseBudgets } from '../../../../src/interface/options.ts'

const MIB = 1_048_576

describe('mplex: limits', () => {
  describe('unread bytes', () => {
    it('of one stream: it is reset and says which option, and the others go on', () => {
      const driver = new MplexDriver()
      const slow = driver.inbound(0)
      const other = driver.inbound(1)

      for (let i = 0; i < 4; i++) {
        driver.give(data.opener(0, MIB))
      }

      expect(slow.closed).to.be.false()
      expect(slow.receiveQueue.byteLength).to.equal(4 * MIB)
      driver.give(data.opener(0, 1), data.opener(0, 100), data.opener(1, 'alive'))
      expect(slow.error).to.include({ name: 'StreamBufferError' })
      expect(slow.error?.message).to.equal('4194305 bytes wait to be read, the limit is 4194304 (option maxStreamBufferSize): mplex cannot tell a peer to wait')
      expect(slow.receiveQueue.byteLength).to.equal(0)
      expect(other.receiveQueue.byteLength).to.equal(5)
      expect(driver.sent()).to.deep.equal(['reset-receiver 0'])
      expect(driver.engine.state).to.equal('open')
    })

    it('of one stream within a message: the rest of it is skipped', () => {
      const driver = new MplexDriver({ maxStreamBufferSize: 1_000 })
      const stream = driver.inbound(0)
      const bytes = data.opener(0, 2_000)

      driver.give(bytes.subarray(0, 500), bytes.subarray(500, 1_200))
      expect(stream.closed).to.be.true()
      driver.give(bytes.subarray(1_200), open(1))
      expect(driver.edges()).to.include('r1 opened')
    })

    it('of one stream count what is unread, not what was received', () => {
      const driver = new MplexDriver({ maxStreamBufferSize: 1_000 })
      const stream = driver.inbound(0)

      for (let i = 0; i < 100; i++) {
        driver.give(data.opener(0, 1_000))

        driver.read(stream)
      }

      expect(stream.closed).to.be.false()
      expect(stream.bytesReceived).to.equal(100_000)
    })

    it('of one stream may be changed while it is open', () => {
      const driver = new MplexDriver()
      const stream = driver.inbound(0)
      const other = driver.inbound(1)

      driver.engine.limit(stream, { maxReadBufferLength: 10 })
      driver.give(data.opener(0, 11), data.opener(1, 11))
      expect([stream.closed, other.closed]).to.deep.equal([true, false])
      driver.engine.limit(stream, { maxReadBufferLength: 20 })
    })

    it('of all streams: the one that holds the most is reset, and not the one that keeps up', () => {
      const driver = new MplexDriver({ maxStreamBufferSize: 10_000, budgets: { unreadBytes: 20_000, unstartedBytes: Infinity } })
      const [little, much, good] = [0, 1, 2].map(id => driver.inbound(id))

      driver.give(data.opener(0, 9_000), data.opener(1, 10_000), data.opener(2, 1_000))
      driver.read(good)
      driver.give(data.opener(2, 1_001))
      expect([little, much, good].map(stream => stream.closed)).to.deep.equal([false, true, false])
      expect(much.error?.message).to.include('20001 bytes wait to be read on all streams').and.to.include('option budgets.unreadBytes')
      expect(driver.engine.state).to.equal('open')
    })

    it('of all streams that nobody has begun to read: as much as one of them may hold', () => {
      const driver = new MplexDriver({ maxStreamBufferSize: 10_000 })
      const [first, second, begun] = [0, 1, 2].map(id => driver.inbound(id))

      driver.give(data.opener(2, 1_024))
      driver.read(begun)
      driver.give(data.opener(2, 2_000), data.opener(0, 6_000), data.opener(1, 4_000))
      expect([first, second, begun].map(stream => stream.closed)).to.deep.equal([false, false, false])
      driver.give(data.opener(1, 1))
      expect([first, second, begun].map(stream => stream.closed)).to.deep.equal([true, false, false])
      expect(first.error?.message).to.include('option budgets.unstartedBytes')
    })

    it('of all streams are given back when streams end, are reset or are closed for reading', () => {
      const driver = new MplexDriver({ maxStreamBufferSize: 1_000, budgets: { unreadBytes: 1_000 } })

      for (let id = 0; id < 20; id++) {
        const stream = driver.inbound(id)

        driver.give(data.opener(id, 1_000))
        expect(stream.closed).to.be.false()

        if (id % 4 === 0) {
          driver.give(reset.opener(id))
        } else if (id % 4 === 1) {
          driver.reset(stream)
        } else if (id % 4 === 2) {
          driver.closeRead(stream)
        } else {
          driver.end(stream)
          driver.give(close.opener(id))
          driver.settle()
          // now the reader's alone
          expect(driver.read(stream)).to.have.lengthOf(1_000)
        }
      }

      expect(driver.engine.statistics().streamsReset.local).to.equal(5)
    })

    it('of ten thousand tiny messages are kept in few pieces', () => {
      const driver = new MplexDriver({ budgets: { unreadPieces: 500 } })
      const stream = driver.inbound(0)

      driver.give(join(...new Array(10_000).fill(data.opener(0, 'abc'))))
      expect(stream.closed).to.be.false()
      expect(stream.receiveQueue.byteLength).to.equal(30_000)
      expect(stream.receiveQueue.pieces).to.be.below(501)
    })

    it('in more pieces than they may be: the connection ends', () => {
      const driver = new MplexDriver({ budgets: { unreadPieces: 20 } })
      const streams = [driver.inbound(0), driver.inbound(1)]

      // so large that nothing is joined
      for (let i = 0; i < 20; i++) {
        driver.give(data.opener(i < 8 ? 0 : 1, 40_000))
      }

      expect(driver.engine.state).to.equal('open')
      driver.give(data.opener(0, 40_000))
      expect(driver.closedBy()).to.include({ name: 'BudgetExceededError', budget: 'unreadPieces' })
      expect(streams.map(({ error }) => error?.message)).to.deep.equal(new Array(2).fill(
        'the peer went over the budget "unreadPieces" of 20 pieces that wait to be read on all streams (option budgets.unreadPieces)'))
      // what came in time is its reader's
      expect(driver.read(streams[1])).to.have.lengthOf(480_000)
    })

    it('in more pieces than those of one stream may be: the connection ends', () => {
      const driver = new MplexDriver({ budgets: { streamPieces: 20 } })
      const [one, other] = [driver.inbound(0), driver.inbound(1)]

      for (let i = 0; i < 40; i++) {
        driver.give(data.opener(i % 2, 40_000))
      }

      driver.give(...new Array(1_000).fill(data.opener(2, 5_000)))
      expect(driver.engine.state).to.equal('open')
      driver.give(data.opener(0, 40_000))
      expect(driver.closedBy()).to.include({ name: 'BudgetExceededError', budget: 'streamPieces' })
      expect([one, other].map(stream => driver.read(stream)?.byteLength)).to.deep.equal([840_000, 800_000])
    })

    it('cut from larger buffers: all are copied before more than budgets.pinnedBytes are pinned', () => {
      const driver = new MplexDriver({ budgets: { pinnedBytes: 50_000 } })
      const [kept, other] = [driver.inbound(0), driver.inbound(1)]
      const seen: number[] = []

      for (let i = 0; i < 20; i++) {
        driver.give(join(data.opener(0, 58_000), data.opener(1, 7_000)))
        driver.engine.retain(kept)
        driver.engine.retain(other)
        seen.push(kept.receiveQueue.pinned)
      }

      expect(Math.max(...seen)).to.be.within(40_000, 50_000)
      expect(driver.engine.state).to.equal('open')
      expect([kept, other].map(stream => driver.read(stream).byteLength)).to.deep.equal([1_160_000, 140_000])
    })

    it('keeps nothing for a message but what has arrived of it', () => {
      const driver = new MplexDriver()
      const stream = driver.inbound(0)

      driver.give(header(2, 0, MIB))
      expect(driver.edges()).to.deep.equal([])
      driver.give(new Uint8Array(10))
      expect(driver.edges()).to.deep.equal(['r0 readable'])
      expect(stream.receiveQueue.byteLength).to.equal(10)
      expect(driver.read(stream)).to.have.lengthOf(10)
    })
  })

  it('does not end the connection of a peer that opens streams quickly', () => {
    const driver = new MplexDriver()

    for (let id = 0; id < 1_000; id++) {
      driver.give(open(id))
    }

    expect(driver.engine.streamCount.inbound).to.equal(1_000)
    expect(driver.engine.state).to.equal('open')
  })

  it('does not charge what was under way when we reset a stream, however much it is', () => {
    const driver = new MplexDriver({ budgets: { unknownStreams: 1 } })

    driver.reset(driver.inbound(0))

    for (let i = 0; i < 10_000; i++) {
      driver.give(data.opener(0, 'x'))
    }

    driver.give(close.opener(0), reset.opener(0))
    expect(driver.engine.state).to.equal('open')
  })

  const budgets: Array<[keyof AbuseBudgets, string, (id: number) => Uint8Array]> = [
    ['emptyFrames', 'empty messages', () => message(2, 0)],
    ['emptyFrames', 'repeated Closes', () => close.opener(0)],
    ['tinyFrames', 'messages shorter than their header', () => data.opener(0, 'x')],
    ['tinyFrames', 'messages shorter than their header for streams that never were', () => data.opener(77, 'x')],
    ['unknownStreams', 'Closes of streams that never were', () => close.opener(77)],
    ['resets', 'streams opened and reset', id => join(open(id), reset.opener(id))]
  ]

  for (const [name, what, make] of budgets) {
    it(`ends the connection over "${name}" for ${what}`, () => {
      const driver = new MplexDriver({ budgets: { [name]: 100 } })

      driver.inbound(0)

      // tiny messages are honest as long as their reader keeps up
      for (let i = 0; i < 17; i++) {
        driver.give(data.opener(0, 'message'))
      }

      for (let i = 1; i <= 100; i++) {
        driver.give(make(i))
      }

      expect(driver.engine.state).to.equal('open')
      driver.give(make(101), make(102), make(103))
      expect(driver.closedBy()).to.include({ name: 'BudgetExceededError', budget: name })
    })
  }

  it('charges streams to nobody that are opened while we go away, and tiny messages whose reader keeps up', () => {
    const driver = new MplexDriver({ budgets: { refusals: 1, tinyFrames: 1 } })
    const stream = driver.inbound(0)

    driver.engine.drain()

    for (let i = 1; i <= 100; i++) {
      driver.give(open(i), data.opener(0, 'x'))
      driver.read(stream)
    }

    expect(driver.engine.state).to.equal('draining')
  })

  it('ends the connection over "provokedResets" for streams that overflow, in turn', () => {
    const driver = new MplexDriver({ maxStreamBufferSize: 10, budgets: { provokedResets: 5 } })

    for (let id = 0; id < 5; id++) {
      driver.give(open(id), data.opener(id, 11))
    }

    expect(driver.engine.state).to.equal('open')
    driver.give(open(5), data.opener(5, 11))
    expect(driver.closedBy()).to.include({ name: 'BudgetExceededError', budget: 'provokedResets' })
  })

  it('does not hold it against the peer when it is our own stream that overflows', () => {
    const driver = new MplexDriver({ maxStreamBufferSize: 10, budgets: { provokedResets: 1 } })

    for (let id = 0; id < 5; id++) {
      driver.outbound()
      driver.give(data.accepter(id, 11))
    }

    expect(driver.engine.state).to.equal('open')
  })

  it('ends the connection over "refusals" for streams refused, by us or by the application', () => {
    const driver = new MplexDriver({ maxInboundStreams: 0, budgets: { refusals: 3 } })

    driver.give(open(0), open(1), open(2))
    expect(driver.engine.state).to.equal('open')
    driver.give(open(3))
    expect(driver.closedBy()).to.include({ budget: 'refusals' })

    const other = new MplexDriver({ budgets: { refusals: 3 } })

    for (let id = 0; id < 4; id++) {
      other.give(open(id))
      other.engine.refuse(other.theirs(id), 0, new Error('no room'))
    }

    expect(other.closedBy()).to.include({ budget: 'refusals' })
  })

  it('charges no refusal to a peer while it is we who go away', () => {
    const driver = new MplexDriver({ budgets: { refusals: 1 } })
    const streams = [driver.inbound(0), driver.inbound(1), driver.inbound(2)]

    driver.engine.drain()
    streams.forEach(stream => { driver.engine.refuse(stream, 0, new Error('going')) })
    expect(driver.engine.state).to.equal('draining')
  })

  it('ends the connection of a peer that reads nothing before what is owed to it fills memory', () => {
    const driver = new MplexDriver({ maxInboundStreams: 0, budgets: { replies: 100 } })
    let id = 0

    while (driver.engine.state === 'open' && id < 200) {
      driver.give(open(id++))
    }

    expect(id).to.be.within(101, 103)
    expect(driver.closedBy()).to.include({ budget: 'replies' })
  })

  it('resets a stream on which nothing happened for inactivityTimeout, and does not count time in which bytes wait for us', () => {
    const driver = new MplexDriver({ streamOptions: { inactivityTimeout: 10_000 } })
    const idle = driver.inbound(0)
    const unread = driver.inbound(1)

    driver.give(data.opener(1, 5))
    driver.pass(10_001)
    expect(idle.error).to.include({ name: 'TimeoutError', scope: 'stream', origin: 'local' })
    expect(idle.error?.message).to.include('option inactivityTimeout')
    expect(unread.closed).to.be.false()
    expect(driver.sent()).to.deep.equal(['reset-receiver 0'])
  })

  it('keeps nothing of streams of ours that a peer resets before they could be announced', () => {
    const driver = new MplexDriver()

    for (let i = 0; i < 5_000; i++) {
      const stream = driver.open()

      driver.engine.write(stream, new Uint8Array(100), driver.now)
      driver.give(reset.accepter(i))
    }

    expect(brokenInvariant(driver.engine)).to.equal(undefined)
    expect(driver.sent()).to.deep.equal([])
  })

  it('ends the connection over resets that wait for a peer that does not read, whoever wanted them, when it opens one more', () => {
    const driver = new MplexDriver({ budgets: { replies: 10 } })

    // of itself it is no offence what our application does in one go
    for (const stream of Array.from({ length: 11 }, (_, i) => driver.inbound(i))) {
      driver.engine.reset(stream, 0, undefined)
    }

    expect(driver.engine.state).to.equal('open')
    driver.give(open(100))
    expect(driver.closedBy()).to.include({ budget: 'replies' })
  })

  it('hears of a shorter inactivityTimeout at once', () => {
    const driver = new MplexDriver()
    const stream = driver.inbound(0)

    driver.engine.limit(stream, { inactivityTimeout: 50 })
    driver.pass(51)
    expect(stream.closed).to.be.true()
  })

  it('does not take a transport that drains for a sign of life of any stream', () => {
    const driver = new MplexDriver({ streamOptions: { inactivityTimeout: 1_000 } })
    const stream = driver.inbound(0)

    driver.now += 999
    driver.engine.receiveDrain(driver.now)
    driver.pass(1_000)
    expect(stream.closed).to.be.true()
  })
})
