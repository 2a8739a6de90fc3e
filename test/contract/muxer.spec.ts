/** Opening and announcing streams: limits, early streams, the list. */
import { expect } from 'aegir/chai'
import { ACK, FIN, RST, SYN, data, windowUpdate } from '../support/frames.ts'
import { muxedPair, muxerAndPeer, openPair } from '../support/muxers.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { eventOf, noUnhandledRejections, outcomeOf, turn, until } from '../support/waiting.ts'
import type { MuxedConnection } from '../../src/connection/connection.ts'

function idsOf (muxer: MuxedConnection): string[] {
  const ids: string[] = []

  muxer.addEventListener('stream', event => { ids.push(event.detail.id) })

  return ids
}

describe('contract: opening streams', () => {
  noUnhandledRejections()

  it('gives odd ids to the dialler and even ones to the listener', async () => {
    const { dialer, listener } = muxedPair()

    expect((await dialer.createStream()).id).to.equal('1')
    expect((await dialer.createStream()).id).to.equal('3')
    expect((await listener.createStream()).id).to.equal('2')
  })

  it('tells the peer at once, before anything is sent', async () => {
    const { muxer, peer } = muxerAndPeer()

    await muxer.createStream()
    await turn()
    expect(peer.lines).to.deep.equal(['window|SYN 1 +0'])
  })

  it('is acknowledged when the application has taken the stream, before anything is sent', async () => {
    const { muxer, peer } = muxerAndPeer({ direction: 'inbound' })

    peer.send(windowUpdate(1, 0, SYN))
    await turn()
    expect(peer.lines).to.deep.equal([])
    muxer.addEventListener('stream', () => {})
    await turn()
    expect(peer.lines).to.deep.equal(['window|ACK 1 +0'])
  })

  it('keeps the list of open streams, in order, on both sides', async () => {
    const pair = muxedPair()
    const [one, remoteOne] = await openPair(pair)
    const [two, remoteTwo] = await openPair(pair)

    expect(pair.dialer.streams).to.deep.equal([one, two])
    expect(pair.listener.streams).to.deep.equal([remoteOne, remoteTwo])
    one.abort(new Error('enough'))
    await turn()
    expect(pair.dialer.streams).to.deep.equal([two])
    expect(pair.listener.streams).to.deep.equal([remoteTwo])
  })

  it('gives an array that the caller may keep: it is not changed under his hands', async () => {
    const pair = muxedPair()
    const [one] = await openPair(pair)
    const before = pair.dialer.streams

    await openPair(pair)
    expect(before).to.deep.equal([one])
    expect(pair.dialer.streams).to.have.length(2)
  })

  it('delivers early streams to a listener that comes late, in order, with their data', async () => {
    const { muxer, peer } = muxerAndPeer({ direction: 'inbound' })
    const received: string[] = []

    for (const id of [1, 3, 5]) {
      peer.send(windowUpdate(id, 0, SYN), data(id, `data of ${id}`))
    }

    await turn()
    expect(muxer.streams).to.have.length(3)
    muxer.addEventListener('stream', event => {
      event.detail.addEventListener('message', message => {
        received.push(`${event.detail.id}: ${new TextDecoder().decode(message.data.subarray())}`)
      })
    })
    await turn()
    expect(received).to.deep.equal(['1: data of 1', '3: data of 3', '5: data of 5'])
  })

  it('delivers early streams once, to the first who listens', async () => {
    const { muxer, peer } = muxerAndPeer({ direction: 'inbound' })

    peer.send(windowUpdate(1, 0, SYN))
    await turn()

    const first = idsOf(muxer)

    await turn()

    const second = idsOf(muxer)

    peer.send(windowUpdate(3, 0, SYN))
    await turn()
    expect(first).to.deep.equal(['1', '3'])
    expect(second).to.deep.equal(['3'])
  })

  it('delivers one early stream to a listener that hears once, and keeps the others for the next', async () => {
    const { muxer, peer } = muxerAndPeer({ direction: 'inbound' })

    peer.send(windowUpdate(1, 0, SYN), windowUpdate(3, 0, SYN))
    await turn()
    expect((await eventOf(muxer, 'stream')).detail.id).to.equal('1')
    await turn()
    peer.send(windowUpdate(5, 0, SYN))
    await turn()
    expect((await eventOf(muxer, 'stream')).detail.id).to.equal('3')
    expect((await eventOf(muxer, 'stream')).detail.id).to.equal('5')
  })

  it('keeps early streams when the listener is gone before it could hear of them', async () => {
    const { muxer, peer } = muxerAndPeer({ direction: 'inbound' })
    const nobody = (): void => {}

    peer.send(windowUpdate(1, 0, SYN))
    await turn()
    muxer.addEventListener('stream', nobody)
    muxer.removeEventListener('stream', nobody)
    await turn()
    expect(peer.lines).to.deep.equal([])
    expect((await eventOf(muxer, 'stream')).detail.id).to.equal('1')
  })

  it('announces early streams before those that come later', async () => {
    const { muxer, peer } = muxerAndPeer({ direction: 'inbound', link: { manual: true } })

    peer.send(windowUpdate(1, 0, SYN))
    peer.end.flush()

    const ids = idsOf(muxer)

    peer.send(windowUpdate(3, 0, SYN))
    peer.end.flush()
    await turn()
    expect(ids).to.deep.equal(['1', '3'])
  })

  it('does not announce an early stream that was reset meanwhile, but one that ended', async () => {
    const { muxer, peer } = muxerAndPeer({ direction: 'inbound' })

    peer.send(windowUpdate(1, 0, SYN), windowUpdate(3, 0, SYN | FIN), windowUpdate(5, 0, SYN), windowUpdate(1, 0, RST))
    await turn()
    peer.send(windowUpdate(5, 0, RST))
    await turn()

    const ids = idsOf(muxer)

    await turn()
    expect(ids).to.deep.equal(['3'])
  })

  it('bears as many early streams as maxEarlyStreams says', async () => {
    const { maConn, muxer, peer } = muxerAndPeer({ direction: 'inbound', options: { maxEarlyStreams: 256 } })

    for (let i = 0; i < 256; i++) {
      peer.send(windowUpdate(2 * i + 1, 0, SYN))
    }

    await turn()
    expect(muxer.status).to.equal('open')
    peer.send(windowUpdate(513, 0, SYN))
    await until(() => maConn.status === 'closed')
    expect(muxer.status).to.equal('closed')
    expect(peer.goAways).to.deep.equal([2])
    await expect(muxer.createStream()).to.eventually.be.rejected.with.property('name', 'MuxerClosedError')
    await expect(muxer.ping()).to.eventually.be.rejected.with.property('name', 'MaxEarlyStreamsError')
  })

  it('bears as many early streams as may be open, and refuses those beyond', async () => {
    const { muxer, peer } = muxerAndPeer({ direction: 'inbound' })

    for (let i = 0; i <= 1_000; i++) {
      peer.send(windowUpdate(2 * i + 1, 0, SYN))
    }

    await until(() => peer.lines.length > 0)
    expect(peer.lines).to.deep.equal(['window|RST 2001 0'])
    expect(muxer.status).to.equal('open')
    expect(muxer.streams).to.have.lengthOf(1_000)
  })

  it('is refused at maxOutboundStreams, and possible again when one has ended', async () => {
    const { muxer } = muxerAndPeer({ options: { maxOutboundStreams: 2 } })
    const first = await muxer.createStream()

    await muxer.createStream()
    await expect(muxer.createStream()).to.eventually.be.rejected.with.property('name', 'TooManyOutboundProtocolStreamsError')
    first.abort(new Error('enough'))
    expect(await muxer.createStream()).to.have.property('status', 'open')
  })

  it('is a rejection, not an exception, when the muxer is closing', async () => {
    const { muxer } = muxerAndPeer()
    const closing = muxer.close()

    await expect(muxer.createStream()).to.eventually.be.rejected.with.property('name', 'MuxerClosedError')
    await closing
    await expect(muxer.createStream()).to.eventually.be.rejected.with.property('name', 'MuxerClosedError')
  })

  it('is refused for options that make no sense', async () => {
    const { muxer, peer } = muxerAndPeer()

    await expect(muxer.createStream({ maxReadBufferLength: 1_000 })).to.eventually.be.rejected.with.property('name', 'InvalidParametersError')
    await expect(muxer.createStream({ inactivityTimeout: -1 })).to.eventually.be.rejected.with.property('name', 'InvalidParametersError')
    await turn()
    expect(muxer.streams).to.deep.equal([])
    expect(peer.frames).to.deep.equal([])
  })

  it('takes options of its own for one stream', async () => {
    const { muxer } = muxerAndPeer()
    const stream = await muxer.createStream({ inactivityTimeout: 5, maxWriteBufferLength: 1_000_000, maxReadBufferLength: 300_000 })
    const other = await muxer.createStream()

    expect(stream).to.include({ inactivityTimeout: 5, maxWriteBufferLength: 1_000_000, maxReadBufferLength: 300_000 })
    expect(other).to.include({ inactivityTimeout: 120_000, maxWriteBufferLength: Infinity })
  })

  it('waits in line when 256 streams are unacknowledged, and goes on in order', async () => {
    const { muxer, peer } = muxerAndPeer()
    const ids: string[] = []

    await Promise.all(Array.from({ length: 256 }, async () => muxer.createStream()))

    const waiting = Promise.all(Array.from({ length: 3 }, async () => muxer.createStream().then(({ id }) => { ids.push(id) })))

    await turn()
    expect(ids).to.deep.equal([])
    peer.send(windowUpdate(1, 0, ACK))
    await turn()
    expect(ids).to.deep.equal(['513'])
    peer.send(windowUpdate(3, 0, ACK), windowUpdate(5, 0, RST))
    await waiting
    expect(ids).to.deep.equal(['513', '515', '517'])
  })

  it('in line can be given up by a signal, the others stay in line', async () => {
    const { muxer, peer } = muxerAndPeer()

    await Promise.all(Array.from({ length: 256 }, async () => muxer.createStream()))

    const controller = new AbortController()
    const first = muxer.createStream({ signal: controller.signal })
    const second = muxer.createStream()

    first.catch(() => {})
    await turn()
    controller.abort()
    await expect(first).to.eventually.be.rejected.with.property('name', 'AbortError')
    expect(await outcomeOf(second)).to.equal('pending')
    peer.send(windowUpdate(1, 0, ACK))
    expect(await second).to.have.property('id', '513')
  })

  it('in line is refused when the muxer closes, for all who wait', async () => {
    const { muxer } = muxerAndPeer({ clock: new VirtualClock() })

    await Promise.all(Array.from({ length: 256 }, async () => muxer.createStream()))

    const waiting = Array.from({ length: 3 }, async () => muxer.createStream())

    await turn()
    muxer.close().catch(() => {})

    for (const opening of waiting) {
      await expect(opening).to.eventually.be.rejected.with.property('name', 'MuxerClosedError')
    }

    muxer.abort(new Error('enough'))
  })

  it('with a signal that was aborted before, opens nothing', async () => {
    const { muxer, peer } = muxerAndPeer()

    await expect(muxer.createStream({ signal: AbortSignal.abort() })).to.eventually.be.rejected.with.property('name', 'AbortError')
    await turn()
    expect(peer.frames).to.deep.equal([])
  })

  it('then aborting at once, leaves nothing on either side', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()

    stream.abort(new Error('not needed'))
    await turn()
    expect(peer.lines).to.deep.equal(['window|SYN 1 +0', 'window|RST 1 0'])
    expect(muxer.streams).to.deep.equal([])
  })
})
