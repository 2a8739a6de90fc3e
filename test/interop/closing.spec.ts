import { expect } from 'aegir/chai'
import { withEveryPeer } from './kit/nodes.ts'
import { closeEvent, readAll, readEach, sha256, someBytes, writeAll, writeForever, writeSome } from './kit/streams.ts'
import type { Node, Pairing } from './kit/nodes.ts'
import type { Stream } from '@libp2p/interface'

const PROTOCOL = '/test/closing/1.0.0'

/** A stream of the dialer's, with what the listener was given for it. */
async function openPair (pairing: Pairing): Promise<{ near: Stream, far: Stream }> {
  const inbound = new Promise<Stream>((resolve, reject) => {
    pairing.handle(pairing.listener, PROTOCOL, resolve).catch(reject)
  })

  await pairing.connect()

  const near = await pairing.open(PROTOCOL)

  // the protocol may not be negotiated before something is written
  near.send(Uint8Array.of(0))

  const far = await inbound

  await firstByte(far)

  return { near, far }
}

async function firstByte (stream: Stream): Promise<void> {
  await new Promise<void>(resolve => {
    stream.addEventListener('message', () => { resolve() }, { once: true })
  })
}

/** Of both, the one that the node holds. */
function endOf (pairing: Pairing, node: Node, { near, far }: { near: Stream, far: Stream }): [Stream, Stream] {
  return node === pairing.dialer ? [near, far] : [far, near]
}

withEveryPeer('ending', pairing => {
  for (const whose of ['ours', 'theirs'] as const) {
    it(`should bring what the other end still writes after ${whose} has ended its half`, async () => {
      const [first, second] = endOf(pairing(), pairing()[whose], await openPair(pairing()))
      const question = someBytes(300_000)
      const answer = someBytes(500_000)

      const answered = readAll(first)
      const asked = readAll(second)

      await writeAll(first, question)
      // nothing is answered before the end of the question was seen
      expect(sha256(await asked)).to.equal(sha256(question))
      await writeAll(second, answer)
      expect(sha256(await answered)).to.equal(sha256(answer))
    })

    it(`should tell the other end of a reset by ${whose}`, async () => {
      const [first, second] = endOf(pairing(), pairing()[whose], await openPair(pairing()))
      const closed = closeEvent(second)
      const read = readEach(second, () => {})

      first.send(someBytes(1_000))
      first.abort(new Error('no more of this'))

      const event = await closed

      expect(event.error).to.have.property('name', 'StreamResetError')
      expect(second.status).to.equal('reset')
      expect(first.status).to.equal('aborted')
      await expect(read).to.eventually.be.rejected.with.property('name', 'StreamResetError')
      expect(pairing().connection.status).to.equal('open')
    })

    it(`should end everything, and reject nothing that nobody waits for, when ${whose} is stopped in mid-use`, async () => {
      const rejections: unknown[] = []
      const onRejection = (reason: unknown): void => { rejections.push(reason) }
      const streams = await openPair(pairing())
      const [stopping, staying] = endOf(pairing(), pairing()[whose], streams)
      const ends = Promise.all([closeEvent(stopping), closeEvent(staying)])

      process.on('unhandledRejection', onRejection)

      try {
        const work = Promise.allSettled([
          readEach(stopping, () => {}),
          readEach(staying, () => {}),
          writeForever(staying)
        ])

        await writeSome(stopping, someBytes(1_000_000))
        await pairing()[whose].libp2p.stop()
        await ends

        const [, , written] = await work

        expect(written.status).to.equal('rejected')
        expect(stopping.status).to.not.equal('open')
        expect(staying.status).to.not.equal('open')
        expect(pairing().ourMuxer.status).to.equal('closed')
        expect(pairing().ourMuxer.streams).to.deep.equal([])
      } finally {
        process.off('unhandledRejection', onRejection)
      }

      expect(rejections).to.deep.equal([])
    })
  }

  it('should end a stream at both ends once both have ended their halves', async () => {
    const { near, far } = await openPair(pairing())
    const ends = [closeEvent(near), closeEvent(far)]

    await Promise.all([near.close(), far.close(), readAll(near), readAll(far)])

    for (const event of await Promise.all(ends)) {
      expect(event.error).to.equal(undefined)
    }

    expect([near.status, far.status]).to.deep.equal(['closed', 'closed'])
    expect(pairing().ourMuxer.streams).to.deep.equal([])
  })
})
