/** The ends of a connection that come from the other side: GoAway, a clean end of the transport, an error, a cut frame. */
import { expect } from 'aegir/chai'
import all from 'it-all'
import { Uint8ArrayList } from 'uint8arraylist'
import { FIN, SYN, data, goAway, pattern, windowUpdate } from '../support/frames.ts'
import { inboundStream, muxedPair, muxerAndPeer, openPair } from '../support/muxers.ts'
import { eventOf, noUnhandledRejections, turn, until } from '../support/waiting.ts'
import type { MuxedStream } from '../../src/connection/stream.ts'
import type { WithPeer } from '../support/muxers.ts'
import type { StreamCloseEvent } from '@libp2p/interface'

/** A muxer with four streams: open, half closed by either side, and ended. */
async function fourStreams (): Promise<WithPeer & { open: MuxedStream, closedByUs: MuxedStream, closedByPeer: MuxedStream, ended: MuxedStream }> {
  const setup = muxerAndPeer({ direction: 'inbound' })
  const open = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 10))
  const closedByUs = await inboundStream(setup, windowUpdate(3, 0, SYN), data(3, 10))
  const closedByPeer = await inboundStream(setup, windowUpdate(5, 0, SYN), data(5, 10, FIN))
  const ended = await inboundStream(setup, windowUpdate(7, 0, SYN), data(7, 10, FIN))

  await closedByUs.close()
  await ended.close()
  await turn()

  return { ...setup, open, closedByUs, closedByPeer, ended }
}

const CUTS: Array<[string, (setup: WithPeer) => void, { message: RegExp, cause?: string }]> = [
  ['cleanly', ({ link }) => { link.cut() }, { message: /^the connection under the muxer ended$/ }],
  ['by an error', ({ link }) => { link.cut(new Error('ECONNRESET')) }, { message: /^the connection under the muxer ended$/, cause: 'ECONNRESET' }],
  ['in the middle of a header', ({ link, peer }) => { peer.send(data(1, 10).slice(0, 5)); peer.end.flush(); link.cut() }, { message: /in the middle of a frame/ }],
  ['in the middle of a body', ({ link, peer }) => { peer.send(data(1, 10).slice(0, 15)); peer.end.flush(); link.cut() }, { message: /in the middle of a frame/ }],
  ['by the peer closing it', ({ peer }) => { void peer.end.close() }, { message: /^the connection under the muxer ended$/ }],
  ['by the peer aborting it', ({ peer }) => { peer.end.abort(new Error('theirs')) }, { message: /^the connection under the muxer ended$/, cause: 'the stream has been reset' }]
]

describe('contract: the connection ends under the muxer', () => {
  noUnhandledRejections()

  for (const [name, cut, expected] of CUTS) {
    it(`${name}: every stream that had not ended says so, the one that had does not`, async () => {
      const setup = await fourStreams()
      const { ended, muxer, open, closedByUs, closedByPeer } = setup
      const closes: StreamCloseEvent[] = []

      for (const stream of [open, closedByUs, closedByPeer, ended]) {
        stream.addEventListener('close', event => { closes.push(event) })
      }

      cut(setup)
      await turn()

      expect(closes).to.have.length(3)

      for (const { error, local } of closes) {
        expect(error).to.include({ name: 'ConnectionClosedError', origin: 'transport', scope: 'connection' })
        expect(error?.message).to.match(expected.message)
        expect((error?.cause as Error | undefined)?.message.toLowerCase()).to.equal(expected.cause?.toLowerCase())
        expect(local).to.be.false()
      }

      expect(ended.status).to.equal('closed')
      expect([open, closedByUs, closedByPeer].map(stream => stream.status)).to.deep.equal(['reset', 'reset', 'reset'])
      expect(muxer.status).to.equal('closed')
      expect(muxer.streams).to.deep.equal([])
      expect(setup.maConn.listeners).to.equal(0)
      await expect(muxer.createStream()).to.eventually.be.rejected.with.property('name', 'MuxerClosedError')
      await muxer.close()
    })

    it(`${name}: what was unread stays readable, then the error, or the end where the peer had said so`, async () => {
      const setup = await fourStreams()

      cut(setup)
      await turn()

      for (const stream of [setup.open, setup.closedByUs]) {
        const iterator = stream[Symbol.asyncIterator]()
        let length = 0
        let error: any

        try {
          for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
            length += next.value.byteLength
          }
        } catch (err) {
          error = err
        }

        expect(length).to.be.at.least(10)
        expect(error).to.have.property('name', 'ConnectionClosedError')
      }

      for (const stream of [setup.closedByPeer, setup.ended]) {
        expect(new Uint8ArrayList(...await all(stream)).subarray()).to.deep.equal(pattern(10))
      }
    })
  }

  it('cleanly, with no stream open: the muxer is closed, without an error', async () => {
    const { link, muxer } = muxerAndPeer()

    link.cut()
    expect(muxer.status).to.equal('closed')
    await muxer.close()
    await expect(muxer.ping()).to.eventually.be.rejected.with.property('name', 'MuxerClosedError')
  })

  it('noticed by send() first: the streams hear of it', async () => {
    const { maConn, muxer } = muxerAndPeer()
    const stream = await muxer.createStream()
    const closed = eventOf(stream, 'close')

    await turn()
    maConn.sendError = new Error('EPIPE')
    stream.send(Uint8Array.of(1))

    const event = await closed

    expect(event.error).to.have.property('name', 'ConnectionClosedError')
    expect(event.error).to.have.nested.property('cause.message', 'EPIPE')
    expect(muxer.status).to.equal('closed')
  })

  it('noticed by send() when it is closing already: no exception, no rejection', async () => {
    const { maConn, muxer } = muxerAndPeer()

    await turn()
    maConn.sendError = new Error('EPIPE')
    await muxer.close()
    await until(() => maConn.status !== 'open')
    expect(muxer.status).to.equal('closed')
  })
})

