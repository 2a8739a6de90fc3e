/** Streams and connections as event targets: what libp2p's `TypedEventTarget` promises. */
import { expect } from 'aegir/chai'
import { SYN, data, windowUpdate } from '../support/frames.ts'
import { inboundStream, muxerAndPeer } from '../support/muxers.ts'
import { turn, uncaughtDuring } from '../support/waiting.ts'
import type { MuxedStream } from '../../src/connection/stream.ts'
import type { WithPeer } from '../support/muxers.ts'

async function open (): Promise<WithPeer & { stream: MuxedStream }> {
  const setup = muxerAndPeer({ direction: 'inbound' })

  return { ...setup, stream: await inboundStream(setup, windowUpdate(1, 0, SYN)) }
}

describe('contract: listeners', () => {
  it('once: is called once, and what comes then waits for the next listener', async () => {
    const { peer, stream } = await open()
    let calls = 0

    stream.addEventListener('message', () => { calls++ }, { once: true })
    peer.send(data(1, 10))
    await turn()
    peer.send(data(1, 20))
    await turn()

    expect(calls).to.equal(1)
    expect(stream.listenerCount('message')).to.equal(0)
    expect(stream.readBufferLength).to.equal(20)
  })

  it('signal: an abort takes the listener away, one that was aborted before never adds it', async () => {
    const { peer, stream } = await open()
    const controller = new AbortController()
    let calls = 0

    stream.addEventListener('message', () => { calls++ }, { signal: controller.signal })
    stream.addEventListener('message', () => { calls += 100 }, { signal: AbortSignal.abort() })
    peer.send(data(1, 10))
    await turn()
    controller.abort()
    expect(stream.listenerCount('message')).to.equal(0)
    peer.send(data(1, 10))
    await turn()
    expect(calls).to.equal(1)
  })

  it('objects with handleEvent are handlers, called on themselves', async () => {
    const { peer, stream } = await open()
    const handler = {
      lengths: [] as number[],
      handleEvent (event: any) {
        this.lengths.push(event.data.byteLength)
      }
    }

    stream.addEventListener('message', handler)
    peer.send(data(1, 10))
    await turn()
    stream.removeEventListener('message', handler)
    peer.send(data(1, 20))
    await turn()
    expect(handler.lengths).to.deep.equal([10])
  })

  it('functions are called on the stream', async () => {
    const { peer, stream } = await open()
    let target: unknown

    stream.addEventListener('message', function (this: unknown) { target = this })
    peer.send(data(1, 10))
    await turn()
    expect(target).to.equal(stream)
  })

  it('the same handler twice is one listener', async () => {
    const { peer, stream } = await open()
    let calls = 0
    const handler = (): void => { calls++ }

    stream.addEventListener('message', handler)
    stream.addEventListener('message', handler)
    expect(stream.listenerCount('message')).to.equal(1)
    peer.send(data(1, 10))
    await turn()
    expect(calls).to.equal(1)
    stream.removeEventListener('message', handler)
    stream.removeEventListener('message', handler)
    expect(stream.listenerCount('message')).to.equal(0)
  })

  it('no handler is no listener', async () => {
    const { stream } = await open()

    stream.addEventListener('message', null)
    stream.removeEventListener('message', null)
    expect(stream.listenerCount('message')).to.equal(0)
  })

  it('a listener that throws stops neither the others nor the connection, and is heard of as an uncaught exception', async () => {
    const { muxer, peer, stream } = await open()
    let received = 0

    stream.addEventListener('message', () => { throw new Error('a bug of the application') })
    stream.addEventListener('message', event => { received += event.data.byteLength })

    const errors = await uncaughtDuring(async () => {
      peer.send(data(1, 10))
      peer.send(data(1, 20))
      await turn()
    })

    expect(errors).to.have.length(2)
    expect(errors[0]).to.have.property('message', 'a bug of the application')
    expect(received).to.equal(30)
    expect(muxer.status).to.equal('open')
    expect(stream.status).to.equal('open')
  })

  it('a handler of streams that throws leaves the stream, and later ones are announced', async () => {
    const { muxer, peer } = muxerAndPeer({ direction: 'inbound' })
    const ids: string[] = []

    muxer.addEventListener('stream', event => { ids.push(event.detail.id); throw new Error('a bug of the application') })

    const errors = await uncaughtDuring(async () => {
      peer.send(windowUpdate(1, 0, SYN), windowUpdate(3, 0, SYN))
      await turn()
    })

    expect(errors).to.have.length(2)
    expect(ids).to.deep.equal(['1', '3'])
    expect(muxer.status).to.equal('open')
  })

  it('a listener that is taken away by another during the event is not called any more', async () => {
    const { peer, stream } = await open()
    let calls = 0
    const second = (): void => { calls++ }

    stream.addEventListener('message', () => { stream.removeEventListener('message', second) })
    stream.addEventListener('message', second)
    peer.send(data(1, 10))
    await turn()
    expect(calls).to.equal(0)
  })

  it('a listener that is added during the event hears the next one', async () => {
    const { peer, stream } = await open()
    const lengths: number[] = []
    const late = (event: any): void => { lengths.push(event.data.byteLength) }

    stream.addEventListener('message', () => { stream.addEventListener('message', late) })
    peer.send(data(1, 10))
    await turn()
    peer.send(data(1, 20))
    await turn()
    expect(lengths).to.deep.equal([20])
  })

  it('a listener may call anything: send, close, open, abort, while the connection is in the middle of its work', async () => {
    const { muxer, peer, stream } = await open()
    const opened: MuxedStream[] = []

    stream.addEventListener('message', () => {
      stream.send(new Uint8Array(100))
      muxer.createStream().then(created => { opened.push(created) }, () => {})
      muxer.ping().catch(() => {})
      stream.abort(new Error('enough'))
    })
    peer.send(data(1, 10), data(1, 10), data(1, 10))
    await turn()
    expect(stream.status).to.equal('aborted')
    expect(opened).to.have.length(1)
    expect(peer.linesOf(1).at(-1)).to.equal('window|RST 1 0')
    expect(muxer.status).to.equal('open')
  })

  it('a listener may abort the muxer in the middle of a delivery', async () => {
    const { maConn, muxer, peer, stream } = await open()
    let calls = 0

    stream.addEventListener('message', () => {
      calls++
      muxer.abort(new Error('enough'))
    })
    peer.send(data(1, 10), data(1, 10), windowUpdate(3, 0, SYN), data(3, 10))
    await turn()
    expect(calls).to.equal(1)
    expect(muxer.status).to.equal('closed')
    expect(maConn.status).to.equal('aborted')
    expect(muxer.streams).to.deep.equal([])
  })
})
