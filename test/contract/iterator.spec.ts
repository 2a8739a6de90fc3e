/** Reading by `for await`: nothing is lost, nothing hangs, and an end is never mistaken for a reset. */
import { expect } from 'aegir/chai'
import all from 'it-all'
import { Uint8ArrayList } from 'uint8arraylist'
import { FIN, RST, SYN, data, join, pattern, windowUpdate } from '../support/frames.ts'
import { inboundStream, muxerAndPeer } from '../support/muxers.ts'
import { eventOf, noUnhandledRejections, outcomeOf, recordEvents, turn, until } from '../support/waiting.ts'
import type { MuxedStream } from '../../src/connection/stream.ts'
import type { WithPeer } from '../support/muxers.ts'

async function bytesOf (stream: MuxedStream): Promise<Uint8Array> {
  return new Uint8ArrayList(...await all(stream)).subarray()
}

/** One turn of a loop that is then broken off. */
async function firstOf (stream: MuxedStream, use: () => void = () => {}): Promise<Uint8Array> {
  let first: Uint8Array | undefined

  for await (const chunk of stream) {
    use()
    first ??= chunk.subarray()

    if (first.byteLength > 0) {
      break
    }
  }

  return first ?? new Uint8Array(0)
}

async function open (...frames: Uint8Array[]): Promise<WithPeer & { stream: MuxedStream }> {
  const setup = muxerAndPeer({ direction: 'inbound' })
  const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), ...frames)

  return { ...setup, stream }
}

