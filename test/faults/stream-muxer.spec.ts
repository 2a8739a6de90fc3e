/** The faults of `AbstractStreamMuxer` (@libp2p/utils 7.4.1), and that our connections do not have them. */
import { expect } from 'aegir/chai'
import { DATA, SYN, data, windowUpdate } from '../support/frames.ts'
import { inboundStream, muxerAndPeer } from '../support/muxers.ts'
import { noUnhandledRejections, recordEvents, turn, until } from '../support/waiting.ts'
import type { Frame } from '../support/frames.ts'

const MIB = 1_048_576

describe('faults: AbstractStreamMuxer', () => {
  noUnhandledRejections()

  for (const order of ['before', 'after'] as const) {
    it(`A7: 10 bytes wait for a few frames, not for 4 MiB, of a bulk stream opened ${order} theirs`, async () => {
      const { maConn, muxer, peer } = muxerAndPeer({ link: { capacity: 65_536, manual: true } })
      const first = await muxer.createStream()
      const second = await muxer.createStream()
      const [bulk, small] = order === 'before' ? [first, second] : [second, first]

      await turn()
      maConn.flush()
      peer.send(windowUpdate(Number(bulk.id), 4 * MIB))
      peer.end.flush()
      peer.frames.length = 0

      bulk.send(new Uint8Array(4 * MIB))
      await turn()
      small.send(new Uint8Array(10))

      // as fast as the transport takes it
      await until(() => bulk.writeBufferLength === 0, () => { maConn.flush() })

      const sizes = peer.frames.filter(frame => frame.type === DATA).map(frame => frame.length)
      const position = sizes.indexOf(10)
      const inFront = sizes.slice(0, position).reduce((sum, size) => sum + size, 0)

      expect(position).to.be.at.least(0)
      // the one batch that the transport had taken before, and the turn of the bulk stream
      expect(inFront).to.be.at.most(131_072 + 65_536)
      expect(position).to.be.at.most(3)
      muxer.abort(new Error('done'))
    })
  }

  it('A7: data of ten bulk streams goes out in turns of one frame', async () => {
    const { maConn, muxer, peer } = muxerAndPeer({ link: { capacity: 65_536, manual: true } })

    const streams = await Promise.all(Array.from({ length: 10 }, async () => muxer.createStream()))

    await turn()
    maConn.flush()

    for (const stream of streams) {
      stream.send(new Uint8Array(196_608))
    }

    const dataFrames = (): Frame[] => peer.frames.filter(frame => frame.type === DATA)

    await until(() => dataFrames().length >= 30, () => { maConn.flush() })

    const ids = dataFrames().map(frame => frame.streamId)
    const turns = [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]

    expect(ids.slice(0, 30)).to.deep.equal([...turns, ...turns, ...turns])
    muxer.abort(new Error('done'))
  })

  it('A7: a drain of the transport is no work for idle streams: they hear of nothing', async () => {
    const { maConn, muxer } = muxerAndPeer({ link: { capacity: 10_000, manual: true } })
    const busy = await muxer.createStream()
    const idle = await Promise.all(Array.from({ length: 100 }, async () => muxer.createStream()))

    await turn()
    maConn.flush()

    const events = idle.map(stream => recordEvents(stream, ['drain', 'idle']))
    let checks = 0

    const value = (): void => { checks++ }

    for (const stream of idle) {
      // how a connection tells a stream that something happened
      Object.defineProperty(stream, 'onEdges', { value })
    }

    busy.send(new Uint8Array(200_000))

    for (let round = 0; round < 20; round++) {
      await turn()
      maConn.flush()
    }

    expect(busy.writeBufferLength).to.equal(0)
    expect(checks).to.equal(0)
    expect(events.flat()).to.deep.equal([])
    muxer.abort(new Error('done'))
  })

  it('A7: a full transport does not flag streams that have sent nothing', async () => {
    const { maConn, muxer } = muxerAndPeer({ link: { capacity: 10_000, manual: true } })
    const busy = await muxer.createStream()
    const idle = await muxer.createStream()

    busy.send(new Uint8Array(200_000))
    await turn()

    expect(maConn.writableNeedsDrain).to.be.true()
    expect(idle.writableNeedsDrain).to.be.false()
    expect(idle.send(new Uint8Array(10))).to.be.true()
    muxer.abort(new Error('done'))
  })

  it('A9: resets are counted on the side that they come from', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    stream.abort(new Error('ours'))
    await turn()
    expect(setup.muxer.stats().streamsReset).to.deep.equal({ local: 1, remote: 0 })

    await inboundStream(setup, windowUpdate(3, 0, SYN))
    setup.peer.send(windowUpdate(3, 0, 8))
    await turn()
    expect(setup.muxer.stats().streamsReset).to.deep.equal({ local: 1, remote: 1 })
  })

  for (const end of ['abort', 'close', 'cut'] as const) {
    it(`A10: no listener is left on the connection after ${end}, and a dead muxer answers nothing`, async () => {
      const { link, maConn, muxer, peer } = muxerAndPeer({ direction: 'inbound' })

      expect(maConn.listeners).to.be.at.least(3)

      if (end === 'abort') {
        // a transport that lingers, as one does that has bytes to send first
        maConn.abort = () => {}
        maConn.close = async () => {}
        muxer.abort(new Error('over'))
      } else if (end === 'close') {
        await muxer.close()
      } else {
        link.cut(new Error('over'))
      }

      expect(muxer.status).to.equal('closed')
      // the one that drops what comes goes when it is closed
      await until(() => maConn.listeners === 0)

      const { sendCalls } = maConn

      if (end === 'abort') {
        peer.send(windowUpdate(1, 0, SYN), data(1, 10), windowUpdate(3, 0, SYN))
      }

      await turn()
      expect(maConn.sendCalls).to.equal(sendCalls)
      expect(maConn.sendsAfterEnd).to.equal(0)
      expect(muxer.streams).to.deep.equal([])
    })
  }
})