describe('contract: the peer says GoAway', () => {
  noUnhandledRejections()

  it('with code 0: streams go on in both directions, and the connection ends with the last of them', async () => {
    const pair = muxedPair()
    const [outbound, inbound] = await openPair(pair)
    const [other, otherInbound] = await openPair(pair)

    // what a muxer says that will accept no more; ours says it last, others at once
    pair.link.inbound.send(goAway(0))
    await turn()
    expect(outbound.status).to.equal('open')
    await expect(pair.dialer.createStream()).to.eventually.be.rejected.with.property('name', 'MuxerClosedError')

    outbound.send(pattern(100_000))
    inbound.send(pattern(50_000))
    await Promise.all([outbound.close(), inbound.close()])
    expect((await all(outbound)).reduce((sum, chunk) => sum + chunk.byteLength, 0)).to.equal(50_000)
    expect((await all(inbound)).reduce((sum, chunk) => sum + chunk.byteLength, 0)).to.equal(100_000)
    expect(pair.link.outbound.status).to.equal('open')

    await Promise.all([other.close(), otherInbound.close()])
    await until(() => pair.link.outbound.status === 'closed')
    expect(pair.dialer.status).to.equal('closed')
    expect([outbound, inbound, other, otherInbound].map(stream => stream.status)).to.deep.equal(['closed', 'closed', 'closed', 'closed'])
  })

  it('with code 0 and no stream open: the connection ends at once', async () => {
    const { maConn, muxer, peer } = muxerAndPeer()

    peer.send(goAway(0))
    await until(() => maConn.status === 'closed')
    expect(muxer.status).to.equal('closed')
    expect(peer.goAways).to.deep.equal([0])
  })

  it('with code 0 twice: the second says nothing new', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    setup.peer.send(goAway(0), goAway(0))
    await turn()
    expect(stream.status).to.equal('open')
    expect(setup.muxer.status).to.equal('open')
  })

  it('with code 0: close() of ours then ends all that is left', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    setup.peer.send(goAway(0))
    await turn()
    await setup.muxer.close()
    expect(setup.maConn.status).to.equal('closed')
    expect(stream.status).to.equal('aborted')
    expect(setup.peer.goAways).to.deep.equal([0])
  })

  for (const code of [1, 2, 77]) {
    it(`with code ${code}: GoAwayError on every stream, and the connection is closed`, async () => {
      const setup = await fourStreams()
      const closes: StreamCloseEvent[] = []

      for (const stream of [setup.open, setup.closedByUs, setup.closedByPeer]) {
        stream.addEventListener('close', event => { closes.push(event) })
      }

      setup.peer.send(goAway(code))
      await until(() => setup.maConn.status === 'closed')
      expect(closes).to.have.length(3)

      for (const { error } of closes) {
        expect(error).to.include({ name: 'GoAwayError', code, origin: 'remote', scope: 'connection' })
      }

      expect(setup.ended.status).to.equal('closed')
      expect(setup.muxer.status).to.equal('closed')
      expect(setup.maConn.listeners).to.equal(0)
    })
  }
})
