import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { FIN, SYN, data, frame, join, pattern, text, windowUpdate } from '../../../support/frames.ts'

describe('yamux: receiving data', () => {
  it('gives the application what has arrived of a frame, without waiting for the rest', () => {
    const link = new EngineDriver()
    const stream = link.inbound(2)
    const bytes = data(2, 'hello world')

    link.give(bytes.subarray(0, 17))
    expect(link.edges()).to.deep.equal(['2 readable'])
    expect(text(link.read(stream))).to.equal('hello')

    link.give(bytes.subarray(17))
    expect(link.edges()).to.deep.equal(['2 readable'])
    expect(text(link.read(stream))).to.equal(' world')
  })

  it('takes one frame as large as all the credit that it granted, as it comes', () => {
    const window = 16_777_216
    const link = new EngineDriver('client', { streamOptions: { initialStreamWindowSize: window } })
    const stream = link.inbound(2)
    const chunk = pattern(65_536)

    link.give(frame({ streamId: 2, length: window }))
    expect(stream.receiveWindow.available).to.equal(0)
    expect(link.edges()).to.deep.equal([])

    for (let at = 0; at < window; at += chunk.byteLength) {
      link.give(chunk)
      expect(link.read(stream).byteLength).to.equal(chunk.byteLength)
    }

    expect(link.engine.state).to.equal('open')
    expect(stream.bytesReceived).to.equal(window)
    expect(stream.framesReceived).to.equal(1)
  })

  it('keeps nothing for a frame but what has arrived of it', () => {
    const link = new EngineDriver()
    const stream = link.inbound(2)

    link.give(frame({ streamId: 2, length: 262_144 }), pattern(3))

    expect(stream.receiveQueue.byteLength).to.equal(3)
    expect(stream.receiveQueue.pieces).to.equal(1)
  })

  it('takes exactly what it granted, in frames of any length', () => {
    const link = new EngineDriver()
    const stream = link.inbound(2)

    link.give(data(2, 262_142), data(2, 1), data(2, 0))

    expect(stream.receiveQueue.byteLength).to.equal(262_143)
    expect(stream.receiveWindow.available).to.equal(1)
    expect(link.engine.state).to.equal('open')
  })

  it('keeps a small piece of a large buffer as a copy, when it is to stay', () => {
    const link = new EngineDriver()
    const stream = link.inbound(2)

    link.give(join(data(2, 'small'), data(99, 60_000)))
    link.engine.retain(stream)

    const piece = link.engine.read(stream, Infinity, link.now) as Uint8Array

    expect(text(piece)).to.equal('small')
    expect(piece.buffer.byteLength).to.equal(5)
  })

  it('says that there is something to read once for all that came together', () => {
    const link = new EngineDriver()
    const stream = link.inbound(2)

    link.give(join(data(2, 'one '), data(2, 'two '), data(2, 'three')))

    expect(link.edges()).to.deep.equal(['2 readable'])
    expect(text(link.read(stream))).to.equal('one two three')
  })

  it('keeps the data of each stream apart and in order', () => {
    const link = new EngineDriver()
    const streams = [link.inbound(2), link.inbound(4)]

    link.give(join(data(2, 'a'), data(4, 'x'), data(2, 'b'), data(4, 'y')))

    expect(streams.map(stream => text(link.read(stream)))).to.deep.equal(['ab', 'xy'])
  })

  it('finds frames wherever the bytes are cut', () => {
    const bytes = join(windowUpdate(2, 0, SYN), data(2, 'hello'), data(2, 0, FIN))

    for (let cut = 0; cut <= bytes.byteLength; cut++) {
      const link = new EngineDriver().give(bytes.subarray(0, cut), bytes.subarray(cut))

      expect(text(link.read(link.stream(2)))).to.equal('hello')
      expect(link.stream(2).receive).to.equal('ended')
    }
  })

  it('counts the payload of data frames against the window, no header and no other frame', () => {
    const link = new EngineDriver()
    const stream = link.inbound(2)

    link.give(data(2, 100), windowUpdate(2, 5_000), data(2, 100))

    expect(stream.receiveWindow.available).to.equal(262_144 - 200)
    expect(stream.sendWindow.available).to.equal(262_144 + 5_000)
  })

  it('ignores data after a FIN, and gives no credit for it', () => {
    const link = new EngineDriver()
    const stream = link.inbound(2)

    link.give(data(2, 'last', FIN), data(2, 200_000), data(2, 0, FIN))

    expect(text(link.read(stream))).to.equal('last')
    expect(link.edges()).to.deep.equal(['2 readable', '2 remoteEnded'])
    expect(link.sent()).to.deep.equal([])
    expect(link.engine.state).to.equal('open')
  })
})
