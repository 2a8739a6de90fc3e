/**
 * Metrics plugins of libp2p replace `send` and `dispatchEvent` on the instance of a stream, and count what passes: that
 * must be every byte, however the stream is read.
 */
import { defaultLogger } from '@libp2p/logger'
import { prometheusMetrics } from '@libp2p/prometheus-metrics'
import { expect } from 'aegir/chai'
import all from 'it-all'
import { Uint8ArrayList } from 'uint8arraylist'
import { FIN, SYN, data, pattern, windowUpdate } from '../support/frames.ts'
import { inboundStream, muxedPair, muxerAndPeer, openPair } from '../support/muxers.ts'
import { noUnhandledRejections, turn } from '../support/waiting.ts'
import type { MuxedStream } from '../../src/connection/stream.ts'

interface Counts {
  sent: number
  received: number
}

/** As the plugins do. */
function track (stream: MuxedStream): Counts {
  const counts: Counts = { sent: 0, received: 0 }
  const dispatchEvent = stream.dispatchEvent.bind(stream)
  const send = stream.send.bind(stream)

  stream.dispatchEvent = (event: Event): boolean => {
    if (event.type === 'message') {
      counts.received += (event as any).data.byteLength
    }

    return dispatchEvent(event)
  }

  stream.send = (bytes): boolean => {
    counts.sent += bytes.byteLength

    return send(bytes)
  }

  return counts
}

describe('contract: metrics plugins', () => {
  noUnhandledRejections()

  it('see every byte that is read by a listener', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 1_000))
    const counts = track(stream)

    await turn()
    expect(counts.received).to.equal(0, 'to count is not to read')
    expect(stream.listenerCount('message')).to.equal(0)
    stream.addEventListener('message', () => {})
    setup.peer.send(data(1, 500))
    await turn()
    expect(counts.received).to.equal(1_500)
  })

  it('see every byte that is read by the iterator, once', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 1_000))
    const counts = track(stream)
    const reading = all(stream)

    setup.peer.send(data(1, 500, FIN))
    await reading
    expect(counts.received).to.equal(1_500)
  })

  it('see every byte that is sent, in arrays and lists', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()
    const counts = track(stream)

    stream.send(pattern(1_000))
    stream.send(new Uint8ArrayList(pattern(100), pattern(50)))
    await turn()
    expect(counts.sent).to.equal(1_150)
    expect(peer.received(1).byteLength).to.equal(1_150)
  })

  it('may be several on one stream', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()
    const counts = [track(stream), track(stream)]

    stream.addEventListener('message', () => {})
    stream.send(pattern(10))
    peer.send(data(1, 20))
    await turn()
    expect(counts).to.deep.equal([{ sent: 10, received: 20 }, { sent: 10, received: 20 }])
  })

  it('of prometheus see both directions of an echo', async () => {
    const metrics: any = prometheusMetrics()({ logger: defaultLogger() })
    const tracked = new Map<string, number>()

    metrics._incrementValue = (name: string, value: number) => { tracked.set(name, (tracked.get(name) ?? 0) + value) }

    const [outbound, inbound] = await openPair(muxedPair())

    outbound.protocol = '/echo/1.0.0'
    metrics.trackProtocolStream(outbound)
    inbound.addEventListener('message', event => { inbound.send(event.data) })
    outbound.addEventListener('message', () => {})

    for (let i = 0; i < 10; i++) {
      outbound.send(pattern(100))
      await turn()
    }

    expect(Object.fromEntries(tracked)).to.deep.equal({ '/echo/1.0.0 sent': 1_000, '/echo/1.0.0 received': 1_000 })
  })
})
