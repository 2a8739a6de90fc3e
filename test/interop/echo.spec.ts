import { expect } from 'aegir/chai'
import { withEveryPeer } from './kit/nodes.ts'
import { echo, readAll, sha256, someBytes, writeAll } from './kit/streams.ts'
import type { Pairing } from './kit/nodes.ts'
import type { Stream } from '@libp2p/interface'

const PROTOCOL = '/test/echo/1.0.0'

async function exchange (stream: Stream, bytes: Uint8Array): Promise<string> {
  const [answer] = await Promise.all([readAll(stream), writeAll(stream, bytes)])

  expect(answer).to.have.lengthOf(bytes.byteLength)

  return sha256(answer)
}

async function connectToEcho (pairing: Pairing): Promise<void> {
  await pairing.handle(pairing.listener, PROTOCOL, echo)
  await pairing.handle(pairing.dialer, PROTOCOL, echo)
  await pairing.connect()
}

withEveryPeer('echo', pairing => {
  beforeEach(async () => {
    await connectToEcho(pairing())
  })

  it('should bring back 0 bytes to 8 MiB as they were', async () => {
    for (const length of [0, 1, 4_096, 262_144, 262_145, 8_388_608]) {
      const bytes = someBytes(length)

      expect(await exchange(await pairing().open(PROTOCOL), bytes)).to.equal(sha256(bytes))
    }

    expect(pairing().ourMuxer.stats().streamsReset).to.deep.equal({ local: 0, remote: 0 })
  })

  it('should echo small messages on 100 streams at once', async () => {
    const streams = await Promise.all(new Array(100).fill(0).map(async () => pairing().open(PROTOCOL)))

    await Promise.all(streams.map(async (stream, index) => {
      const bytes = someBytes(50 + index)

      expect(await exchange(stream, bytes)).to.equal(sha256(bytes))
    }))
  })

  it('should echo on streams that both sides open at once', async () => {
    const { dialer, listener } = pairing()
    const exchanges = [dialer, listener].flatMap(node => new Array(30).fill(0).map(async (_, index) => {
      const bytes = someBytes(1_000 * index)
      const stream = await pairing().open(PROTOCOL, node)

      expect(await exchange(stream, bytes)).to.equal(sha256(bytes))
    }))

    await Promise.all(exchanges)
    expect(pairing().ourMuxer.stats().streamsOpened).to.deep.equal({ inbound: 30, outbound: 30 })
  })
})

// theirs announce no larger windows, and take one that they were not told of for granted when their own option says so (Y4)
withEveryPeer('echo through an initial window of 1 MiB of ours', pairing => {
  it('should bring back 8 MiB, and never be accused of going over a window', async () => {
    await connectToEcho(pairing())

    const bytes = someBytes(8_388_608)
    const streams = await Promise.all([pairing().open(PROTOCOL), pairing().open(PROTOCOL)])

    for (const hash of await Promise.all(streams.map(async stream => exchange(stream, bytes)))) {
      expect(hash).to.equal(sha256(bytes))
    }

    expect(pairing().connection.status).to.equal('open')
    expect(pairing().ourMuxer.status).to.equal('open')
  })
}, { streamOptions: { initialStreamWindowSize: 1_048_576 } })
