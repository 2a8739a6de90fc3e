import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { ACK, RST, SYN, data, join, pattern, windowUpdate } from '../../../support/frames.ts'
import type { YamuxStream } from '../../../../src/protocols/yamux/stream.ts'

describe('yamux: sending data', () => {
  it('sends as much as the window lets it, to the byte, and goes on with the next credit', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.write(stream, pattern(300_000))
    expect(link.sent()).to.deep.equal(['data 1 65536', 'data 1 65536', 'data 1 65536', 'data 1 65536'])
    expect(link.engine.wantsTransmit).to.be.false()

    link.give(windowUpdate(1, 2_001))
    expect(link.sent()).to.deep.equal(['data 1 2001'])

    link.give(windowUpdate(1, 100_000))
    expect(link.sent()).to.deep.equal(['data 1 35855'])
  })

  it('sends no more than 1 MiB a frame, whatever a stream is told later', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.engine.limit(stream, { maxMessageSize: 4_194_304 })
    link.give(windowUpdate(1, 4_194_304))
    link.write(stream, pattern(2_000_000))
    expect(link.sent()).to.deep.equal(['data 1 1048576', 'data 1 951424'])
  })

  it('sends the bytes that were written, in order', () => {
    const link = new EngineDriver()
    const stream = link.outbound()
    const pieces = [pattern(1, 1), pattern(70_000, 2), pattern(40_000, 3), pattern(0), pattern(3, 4)]

    for (const piece of pieces) {
      link.write(stream, piece)
    }

    expect(join(...link.frames().map(frame => frame.body))).to.deep.equal(join(...pieces))
  })

  it('counts the window of a SYN on top of the initial one', () => {
    const link = new EngineDriver()
    const stream = link.inbound(2, 1_000)

    link.write(stream, pattern(300_000))

    expect(link.sent()).to.deep.equal(['data 2 65536', 'data 2 65536', 'data 2 65536', 'data 2 65536', 'data 2 1000'])
  })

  it('counts the window of an ACK on top of the initial one', () => {
    const link = new EngineDriver()
    const stream = link.open()

    link.give(windowUpdate(1, 500, ACK)).settle()
    link.write(stream, pattern(300_000))

    expect(link.sent().at(-1)).to.equal('data 1 500')
  })

  it('takes data with ACK for data: its length is no credit', () => {
    const link = new EngineDriver()
    const stream = link.open()

    link.give(data(1, 500, ACK))

    expect(stream.sendWindow.available).to.equal(262_144)
  })

  it('adds up window updates that come before it uses them', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.give(windowUpdate(1, 1_000), windowUpdate(1, 2_000), windowUpdate(1, 3_000))

    expect(stream.sendWindow.available).to.equal(262_144 + 6_000)
  })

  it('takes a window of as much as 32 bits hold', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.give(windowUpdate(1, 0xffffffff - 262_144))

    expect(stream.sendWindow.available).to.equal(0xffffffff)
    expect(link.engine.state).to.equal('open')
  })

  it('makes frames of 64 KiB at most', () => {
    const link = new EngineDriver()

    link.write(link.outbound(), pattern(65_537))

    expect(link.sent()).to.deep.equal(['data 1 65536', 'data 1 1'])
  })

  it('makes frames of maxMessageSize at most', () => {
    const link = new EngineDriver('client', { maxMessageSize: 1_024 })

    link.write(link.outbound(), pattern(2_500))

    expect(link.sent()).to.deep.equal(['data 1 1024', 'data 1 1024', 'data 1 452'])
  })

  it('makes a frame of each piece while few of them wait, and whole frames of many', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    for (let i = 0; i < 3; i++) {
      link.write(stream, pattern(100))
    }

    expect(link.sent()).to.deep.equal(['data 1 100', 'data 1 100', 'data 1 100'])

    for (let i = 0; i < 1_000; i++) {
      link.write(stream, pattern(100))
    }

    expect(link.sent()).to.deep.equal(['data 1 65536', 'data 1 34464'])
  })

  it('asks the writer to wait at the high-water mark, and calls it when half of that is left', () => {
    const link = new EngineDriver('client', { streamOptions: { writeHighWaterMark: 100_000 } })
    const stream = link.outbound()

    expect(link.write(stream, pattern(99_999))).to.be.true()
    expect(link.write(stream, pattern(1))).to.be.false()

    expect(link.sentOnce(65_548)).to.deep.equal(['data 1 65536'])
    expect(link.edges()).to.deep.equal(['1 writable'])
    expect(link.write(stream, pattern(1))).to.be.true()
  })

  it('does not call the writer while more than half of the high-water mark is left', () => {
    const link = new EngineDriver('client', { streamOptions: { writeHighWaterMark: 100_000 } })
    const stream = link.outbound()

    link.write(stream, pattern(65_536 + 50_001))
    link.sentOnce(65_548)
    expect(link.edges()).to.deep.equal([])
    expect(link.write(stream, new Uint8Array(0))).to.be.false()

    expect(link.sentOnce(13)).to.deep.equal(['data 1 1'])
    expect(link.edges()).to.deep.equal(['1 writable'])
  })

  describe('while other streams have as much queued as connectionWriteHighWaterMark', () => {
    const MARK = 300_000

    /** Streams whose windows are used up. */
    function spent (...names: string[]): [EngineDriver, ...YamuxStream[]] {
      const link = new EngineDriver('client', { connectionWriteHighWaterMark: MARK })
      const streams = names.map(() => link.outbound())

      for (const stream of streams) {
        link.write(stream, pattern(262_144))
        link.sent()
      }

      link.edges()

      return [link, ...streams]
    }

    it('asks the writer to wait with anything queued, so that each has one message on its way', () => {
      const [link, one, two, other] = spent('one', 'two', 'other')

      expect(link.write(one, pattern(200_000))).to.be.true()
      expect(link.write(two, pattern(99_999))).to.be.true()
      expect(link.write(other, pattern(1))).to.be.true()
      expect(link.write(two, pattern(1))).to.be.true()
      expect(link.write(other, pattern(1))).to.be.false()
      expect(link.write(other, new Uint8Array(0))).to.be.false()
      expect(link.engine.statistics().bytesQueued).to.equal(300_002)
      // the others of both have less
      expect(link.write(one, pattern(1))).to.be.true()
    })

    it('holds up no stream that writes alone, nor one that has nothing queued', () => {
      const [link, one, other] = spent('one', 'other')

      expect(link.write(one, pattern(262_143))).to.be.true()
      expect(link.write(one, pattern(MARK))).to.be.false()

      // all of it leaves at once
      link.give(windowUpdate(other.id, 10_000))
      expect(link.write(other, pattern(10_000))).to.be.false()
      link.sent()
      expect(link.edges()).to.deep.equal([`${other.id} writable`, `${other.id} flushed`])
      expect(link.write(other, new Uint8Array(0))).to.be.true()
    })

    it('calls the writer when its queue is empty, though the others keep theirs', () => {
      const [link, one, other] = spent('one', 'other')

      link.write(one, pattern(MARK))
      link.write(other, pattern(10_000))
      link.give(windowUpdate(other.id, 9_000))
      link.sent()
      expect(link.edges()).to.deep.equal([])
      link.give(windowUpdate(other.id, 1_000))
      link.sent()
      expect(link.edges()).to.deep.equal([`${other.id} writable`, `${other.id} flushed`])
    })

    for (const [what, free] of [
      ['have sent theirs', (link: EngineDriver, stream: YamuxStream) => { link.give(windowUpdate(stream.id, MARK)); link.sent() }],
      ['were reset', (link: EngineDriver, stream: YamuxStream) => { link.reset(stream) }],
      ['were reset by the peer', (link: EngineDriver, stream: YamuxStream) => { link.give(windowUpdate(stream.id, 0, RST)) }]
    ] as const) {
      it(`calls the writer with what it may have queued by itself once the others ${what}`, () => {
        const [link, one, other] = spent('one', 'other')

        link.write(one, pattern(MARK))
        expect(link.write(other, pattern(10_000))).to.be.false()
        free(link, one)
        link.edges()
        link.give(windowUpdate(other.id, 1_000))
        link.sent()
        expect(link.edges()).to.deep.equal([`${other.id} writable`])
        expect(link.write(other, pattern(200_000))).to.be.true()
        expect(link.engine.statistics().bytesQueued).to.equal(209_000)
      })
    }
  })

  it('says when all that was written has left', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.write(stream, pattern(262_145))
    link.sent()
    expect(link.edges()).to.deep.equal(['1 writable'])

    link.give(windowUpdate(1, 1))
    link.sent()
    expect(link.edges()).to.deep.equal(['1 flushed'])
  })

  it('resets a stream whose writer does not wait, once maxWriteBufferLength is exceeded', () => {
    const link = new EngineDriver('client', { streamOptions: { maxWriteBufferLength: 10 } })
    const stream = link.outbound()

    expect(link.write(stream, pattern(10))).to.be.false()
    expect(link.write(stream, pattern(1))).to.be.false()

    expect(stream.error).to.have.property('name', 'StreamBufferError')
    expect(stream.error?.message).to.include('option maxWriteBufferLength')
    expect(link.sent()).to.deep.equal(['window|RST 1 0'])
  })

  it('takes one write larger than maxWriteBufferLength from a writer that waited', () => {
    const link = new EngineDriver('client', { streamOptions: { maxWriteBufferLength: 10 } })
    const stream = link.outbound()

    expect(link.write(stream, pattern(1_000))).to.be.false()
    expect(link.sent()).to.deep.equal(['data 1 1000'])
    expect(link.write(stream, pattern(1))).to.be.true()
  })

  it('makes no frame of nothing', () => {
    const link = new EngineDriver()

    expect(link.write(link.outbound(), new Uint8Array(0))).to.be.true()

    expect(link.engine.wantsTransmit).to.be.false()
    expect(link.sent()).to.deep.equal([])
  })

  it('sends to a peer that opened the stream before it was told of the ACK, and to one that never will be', () => {
    const link = new EngineDriver()

    link.give(windowUpdate(2, 0, SYN))
    link.write(link.stream(2), pattern(5))

    expect(link.sent()).to.deep.equal(['data 2 5'])
  })
})
