import { expect } from 'aegir/chai'
import { join, pattern } from '../../../support/frames.ts'
import { MplexDriver, MplexPair } from '../../../support/mplex-engines.ts'
import { reset } from '../../../support/mplex-frames.ts'

describe('mplex: sending', () => {
  it('splits a large write into messages of maxMessageSize', () => {
    const driver = new MplexDriver({ maxMessageSize: 10_000 })
    const stream = driver.outbound()

    driver.write(stream, pattern(25_000))

    const frames = driver.frames()

    expect(frames.map(({ body }) => body.byteLength)).to.deep.equal([10_000, 10_000, 5_000])
    expect(join(...frames.map(({ body }) => body))).to.deep.equal(pattern(25_000))
  })

  it('sends at most 64 KiB a message by default', () => {
    const driver = new MplexDriver()

    driver.write(driver.outbound(), new Uint8Array(200_000))
    expect(driver.frames().map(({ body }) => body.byteLength)).to.deep.equal([65_536, 65_536, 65_536, 3_392])
  })

  it('sends no more than 1 MiB a message, whatever a stream is told later', () => {
    const driver = new MplexDriver()
    const stream = driver.outbound()

    driver.engine.limit(stream, { maxMessageSize: 4_194_304 })
    driver.write(stream, new Uint8Array(2_000_000))
    expect(driver.frames().map(({ body }) => body.byteLength)).to.deep.equal([1_048_576, 951_424])
  })

  it('takes streams in turn, one message each, the most urgent first', () => {
    const driver = new MplexDriver({ maxMessageSize: 1_024 })
    const [first, second, urgent] = [driver.outbound(), driver.outbound(), driver.outbound({ urgency: 0 })]

    for (const stream of [first, second, urgent]) {
      driver.write(stream, new Uint8Array(2_048))
    }

    expect(driver.sent()).to.deep.equal([2, 2, 0, 1, 0, 1].map(id => `message-initiator ${id} 1024`))
  })

  it('finishes a stream that is not incremental before others of its urgency', () => {
    const driver = new MplexDriver({ maxMessageSize: 1_024 })
    const [first, second] = [driver.outbound({ incremental: false }), driver.outbound()]

    driver.write(first, new Uint8Array(2_048))
    driver.write(second, new Uint8Array(2_048))
    expect(driver.sent()).to.deep.equal([0, 0, 1, 1].map(id => `message-initiator ${id} 1024`))
  })

  it('lets a small message pass a large transfer after one message', () => {
    const driver = new MplexDriver()
    const [bulk, small] = [driver.outbound(), driver.outbound()]

    driver.write(bulk, new Uint8Array(1_000_000))
    driver.sentOnce(65_446)
    driver.write(small, new Uint8Array(10))
    expect(driver.sent(65_446).slice(0, 2)).to.deep.equal(['message-initiator 0 65434', 'message-initiator 1 10'])
  })

  it('says refusals first, then opens, ends and resets, then data', () => {
    const driver = new MplexDriver({ maxInboundStreams: 1 })
    const [writing, ending, resetting] = [driver.outbound(), driver.outbound(), driver.outbound()]

    driver.write(writing, new Uint8Array(5))
    driver.end(ending)
    driver.reset(resetting)
    driver.open()
    driver.inbound(0)
    driver.write(writing, new Uint8Array(5))
    driver.end(driver.open())
    expect(driver.sent()).to.deep.equal(['open 4 "4"', 'close-initiator 4', 'message-initiator 0 5'])
  })

  it('packs many small messages of one or of many streams into one contiguous buffer', () => {
    const driver = new MplexDriver()

    const streams = Array.from({ length: 50 }, () => driver.outbound())

    for (const stream of streams) {
      driver.write(stream, new Uint8Array(100))
    }

    const [poll, ...more] = driver.buffers()

    expect(poll).to.have.lengthOf(1)
    expect(more).to.deep.equal([])
    // ids above 15 have two bytes of header
    expect(poll[0].byteLength).to.equal(50 * 102 + 34)
  })

  it('passes a large payload on by reference', () => {
    const driver = new MplexDriver()
    const bytes = new Uint8Array(65_536)

    driver.write(driver.outbound(), bytes)
    expect(driver.buffers().flat().some(({ buffer }) => buffer === bytes.buffer)).to.be.true()
  })

  it('leaves nothing out and repeats nothing, however small the batches are', () => {
    for (const max of [1, 7, 100, 4_096]) {
      const pair = new MplexPair()
      const streams = [pair.client.open(), pair.client.open()]

      streams.forEach((stream, i) => {
        pair.client.write(stream, pattern(10_000, i))
        pair.client.end(stream)
      })

      for (const bytes of pair.client.buffers(max).flat()) {
        pair.server.give(bytes)
      }

      streams.forEach((_, i) => {
        const received = pair.server.theirs(i)

        expect(received.receive).to.equal('ended')
        expect(pair.server.read(received)).to.deep.equal(pattern(10_000, i))
      })
    }
  })

  it('tells the writer to wait above the high-water mark, and to go on below half of it', () => {
    const driver = new MplexDriver({ streamOptions: { writeHighWaterMark: 10_000 }, maxMessageSize: 1_024 })
    const stream = driver.outbound()

    expect(driver.write(stream, new Uint8Array(9_999))).to.be.true()
    expect(driver.write(stream, new Uint8Array(1))).to.be.false()
    driver.settle()
    expect(stream.needsDrain).to.be.false()
    expect(driver.write(stream, new Uint8Array(10_000))).to.be.false()

    while (stream.sendQueue.byteLength > 5_000) {
      expect(stream.needsDrain).to.be.true()
      driver.sentOnce(1)
    }

    expect(driver.edges()).to.deep.equal(['i0 writable'])
    expect(stream.needsDrain).to.be.false()
  })

  it('tells the writer to wait with anything queued while others have as much as connectionWriteHighWaterMark', () => {
    const driver = new MplexDriver({ connectionWriteHighWaterMark: 1_000 })
    const [one, other] = [driver.outbound(), driver.outbound()]

    expect(driver.write(one, new Uint8Array(1_000))).to.be.true()
    expect(driver.write(other, new Uint8Array(1))).to.be.false()
    expect(driver.write(one, new Uint8Array(1))).to.be.true()
    driver.reset(one)
    driver.settle()
    expect([other.needsDrain, driver.engine.statistics().bytesQueued]).to.deep.equal([false, 0])
  })

  it('resets a stream whose writer goes on beyond maxWriteBufferLength', () => {
    const driver = new MplexDriver({ streamOptions: { maxWriteBufferLength: 1_000 } })
    const stream = driver.outbound()

    expect(driver.write(stream, new Uint8Array(2_000))).to.be.false()
    expect(driver.write(stream, new Uint8Array(1))).to.be.false()
    expect(stream.error).to.have.property('name', 'StreamBufferError')
    expect(driver.sent()).to.deep.equal(['reset-initiator 0'])
  })

  it('sends nothing of a stream that the peer has reset since, and no empty message', () => {
    const driver = new MplexDriver()
    const stream = driver.outbound()

    driver.write(stream, new Uint8Array(0))
    driver.write(stream, new Uint8Array(10))
    driver.give(reset.accepter(0))
    expect(driver.sent()).to.deep.equal([])

    const other = driver.outbound()

    driver.write(other, new Uint8Array(0))
    expect(driver.engine.wantsTransmit).to.be.false()
  })
})
