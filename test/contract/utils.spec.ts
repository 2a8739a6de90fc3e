/** What most protocols of libp2p read and write with (@libp2p/utils), over our streams. */
import { byteStream, echo, lpStream, messageStreamToDuplex, pbStream, pipe } from '@libp2p/utils'
import { expect } from 'aegir/chai'
import all from 'it-all'
import { pipe as itPipe } from 'it-pipe'
import { Uint8ArrayList } from 'uint8arraylist'
import { data, join, pattern, windowUpdate, FIN, RST, SYN } from '../support/frames.ts'
import { inboundStream, muxedPair, muxerAndPeer, openPair } from '../support/muxers.ts'
import { noUnhandledRejections, turn } from '../support/waiting.ts'

const MIB = 1_048_576

/** A message of one number, as protobuf codecs look from outside. */
const codec = {
  encode: (value: number): Uint8Array => new TextEncoder().encode(`${value}`),
  decode: (bytes: Uint8Array | Uint8ArrayList): number => Number(new TextDecoder().decode(bytes.subarray()))
}

describe('contract: helpers of @libp2p/utils', () => {
  noUnhandledRejections()

  it('byteStream: reads what was written, in pieces of any size', async () => {
    const [outbound, inbound] = await openPair(muxedPair())
    const writer = byteStream(outbound)
    const reader = byteStream(inbound)

    await writer.write(pattern(10_000))
    expect((await reader.read({ bytes: 1 })).subarray()).to.deep.equal(pattern(10_000).subarray(0, 1))
    expect((await reader.read({ bytes: 9_000 })).subarray()).to.deep.equal(pattern(10_000).subarray(1, 9_001))
    expect((await reader.read())?.byteLength).to.equal(999)
  })

  it('byteStream: the end is null, also when it came with the last bytes', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 10, FIN))
    const reader = byteStream(stream)

    expect((await reader.read())?.byteLength).to.equal(10)
    expect(await reader.read()).to.equal(null)
  })

  it('byteStream: an end in the middle of what was asked for is an error', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 10, FIN))

    await expect(byteStream(stream).read({ bytes: 11 })).to.eventually.be.rejected.with.property('name', 'UnexpectedEOFError')
  })

  it('byteStream: a reset while reading is an error', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 10))
    const reading = byteStream(stream).read({ bytes: 11 })

    await turn()
    setup.peer.send(windowUpdate(1, 0, RST))
    await expect(reading).to.eventually.be.rejected.with.property('name', 'StreamResetError')
  })

  it('byteStream: unwrap() gives back what was read too far, to a listener and before what comes later', async () => {
    const [outbound, inbound] = await openPair(muxedPair())
    const reader = byteStream(inbound)

    outbound.send(pattern(1_000))
    await reader.read({ bytes: 100 })
    outbound.send(pattern(500, 1))
    await turn()

    const stream = reader.unwrap()
    const received = new Uint8ArrayList()

    stream.addEventListener('message', event => { received.append(event.data) })
    outbound.send(pattern(500, 2))
    await turn()
    expect(received.subarray()).to.deep.equal(join(pattern(1_000).subarray(100), pattern(500, 1), pattern(500, 2)))
  })

  it('byteStream: unwrap() gives back what was read too far, to an iterator, also after the FIN', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 1_000, FIN))
    const reader = byteStream(stream)

    await reader.read({ bytes: 100 })
    expect(new Uint8ArrayList(...await all(reader.unwrap())).subarray()).to.deep.equal(pattern(1_000).subarray(100))
  })

  it('byteStream: a handshake read by one, the rest by another, as multistream-select does', async () => {
    const [outbound, inbound] = await openPair(muxedPair())

    outbound.send(join(pattern(20), pattern(30, 1)))

    const first = byteStream(inbound)

    expect((await first.read({ bytes: 20 })).subarray()).to.deep.equal(pattern(20))

    const second = byteStream(first.unwrap())

    expect((await second.read({ bytes: 30 })).subarray()).to.deep.equal(pattern(30, 1))
  })

  it('byteStream: a writer waits for drain, and 16 MiB get through', async () => {
    const [outbound, inbound] = await openPair(muxedPair({ link: { capacity: 200_000 } }))
    const writer = byteStream(outbound)
    const reader = byteStream(inbound)

    const reading = (async () => {
      for (let i = 0; i < 16; i++) {
        await reader.read({ bytes: MIB })
      }
    })()

    for (let i = 0; i < 16; i++) {
      await writer.write(new Uint8Array(MIB))
    }

    await reading
    expect(outbound.stats().bytesSent).to.equal(16 * MIB)
    expect(inbound.readBufferLength).to.equal(0)
  })

  it('lpStream: messages of every length keep their bounds', async () => {
    const [outbound, inbound] = await openPair(muxedPair({ link: { chop: 1_000 } }))
    const writer = lpStream(outbound)
    const reader = lpStream(inbound)

    for (const length of [0, 1, 127, 128, 16_384, 100_000]) {
      writer.write(pattern(length)).catch(() => {})
      expect((await reader.read()).subarray()).to.deep.equal(pattern(length))
    }

    await writer.writeV([pattern(1), pattern(2), pattern(3)])
    expect((await reader.read()).byteLength).to.equal(1)
    expect((await reader.read()).byteLength).to.equal(2)
    expect((await reader.read()).byteLength).to.equal(3)
  })

  it('pbStream: messages in both directions', async () => {
    const [outbound, inbound] = await openPair(muxedPair())
    const here = pbStream(outbound).pb(codec)
    const there = pbStream(inbound).pb(codec)

    await here.write(42)
    expect(await there.read()).to.equal(42)
    await there.writeV([43, 44])
    expect(await here.read()).to.equal(43)
    expect(await here.read()).to.equal(44)
  })

  it('echo: gives everything back and closes, over a transport that is often full', async () => {
    const pair = muxedPair({ link: { capacity: 50_000, chop: 20_000 } })
    const [outbound, inbound] = await openPair(pair)
    const bytes = pattern(2 * MIB)
    const echoing = echo(inbound)

    outbound.send(bytes)
    outbound.close().catch(() => {})

    const received = new Uint8ArrayList(...await all(outbound))

    await echoing
    expect(received.subarray()).to.deep.equal(bytes)
    expect(outbound.status).to.equal('closed')
    expect(inbound.status).to.equal('closed')
  })

  it('pipe: from a source through a stream to a sink', async () => {
    const [outbound, inbound] = await openPair(muxedPair())

    echo(inbound).catch(() => {})

    const received: any = await pipe([pattern(100), pattern(50_000, 1)], outbound, async (source: any) => all(source))

    expect(new Uint8ArrayList(...received).subarray()).to.deep.equal(join(pattern(100), pattern(50_000, 1)))
    expect(outbound.status).to.equal('closed')
  })

  it('messageStreamToDuplex: with it-pipe, stream into stream', async () => {
    const [outbound, inbound] = await openPair(muxedPair())
    const there = messageStreamToDuplex(inbound)
    const here = messageStreamToDuplex(outbound)

    itPipe(there, there).catch(() => {})

    const received: any = await itPipe([pattern(1_000)], here, async source => all(source))

    expect(new Uint8ArrayList(...received).subarray()).to.deep.equal(pattern(1_000))
  })
})
