/** Every status of a stream in every situation it can be in. */
import { expect } from 'aegir/chai'
import all from 'it-all'
import { FIN, RST, SYN, data, join, pattern, windowUpdate } from '../support/frames.ts'
import { memoryLink } from '../support/memory-link.ts'
import { createMuxer, inboundStream, muxedPair, muxerAndPeer, openPair } from '../support/muxers.ts'
import { noUnhandledRejections, turn, until } from '../support/waiting.ts'
import type { MuxedStream } from '../../src/connection/stream.ts'
import type { WithPeer } from '../support/muxers.ts'

/** All statuses in one line: of the stream, what we read and write, what the remote reads and writes. */
function statusesOf (stream: MuxedStream): string {
  return [
    stream.status,
    `read ${stream.readStatus}${stream.readableEnded ? ' (ended)' : ''}`,
    `write ${stream.writeStatus}`,
    `remote reads ${stream.remoteReadStatus}`,
    `remote writes ${stream.remoteWriteStatus}`
  ].join(', ')
}

interface Situation {
  name: string

  /** Brings a stream on which ten bytes came into the situation. */
  arrange(stream: MuxedStream, setup: WithPeer): void | Promise<unknown>
  unread: string

  /** Once the ten bytes were read. */
  read: string
  closed: boolean
}

const FLOWING = 'remote reads readable, remote writes writable'
const OVER = 'write closed, remote reads closed, remote writes closed'

const SITUATIONS: Situation[] = [{
  name: 'open',
  arrange () {},
  unread: `open, read readable, write writable, ${FLOWING}`,
  read: `open, read readable, write writable, ${FLOWING}`,
  closed: false
}, {
  name: 'paused',
  arrange (stream) { stream.pause() },
  unread: `open, read paused, write writable, ${FLOWING}`,
  read: `open, read paused, write writable, ${FLOWING}`,
  closed: false
}, {
  name: 'paused and resumed',
  arrange (stream) { stream.pause(); stream.resume() },
  unread: `open, read readable, write writable, ${FLOWING}`,
  read: `open, read readable, write writable, ${FLOWING}`,
  closed: false
}, {
  name: 'being closed by us while credit is missing',
  arrange (stream) { stream.send(new Uint8Array(300_000)); stream.close().catch(() => {}) },
  unread: `open, read readable, write closing, ${FLOWING}`,
  read: `open, read readable, write closing, ${FLOWING}`,
  closed: false
}, {
  name: 'closed by us',
  arrange: async stream => stream.close(),
  unread: `open, read readable, write closed, ${FLOWING}`,
  read: `open, read readable, write closed, ${FLOWING}`,
  closed: false
}, {
  name: 'closed by the remote',
  arrange: async (_, { peer }) => { peer.send(windowUpdate(1, 0, FIN)) },
  unread: 'open, read readable, write writable, remote reads readable, remote writes closed',
  read: 'open, read readable (ended), write writable, remote reads readable, remote writes closed',
  closed: false
}, {
  name: 'closed by both',
  arrange: async (stream, { peer }) => { peer.send(windowUpdate(1, 0, FIN)); await stream.close() },
  unread: `closed, read readable, ${OVER}`,
  read: `closed, read closed (ended), ${OVER}`,
  closed: true
}, {
  name: 'closed by us for reading',
  arrange: async stream => stream.closeRead(),
  unread: `open, read closed (ended), write writable, ${FLOWING}`,
  read: `open, read closed (ended), write writable, ${FLOWING}`,
  closed: false
}, {
  name: 'aborted by us',
  arrange (stream) { stream.abort(new Error('enough')) },
  unread: `aborted, read closed (ended), ${OVER}`,
  read: `aborted, read closed (ended), ${OVER}`,
  closed: true
}, {
  name: 'reset by the remote',
  arrange (_, { peer }) { peer.send(windowUpdate(1, 0, RST)) },
  unread: `reset, read readable, ${OVER}`,
  read: `reset, read closed (ended), ${OVER}`,
  closed: true
}, {
  name: 'cut',
  arrange (_, { link }) { link.cut(new Error('ECONNRESET')) },
  unread: `reset, read readable, ${OVER}`,
  read: `reset, read closed (ended), ${OVER}`,
  closed: true
}, {
  name: 'cut cleanly',
  arrange (_, { link }) { link.cut() },
  unread: `reset, read readable, ${OVER}`,
  read: `reset, read closed (ended), ${OVER}`,
  closed: true
}, {
  name: 'aborted with its muxer',
  arrange (_, { muxer }) { muxer.abort(new Error('enough')) },
  unread: `aborted, read closed (ended), ${OVER}`,
  read: `aborted, read closed (ended), ${OVER}`,
  closed: true
}]

