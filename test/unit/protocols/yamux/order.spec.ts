import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { SYN, data, join, lineOf, parseFrames, pattern, ping, windowUpdate } from '../../../support/frames.ts'

describe('yamux: order and batches', () => {
  it('sends every control frame before any data', () => {
    const link = new EngineDriver('client', { maxInboundStreams: 2 }).know(0)
    const [busy, reader, resetting, ending] = [link.outbound(), link.inbound(2), link.outbound(), link.outbound()]

    link.write(busy, pattern(100_000))
    link.give(data(2, 200_000))
    link.read(reader)
    link.reset(resetting, 1)
    link.end(ending)
    link.open()
    link.give(windowUpdate(4, 0, SYN), windowUpdate(6, 0, SYN), ping(9))
    link.accept(4)
    link.engine.ping()

    const sent = link.sent()

    expect(sent.filter(line => line.startsWith('data'))).to.deep.equal(sent.slice(-2))
    expect(sent.slice(0, -2)).to.have.members([
      'ping|SYN 5', 'ping|ACK 9', 'window|RST 6 0', 'window 2 +200000', 'window|RST 3 1', 'window|FIN 5 +0', 'window|SYN 7 +0', 'window|ACK 4 +0'
    ])
  })

  it('sends what becomes urgent while data waits at the next turn', () => {
    const link = new EngineDriver()

    link.write(link.outbound(), pattern(200_000))
    expect(link.sentOnce(65_548)).to.deep.equal(['data 1 65536'])

    link.give(ping(1))
    expect(link.sentOnce(65_548)).to.deep.equal(['ping|ACK 1', 'data 1 65524'])
  })

  it('takes streams in turn, one frame each', () => {
    const link = new EngineDriver('client', { maxMessageSize: 1_024 })
    const streams = [link.outbound(), link.outbound(), link.outbound()]

    for (const stream of streams) {
      link.write(stream, pattern(3_000))
    }

    expect(link.sent()).to.deep.equal([
      'data 1 1024', 'data 3 1024', 'data 5 1024', 'data 1 1024', 'data 3 1024', 'data 5 1024', 'data 1 952', 'data 3 952', 'data 5 952'
    ])
  })

  it('lets a small message pass a large transfer after one frame', () => {
    const link = new EngineDriver()
    const [bulk, small] = [link.outbound(), link.outbound()]

    link.write(bulk, pattern(250_000))
    link.sentOnce(65_548)
    link.write(small, pattern(64))

    expect(link.sent().slice(0, 2)).to.deep.equal(['data 1 65536', 'data 3 64'])
  })

  it('sends the most urgent streams first', () => {
    const link = new EngineDriver()
    const [usual, urgent] = [link.outbound(), link.outbound({ urgency: 0 })]

    link.write(usual, pattern(10))
    link.write(urgent, pattern(20))

    expect(link.sent()).to.deep.equal(['data 3 20', 'data 1 10'])
  })

  it('does not stop others for a stream that waits for credit', () => {
    const link = new EngineDriver()
    const [blocked, other] = [link.outbound(), link.outbound()]

    link.write(blocked, pattern(300_000))
    link.sent()
    link.write(other, pattern(10))

    expect(link.sent()).to.deep.equal(['data 3 10'])
  })

  it('makes frames when they are asked for: what was reset since sends no data', () => {
    const link = new EngineDriver()
    const [one, two] = [link.outbound(), link.outbound()]

    link.write(one, pattern(200_000))
    link.write(two, pattern(10))
    expect(link.sentOnce(65_548)).to.deep.equal(['data 1 65536'])

    link.reset(one, 5)
    expect(link.sent()).to.deep.equal(['window|RST 1 5', 'data 3 10'])
  })

  it('cuts a frame to what is left of its batch', () => {
    const link = new EngineDriver()

    link.write(link.outbound(), pattern(100_000))

    expect(link.sentOnce(10_012)).to.deep.equal(['data 1 10000'])
    expect(link.sentOnce(60_012)).to.deep.equal(['data 1 60000'])
  })

  it('fills a batch to the last byte and no further while there is more to send, however little of a write is left', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    for (let i = 0; i < 3; i++) {
      link.write(stream, pattern(65_536))
    }

    expect(link.sentOnce(65_446)).to.deep.equal(['data 1 65434'])
    expect(link.sentOnce(65_446)).to.deep.equal(['data 1 102', 'data 1 65320'])
    expect(link.sentOnce(65_446)).to.deep.equal(['data 1 216', 'data 1 65536'])
  })

  it('lets a batch go over its length by less than 4 KiB rather than leave a runt of all there is', () => {
    const link = new EngineDriver()

    link.write(link.outbound(), pattern(65_536 + 4_095))

    expect(link.sentOnce(4_012)).to.deep.equal(['data 1 4000'])
    expect(link.sentOnce(61_548)).to.deep.equal(['data 1 65536'])
    expect(link.sentOnce(12)).to.deep.equal(['data 1 95'])
  })

  it('ends a batch that has room for a runt only, and no stream loses its turn', () => {
    const link = new EngineDriver()
    const [bulk, small, other] = [link.outbound(), link.outbound(), link.outbound()]

    link.write(small, pattern(900))
    link.write(bulk, pattern(65_536))
    link.write(other, pattern(10))

    expect(link.sentOnce(1_024)).to.deep.equal(['data 3 900'])
    expect(link.sentOnce(65_548)).to.deep.equal(['data 1 65536'])
    expect(link.sentOnce(1_024)).to.deep.equal(['data 5 10'])
  })

  it('does not starve a stream whose turn beside a more urgent one comes at the end of every batch', () => {
    const link = new EngineDriver('client', { maxMessageSize: 1_024 })
    const [urgent, patient] = [link.outbound({ urgency: 0 }), link.outbound({ urgency: 7 })]

    link.write(urgent, pattern(200_000))
    link.write(patient, pattern(200_000))

    // two frames each, the second of which is cut; every 32nd turn is the patient one's
    const lines = Array.from({ length: 64 }, () => link.sentOnce(2_000)).flat()

    expect(lines.filter(line => line.startsWith('data 3'))).to.have.lengthOf(4)
  })

  it('leaves nothing out and repeats nothing, however small the batches are', () => {
    const link = new EngineDriver()
    const body = pattern(5_000)

    link.write(link.outbound(), body)
    link.give(ping(1), ping(2), ping(3))

    const frames = link.frames(100)

    expect(frames.slice(0, 3).map(lineOf)).to.deep.equal(['ping|ACK 1', 'ping|ACK 2', 'ping|ACK 3'])
    expect(join(...frames.map(frame => frame.body))).to.deep.equal(body)
  })

  it('gives everything that is owed in one poll when it fits', () => {
    const link = new EngineDriver()

    for (let i = 0; i < 8; i++) {
      link.write(link.open(), pattern(64))
    }

    link.give(ping(1))

    const polls = link.buffers(131_072)

    expect(polls).to.have.lengthOf(1)
    expect(parseFrames(...polls[0])).to.have.lengthOf(17)
  })

  it('packs small frames into one contiguous buffer', () => {
    const link = new EngineDriver()
    const streams = [link.outbound(), link.outbound()]

    for (let i = 0; i < 100; i++) {
      link.write(streams[i % 2], pattern(64))
    }

    const [buffers] = link.buffers()

    expect(buffers).to.have.lengthOf(1)
    expect(parseFrames(buffers[0]).reduce((sum, frame) => sum + frame.length, 0)).to.equal(6_400)
  })

  it('passes a large payload on by reference', () => {
    const link = new EngineDriver()
    const bytes = pattern(65_536)

    link.write(link.outbound(), bytes)

    const [buffers] = link.buffers()

    expect(buffers.map(buffer => buffer.byteLength)).to.deep.equal([12 + 72, 65_536 - 72])
    expect(buffers[1].buffer).to.equal(bytes.buffer)
  })

  it('has nothing to give when nothing is owed', () => {
    const link = new EngineDriver()

    expect(link.engine.wantsTransmit).to.be.false()
    expect(link.engine.pollTransmit(1_000, link.now)).to.equal(undefined)
  })

  it('wants to transmit as long as anything is owed', () => {
    for (const owe of [
      (link: EngineDriver) => { link.engine.ping() },
      (link: EngineDriver) => { link.give(ping(1)) },
      (link: EngineDriver) => { link.give(windowUpdate(2, 0, SYN), windowUpdate(4, 0, SYN)) },
      (link: EngineDriver) => { link.open() },
      (link: EngineDriver) => { link.write(link.stream(1), pattern(1)) },
      (link: EngineDriver) => { link.engine.close(0, undefined) }
    ]) {
      const link = new EngineDriver('client', { maxInboundStreams: 1 })

      link.outbound()
      expect(link.engine.wantsTransmit).to.be.false()

      owe(link)
      expect(link.engine.wantsTransmit).to.be.true()

      link.settle()
      expect(link.engine.wantsTransmit).to.be.false()
    }
  })
})
