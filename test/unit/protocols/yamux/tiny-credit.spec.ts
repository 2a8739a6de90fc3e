import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { RST, pattern, windowUpdate } from '../../../support/frames.ts'
import type { YamuxStream } from '../../../../src/protocols/yamux/stream.ts'

const WINDOW = 262_144

/** A stream without credit, on which bytes wait. */
function waiting (bytes: number): { link: EngineDriver, stream: YamuxStream } {
  const link = new EngineDriver()
  const stream = link.outbound()

  link.write(stream, pattern(WINDOW + bytes))
  link.settle()

  return { link, stream }
}

describe('yamux: tiny credit', () => {
  it('makes one frame of what is granted a byte at a time, not one for each', () => {
    const { link } = waiting(10_000)

    for (let i = 0; i < 255; i++) {
      link.give(windowUpdate(1, 1))
      expect(link.sent()).to.deep.equal([])
    }

    link.give(windowUpdate(1, 1))
    expect(link.sent()).to.deep.equal(['data 1 256'])
  })

  it('makes no frame when the little that was held back went with more, and all credit with it', () => {
    const link = new EngineDriver()
    const stream = link.outbound()

    link.write(stream, pattern(WINDOW - 100))
    link.settle()

    // it has its turn for these, and is held back for those: credit for all there is has become little
    link.write(stream, pattern(50))
    link.write(stream, pattern(5_000))
    expect(link.sent()).to.deep.equal(['data 1 50', 'data 1 50'])
    link.pass(100)
    expect(link.sent()).to.deep.equal([])
    link.give(windowUpdate(1, 10_000))
    expect(link.sent()).to.deep.equal(['data 1 4950'])
  })

  it('makes no more than ten frames a second of it, whatever a peer grants', () => {
    const { link } = waiting(10_000)
    let frames = 0

    for (let i = 0; i < 1_000; i++) {
      link.give(windowUpdate(1, 1)).pass(1)
      frames += link.sent().length
    }

    expect(frames).to.equal(10)
  })

  it('uses at once what lets all go that waits', () => {
    const { link } = waiting(10)

    link.give(windowUpdate(1, 9))
    expect(link.sent()).to.deep.equal([])
    link.give(windowUpdate(1, 1))
    expect(link.sent()).to.deep.equal(['data 1 10'])
  })

  it('waits for more for 100 ms, and no longer', () => {
    const { link } = waiting(10_000)

    link.give(windowUpdate(1, 5)).pass(99).give(windowUpdate(1, 5))
    expect(link.sent()).to.deep.equal([])
    link.pass(1)
    expect(link.sent()).to.deep.equal(['data 1 10'])
  })

  it('waits for each stream by its own time', () => {
    const { link, stream } = waiting(10_000)
    const other = link.outbound()

    link.write(other, pattern(WINDOW + 10_000))
    link.settle()
    link.give(windowUpdate(stream.id, 5)).pass(60).give(windowUpdate(other.id, 6)).pass(40)
    expect(link.sent()).to.deep.equal(['data 1 5'])
    link.pass(60)
    expect(link.sent()).to.deep.equal(['data 3 6'])
  })

  it('holds back a small write of which only a part could go, until the rest can', () => {
    const { link, stream } = waiting(0)

    link.give(windowUpdate(1, 3))
    link.write(stream, pattern(4))
    expect(link.sent()).to.deep.equal([])
    link.give(windowUpdate(1, 1))
    expect(link.sent()).to.deep.equal(['data 1 4'])
  })

  it('waits for nothing on a stream that was reset meanwhile', () => {
    const { link, stream } = waiting(10_000)

    link.give(windowUpdate(1, 5), windowUpdate(1, 0, RST)).pass(1_000)

    expect(stream.closed).to.be.true()
    expect(link.sent()).to.deep.equal([])
  })

  it('waits no more once the connection is over', () => {
    const { link } = waiting(10_000)

    link.give(windowUpdate(1, 5))
    link.engine.close(0, undefined)

    expect(link.engine.pollTimeout()).to.equal(undefined)
  })
})