describe('contract: statuses', () => {
  noUnhandledRejections()

  for (const situation of SITUATIONS) {
    it(`of a stream that is ${situation.name}`, async () => {
      const setup = muxerAndPeer({ direction: 'inbound' })
      const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 10))

      await situation.arrange(stream, setup)
      await turn()
      expect(statusesOf(stream)).to.equal(situation.unread)
      expect('close' in stream.timeline).to.equal(situation.closed)
      expect(setup.muxer.streams.includes(stream)).to.equal(!situation.closed)

      stream.addEventListener('message', () => {})

      if (stream.readStatus === 'paused') {
        // a listener hears nothing, but a pull is a wish to read
        await turn()
        expect(stream.readBufferLength).to.equal(10)
        expect((await stream[Symbol.asyncIterator]().next()).value).to.have.property('byteLength', 10)
      }

      await turn()
      expect(stream.readBufferLength).to.equal(0)
      expect(statusesOf(stream)).to.equal(situation.read)
    })
  }

  it('are all of an open stream at once on both sides', async () => {
    const [outbound, inbound] = await openPair(muxedPair())
    const open = `open, read readable, write writable, ${FLOWING}`

    expect(statusesOf(outbound)).to.equal(open)
    expect(statusesOf(inbound)).to.equal(open)
    expect(outbound.direction).to.equal('outbound')
    expect(inbound.direction).to.equal('inbound')
    expect(outbound.id).to.equal(inbound.id)
  })

  it('tell a closing writer in the tick of close()', async () => {
    const { muxer } = muxerAndPeer()
    const stream = await muxer.createStream()
    const closing = stream.close()

    expect(stream.writeStatus).to.equal('closing')
    await closing
    expect(stream.writeStatus).to.equal('closed')
  })

  it('have no key for a time that has not come', async () => {
    const { muxer } = muxerAndPeer()
    const before = Date.now()
    const stream = await muxer.createStream()

    expect(Object.keys(stream.timeline)).to.deep.equal(['open'])
    expect(stream.timeline.open).to.be.within(before, Date.now())
    stream.abort(new Error('enough'))
    await turn()
    expect(stream.timeline.close).to.be.within(before, Date.now())
  })

  it('keep a stream that the peer has half closed in the list until we close it too', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN | FIN))

    await until(() => stream.remoteWriteStatus === 'closed')
    expect(setup.muxer.streams).to.deep.equal([stream])
    await stream.close()
    await turn()
    expect(setup.muxer.streams).to.deep.equal([])
  })

  it('allow the protocol to be written, as libp2p does once it is negotiated', async () => {
    const { muxer } = muxerAndPeer()
    const stream = await muxer.createStream({ protocol: '/echo/1.0.0' })

    expect(stream.protocol).to.equal('', 'yamux cannot negotiate it in its SYN')
    stream.protocol = '/echo/1.0.0'
    expect(stream.protocol).to.equal('/echo/1.0.0')
  })

  it('of the muxer: open, closing in the tick of close(), closed', async () => {
    const { muxer } = muxerAndPeer()

    expect(muxer.protocol).to.equal('/yamux/1.0.0')
    expect(muxer.status).to.equal('open')

    const closing = muxer.close()

    expect(muxer.status).to.equal('closing')
    await closing
    expect(muxer.status).to.equal('closed')
  })

  it('of a muxer over a connection that had ended before: closed', async () => {
    const link = memoryLink()

    link.cut()

    const muxer = createMuxer(link.outbound)

    await turn()
    expect(muxer.status).to.equal('closed')
    expect(link.outbound.listeners).to.equal(0)
    await expect(muxer.createStream()).to.eventually.be.rejected.with.property('name', 'MuxerClosedError')
    await muxer.close()
  })

  it('lengths: what is unread and what is unsent', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 10))

    await turn()
    expect(stream.readBufferLength).to.equal(10)
    stream.send(new Uint8Array(300_000))
    expect(stream.writeBufferLength).to.equal(300_000)
    await turn()
    expect(stream.writeBufferLength).to.equal(300_000 - 262_144)
    stream.abort(new Error('enough'))
    expect(stream.readBufferLength).to.equal(0)
    expect(stream.writeBufferLength).to.equal(0)
    await expect(all(stream)).to.eventually.be.rejectedWith('enough')
  })

  for (const [what, last] of [['ended', windowUpdate(1, 0, FIN)], ['was reset', windowUpdate(1, 0, RST)]] as const) {
    it(`who pauses the stream with each message is handed all of one that ${what} behind them in the same delivery`, async () => {
      const setup = muxerAndPeer({ direction: 'inbound' })
      const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
      let received = 0

      await stream.close()
      stream.addEventListener('message', event => {
        received += event.data.byteLength
        stream.pause()
        setImmediate(() => {
          stream.resume()
        })
      })
      setup.peer.send(join(data(1, pattern(30_000)), data(1, pattern(30_000)), last))
      await until(() => received === 60_000)
      await turn()
      expect(stream.readStatus).to.equal('closed')
      expect(stream.readableEnded).to.be.true()
    })
  }
})