describe('contract: async iterator', () => {
  noUnhandledRejections()

  it('attached late, delivers what came before', async () => {
    const { peer, stream } = await open(data(1, 1_000))

    await turn()

    const reading = bytesOf(stream)

    peer.send(windowUpdate(1, 0, FIN))
    expect(await reading).to.deep.equal(pattern(1_000))
  })

  it('attached after pause(), delivers: a pull is a wish to read', async () => {
    const { peer, stream } = await open(data(1, 1_000))

    stream.pause()
    await turn()

    const reading = bytesOf(stream)

    await turn()
    expect(stream.readStatus).to.equal('paused')
    peer.send(data(1, pattern(500, 7)), windowUpdate(1, 0, FIN))
    expect(await reading).to.deep.equal(join(pattern(1_000), pattern(500, 7)))
  })

  it('attached after FIN, delivers and ends', async () => {
    const { stream } = await open(data(1, 1_000), windowUpdate(1, 0, FIN))

    await turn()
    expect(await bytesOf(stream)).to.deep.equal(pattern(1_000))
  })

  it('attached after both ends have closed, delivers and ends', async () => {
    const { stream } = await open(data(1, 1_000), windowUpdate(1, 0, FIN))

    await stream.close()
    await turn()
    expect(stream.status).to.equal('closed')
    expect(await bytesOf(stream)).to.deep.equal(pattern(1_000))
    expect(await bytesOf(stream)).to.have.property('byteLength', 0)
  })

  it('ends after a FIN that comes while it waits', async () => {
    const { peer, stream } = await open()
    const reading = bytesOf(stream)

    expect(await outcomeOf(reading)).to.equal('pending')
    peer.send(windowUpdate(1, 0, FIN))
    expect(await reading).to.have.property('byteLength', 0)
    expect(stream.readableEnded).to.be.true()
  })

  it('broken off and attached again, several times, loses nothing', async () => {
    const { peer, stream } = await open()
    const bytes = pattern(5_000)
    const received: Uint8Array[] = []

    for (let i = 0; i < 5; i++) {
      peer.send(data(1, bytes.subarray(1_000 * i, 1_000 * i + 500)), data(1, bytes.subarray(1_000 * i + 500, 1_000 * i + 1_000)))

      received.push(await firstOf(stream))

      // nobody reads now
      await turn()
    }

    peer.send(windowUpdate(1, 0, FIN))
    received.push(await bytesOf(stream))
    expect(join(...received)).to.deep.equal(bytes)
  })

  it('broken off by an error in the loop, leaves the stream and its bytes as they are', async () => {
    const { peer, stream } = await open(data(1, 1_000))

    await expect(firstOf(stream, () => {
      throw new Error('cannot use it')
    })).to.eventually.be.rejectedWith('cannot use it')

    expect(stream.status).to.equal('open')
    peer.send(data(1, 500, FIN))
    expect(await bytesOf(stream)).to.deep.equal(pattern(500))
  })

  it('returned before its first pull, takes nothing', async () => {
    const { stream } = await open(data(1, 1_000, FIN))
    const iterator = stream[Symbol.asyncIterator]()

    expect(await iterator.return?.(undefined)).to.have.property('done', true)
    expect(await bytesOf(stream)).to.deep.equal(pattern(1_000))
  })

  it('broken off, leaves later bytes to listeners', async () => {
    const { peer, stream } = await open(data(1, 1_000))
    const lengths: number[] = []

    expect(await firstOf(stream)).to.have.property('byteLength', 1_000)
    stream.addEventListener('message', event => { lengths.push(event.data.byteLength) })
    peer.send(data(1, 500))
    await turn()
    expect(lengths).to.deep.equal([500])
  })

  it('delivers what came before a reset, then throws it', async () => {
    const { peer, stream } = await open(data(1, 1_000))

    peer.send(windowUpdate(1, 0, RST))
    await turn()

    const iterator = stream[Symbol.asyncIterator]()

    expect((await iterator.next()).value).to.have.property('byteLength', 1_000)
    await expect(iterator.next()).to.eventually.be.rejected.with.property('name', 'StreamResetError')
  })

  it('throws a reset that comes while it waits', async () => {
    const { peer, stream } = await open()
    const reading = bytesOf(stream)

    peer.send(windowUpdate(1, 0, RST))
    await expect(reading).to.eventually.be.rejected.with.property('name', 'StreamResetError')
  })

  it('throws the error of our own abort, though bytes were unread', async () => {
    const { stream } = await open(data(1, 1_000))

    stream.abort(new Error('enough'))
    await expect(bytesOf(stream)).to.eventually.be.rejectedWith('enough')
  })

  it('throws the error of our own abort, though the peer had ended what was unread', async () => {
    const { stream } = await open(data(1, 1_000, FIN))

    await turn()
    stream.abort(new Error('enough'))
    await expect(bytesOf(stream)).to.eventually.be.rejectedWith('enough')
    await expect(stream.read()).to.eventually.be.rejectedWith('enough')
  })

  it('throws a limit that took what was unread of a stream that the peer had ended', async () => {
    const setup = muxerAndPeer({ direction: 'inbound', options: { budgets: { unstartedBytes: 300_000 } } })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 200_000, FIN))

    await turn()
    setup.peer.send(windowUpdate(3, 0, SYN), data(3, 150_000))
    await turn()
    await expect(bytesOf(stream)).to.eventually.be.rejected.with.property('name', 'StreamBufferError')
  })

  it('ends without an error, if it is our own abort that comes after all was read', async () => {
    const { stream } = await open(data(1, 1_000, FIN))

    expect(await bytesOf(stream)).to.have.lengthOf(1_000)
    stream.abort(new Error('enough'))
    expect(await bytesOf(stream)).to.have.lengthOf(0)
  })

  it('does not throw for a reset after the FIN: all bytes of the peer were received', async () => {
    const { peer, stream } = await open(data(1, 1_000, FIN))

    peer.send(windowUpdate(1, 0, RST))
    await turn()
    expect(stream.status).to.equal('reset')
    expect(await bytesOf(stream)).to.deep.equal(pattern(1_000))
  })

  it('ends when we close for reading, without an error', async () => {
    const { stream } = await open()
    const reading = bytesOf(stream)

    await stream.closeRead()
    expect(await reading).to.have.property('byteLength', 0)
  })

  it('hears every byte only once when there are listeners too, and so do they', async () => {
    const { peer, stream } = await open()
    let heard = 0

    stream.addEventListener('message', event => { heard += event.data.byteLength })

    const reading = bytesOf(stream)

    for (let i = 0; i < 10; i++) {
      peer.send(data(1, 100))
      await turn()
    }

    peer.send(windowUpdate(1, 0, FIN))
    expect(await reading).to.have.property('byteLength', 1_000)
    expect(heard).to.equal(1_000)
  })

  it('shared by two readers, gives each byte to one of them', async () => {
    const { peer, stream } = await open()
    const readings = Promise.all([bytesOf(stream), bytesOf(stream)])

    for (let i = 0; i < 10; i++) {
      peer.send(data(1, 100))
      await turn()
    }

    peer.send(windowUpdate(1, 0, FIN))

    const [one, other] = await readings

    expect(one.byteLength + other.byteLength).to.equal(1_000)
  })

  it('delivers remoteCloseWrite, end and close as a listener would have them', async () => {
    const { peer, stream } = await open(data(1, 1_000))
    const events = recordEvents(stream, ['remoteCloseWrite', 'end', 'close'])
    const reading = bytesOf(stream)

    peer.send(data(1, 10, FIN))
    await reading
    await stream.close()
    await turn()
    expect(events).to.deep.equal(['remoteCloseWrite', 'end', 'close'])
  })

  it('leaves no listener on the stream', async () => {
    const { stream } = await open(data(1, 1_000, FIN))

    await bytesOf(stream)

    for (const type of ['message', 'close', 'end', 'remoteCloseWrite']) {
      expect(stream.listenerCount(type)).to.equal(0)
    }
  })

  it('gives many small pieces together, so that a loop turns less often', async () => {
    const { peer, stream } = await open()

    for (let i = 0; i < 1_000; i++) {
      peer.send(data(1, 10))
    }

    await turn()
    peer.send(windowUpdate(1, 0, FIN))

    const chunks = await all(stream)

    expect(chunks.length).to.be.below(100)
    expect(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)).to.equal(10_000)
  })

  it('attached while the stream closes, sees everything', async () => {
    const { peer, stream } = await open(data(1, 10))
    const closed = eventOf(stream, 'close')

    stream.close().catch(() => {})
    peer.send(data(1, 20), data(1, 30, FIN))
    await closed
    await until(() => stream.status === 'closed')
    expect((await bytesOf(stream)).byteLength).to.equal(60)
  })
})
