import { mplex as libp2pMplex } from '@libp2p/mplex'
import { expect } from 'aegir/chai'
import { mplex } from '../../src/mplex.ts'
import { turn, until } from '../support/waiting.ts'
import { withPeer } from './kit/nodes.ts'
import { closeEvent, echo, readAll, readEach, sha256, someBytes, writeAll, writeSome } from './kit/streams.ts'
import type { Pairing } from './kit/nodes.ts'
import type { Stream } from '@libp2p/interface'

const ECHO = '/test/echo/1.0.0'
const SINK = '/test/sink/1.0.0'
const HOLD = '/test/hold/1.0.0'

/** Streams that a handler was given, and has not done anything with. */
const held: Stream[] = []

async function connect (pairing: Pairing): Promise<void> {
  held.length = 0

  for (const node of [pairing.dialer, pairing.listener]) {
    await pairing.handle(node, ECHO, echo)
    await pairing.handle(node, HOLD, stream => { held.push(stream) })
    await pairing.handle(node, SINK, async stream => {
      let read = 0

      await readEach(stream, chunk => { read += chunk.byteLength })
      await writeAll(stream, new TextEncoder().encode(`${read}`))
    })
  }

  await pairing.connect()
}

const THEIRS = {
  // they close connections over more than five streams a second
  '@libp2p/mplex': () => libp2pMplex({ disconnectThreshold: Infinity }),
  'our own': () => mplex()
}

for (const [name, theirs] of Object.entries(THEIRS)) {
  withPeer(`mplex, with ${name}`, { ours: () => mplex(), theirs }, pairing => {
    beforeEach(async () => {
      await connect(pairing())
    })

    it('should bring back 0 bytes to 1 MiB as they were', async () => {
      for (const length of [0, 1, 4_096, 262_145, 1_048_576]) {
        const bytes = someBytes(length)
        const stream = await pairing().open(ECHO)
        const [answer] = await Promise.all([readAll(stream), writeAll(stream, bytes)])

        expect(sha256(answer)).to.equal(sha256(bytes))
      }

      expect(pairing().ourMuxer.protocol).to.equal('/mplex/6.7.0')
      expect(pairing().ourMuxer.stats().streamsReset).to.deep.equal({ local: 0, remote: 0 })
    })

    it('should carry 32 MiB each way to who reads them', async () => {
      const { dialer, listener } = pairing()
      const bytes = someBytes(33_554_432)

      for (const node of [dialer, listener]) {
        const stream = await pairing().open(SINK, node)
        const [answer] = await Promise.all([readAll(stream), writeAll(stream, bytes)])

        expect(new TextDecoder().decode(answer)).to.equal('33554432')
      }
    })

    it('should echo on streams that both sides open at once, with the same ids', async () => {
      const { dialer, listener } = pairing()

      await Promise.all([dialer, listener].flatMap(node => new Array(30).fill(0).map(async (_, index) => {
        const bytes = someBytes(1_000 * index)
        const stream = await pairing().open(ECHO, node)
        const [answer] = await Promise.all([readAll(stream), writeAll(stream, bytes)])

        expect(sha256(answer)).to.equal(sha256(bytes))
      })))

      expect(pairing().ourMuxer.stats().streamsOpened).to.deep.equal({ inbound: 30, outbound: 30 })
    })

    for (const by of ['dialer', 'listener'] as const) {
      it(`should tell the other side of a reset by the ${by}, and leave other streams alone`, async () => {
        const resetting = await pairing().open(HOLD, pairing()[by])
        const other = await pairing().open(ECHO)

        await writeSome(resetting, new Uint8Array(10))
        await until(() => held.length > 0)

        const closed = closeEvent(held[0])

        resetting.abort(new Error('enough'))

        const { error } = await closed

        expect(error).to.have.property('name', 'StreamResetError')

        const [answer] = await Promise.all([readAll(other), writeAll(other, someBytes(100))])

        expect(sha256(answer)).to.equal(sha256(someBytes(100)))
      })
    }

    it('should let each end its own half in its own time', async () => {
      const stream = await pairing().open(HOLD)

      await writeAll(stream, new TextEncoder().encode('question'))
      await until(() => held.length > 0)
      expect(new TextDecoder().decode(await readAll(held[0]))).to.equal('question')
      await writeAll(held[0], new TextEncoder().encode('answer'))
      expect(new TextDecoder().decode(await readAll(stream))).to.equal('answer')
      await until(() => pairing().ourMuxer.streams.length === 0)
      await turn()
      expect(pairing().ourMuxer.stats().streamsReset).to.deep.equal({ local: 0, remote: 0 })
    })

    it('should end with the connection, on both sides', async () => {
      await pairing().open(HOLD)
      await until(() => held.length > 0)

      const closed = closeEvent(held[0])

      await pairing().connection.close()
      await closed
      await until(() => pairing().ourMuxer.status === 'closed')
    })
  })
}
