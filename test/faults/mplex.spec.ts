/** The faults of @libp2p/mplex 12.0.32, one after the other, and that ours does not have them. */
import { expect } from 'aegir/chai'
import { Streams } from '../../src/core/stream-table.ts'
import { mplex } from '../../src/mplex.ts'
import { join } from '../support/frames.ts'
import { memoryLink } from '../support/memory-link.ts'
import { MessageReader, close, data, header, message, messageLine, open, reset } from '../support/mplex-frames.ts'
import { eventOf, noUnhandledRejections, turn, until } from '../support/waiting.ts'
import type { MuxedConnection, MuxedStream } from '../../src/mplex.ts'
import type { MplexOptions } from '../../src/protocols/mplex/config.ts'
import type { MemoryEnd } from '../support/memory-link.ts'

const MIB = 1_048_576

interface WithPeer {
  muxer: MuxedConnection
  maConn: MemoryEnd
  heard: string[]
  say(...messages: Uint8Array[]): Promise<void>
}

/** One of our muxers, which listens, and a peer that says what the test wants. */
function withPeer (options?: MplexOptions): WithPeer {
  const { inbound, outbound } = memoryLink()
  const heard: string[] = []
  const reader = new MessageReader()

  outbound.addEventListener('message', event => {
    heard.push(...reader.push(event.data.subarray()).map(messageLine))
  })

  return {
    muxer: mplex(options)().createStreamMuxer(inbound) as MuxedConnection,
    maConn: inbound,
    heard,
    async say (...messages) {
      outbound.send(join(...messages))
      await turn()
    }
  }
}

function listening (options?: MplexOptions): WithPeer {
  const peer = withPeer(options)

  peer.muxer.addEventListener('stream', () => {})

  return peer
}

async function inboundStream ({ muxer, say }: WithPeer, id: number): Promise<MuxedStream> {
  const stream = eventOf<CustomEvent<MuxedStream>>(muxer, 'stream')

  await say(open(id))

  return (await stream).detail
}

describe('faults: @libp2p/mplex', () => {
  noUnhandledRejections()

  it('maxInboundStreams is ignored there: it holds, and what is beyond it is reset', async () => {
    const { muxer, heard, say } = listening({ maxInboundStreams: 5 })

    await say(...Array.from({ length: 8 }, (_, id) => open(id)))
    expect(muxer.streams).to.have.lengthOf(5)
    expect(heard).to.deep.equal(['reset-receiver 5', 'reset-receiver 6', 'reset-receiver 7'])
    expect(muxer.status).to.equal('open')
  })

  it('disconnectThreshold closes the connection over six streams in a second: no number of them does', async () => {
    const { muxer, maConn, say } = listening({ disconnectThreshold: 5 })

    for (let id = 0; id < 1_000; id++) {
      await say(open(id), close.opener(id))
    }

    expect(muxer.streams).to.have.lengthOf(1_000)
    expect([muxer.status, maConn.status]).to.deep.equal(['open', 'open'])
  })

  it('six messages for streams that are gone close the connection (js-libp2p 1925): they are ignored', async () => {
    const peer = listening()
    const stream = await inboundStream(peer, 0)

    stream.abort(new Error('enough'))

    for (let i = 0; i < 1_000; i++) {
      await peer.say(data.opener(0, 10))
    }

    await peer.say(close.opener(0), data.accepter(77, 5), reset.accepter(99))
    expect(peer.muxer.status).to.equal('open')
  })

  it('a connection that is closed over a limit stays open underneath: it ends too, no zombie', async () => {
    const { muxer, maConn, say } = listening({ budgets: { emptyFrames: 3 } })

    await say(open(0), ...new Array(5).fill(message(2, 0)))
    await until(() => maConn.status !== 'open' && maConn.status !== 'closing')
    expect(muxer.status).to.equal('closed')
    expect(maConn.listeners).to.equal(0)
  })

  it('more early streams than allowed: the connection under the muxer ends too, no zombie', async () => {
    const { muxer, maConn, say } = withPeer({ maxEarlyStreams: 256 })

    await say(...Array.from({ length: 257 }, (_, id) => open(id)))
    await until(() => maConn.status !== 'open' && maConn.status !== 'closing')
    expect(muxer.status).to.equal('closed')
    expect(muxer.streams).to.deep.equal([])
  })

  it('a thousand streams that come before anybody listens are there for who does', async () => {
    const { muxer, say } = withPeer()
    const ids: string[] = []

    await say(...Array.from({ length: 1_000 }, (_, id) => open(id)))
    muxer.addEventListener('stream', ({ detail }) => { ids.push(detail.id) })
    await turn()
    expect(ids).to.have.lengthOf(1_000)
  })

  it('streams beyond the backlog are reset, and the others go on', async () => {
    const { inbound, outbound } = memoryLink()
    const heard: string[] = []
    const muxer = await mplex({ acceptBacklog: 2 })().multiplex(inbound)

    outbound.addEventListener('message', event => { heard.push(...new MessageReader().push(event.data.subarray()).map(messageLine)) })
    outbound.send(join(open(0), open(1), open(2), data.opener(1, 'hello')))
    await turn()
    expect(heard).to.deep.equal(['reset-receiver 2'])

    const [first, second] = [await muxer.acceptStream(), await muxer.acceptStream()]

    expect(first.id).to.equal('r0')
    expect(new TextDecoder().decode(await second.read() ?? undefined)).to.equal('hello')
  })

  it('an undefined flag is "not enough data" for ever: it ends the connection with an error', async () => {
    const peer = listening()
    const stream = await inboundStream(peer, 0)
    const closed = eventOf(stream, 'close')

    await peer.say(message(7, 0, 'x'))
    expect((await closed).error).to.have.property('name', 'ProtocolError')
    await until(() => peer.maConn.status !== 'open' && peer.maConn.status !== 'closing')
  })

  it('ids above 2²⁸ are truncated, so that two streams are one: each keeps its own', async () => {
    const peer = listening()
    const ids = [1, 2 ** 28 + 1, 2 ** 32 + 1, 2n ** 53n + 1n, 2n ** 59n + 1n]

    await peer.say(...ids.map(id => open(id)), data.opener(ids[4], 'last'))
    expect(peer.muxer.streams.map(stream => stream.id)).to.deep.equal(ids.map(id => `r${id}`))
    expect(peer.muxer.streams.map(stream => stream.readBufferLength)).to.deep.equal([0, 0, 0, 0, 4])
  })

  it('an id that has no end is not judged: it ends the connection', async () => {
    const peer = listening()

    await peer.say(new Uint8Array(20).fill(0xff))
    expect(peer.muxer.status).to.equal('closed')
  })

  it('a message is buffered whole before any of it is read: what has arrived is delivered', async () => {
    const peer = listening()
    const stream = await inboundStream(peer, 0)
    let received = 0

    stream.addEventListener('message', event => { received += event.data.byteLength })
    await peer.say(header(2, 0, MIB))

    for (let at = 0; at < MIB; at += 65_536) {
      await peer.say(new Uint8Array(65_536))
      expect(received).to.equal(at + 65_536)
    }
  })

  it('a paused reader is reset at 4 MiB there as here, as mplex knows no other way: the error names the option, and the others go on', async () => {
    const peer = listening()
    const slow = await inboundStream(peer, 0)
    const other = await inboundStream(peer, 1)

    slow.pause()

    for (let i = 0; i < 4; i++) {
      await peer.say(data.opener(0, MIB))
    }

    expect(slow.status).to.equal('open')

    const closed = eventOf(slow, 'close')

    await peer.say(data.opener(0, 1), data.opener(1, 'alive'))

    const { error } = await closed

    expect(error).to.have.property('name', 'StreamBufferError')
    expect(error.message).to.include('option maxStreamBufferSize')
    expect(peer.heard).to.deep.equal(['reset-receiver 0'])
    expect(other.readBufferLength).to.equal(5)
    expect(peer.muxer.status).to.equal('open')
  })

  it('a delivery larger than a buffer resets the stream of a reader that keeps up: those who listen hear of every 128 KiB', async () => {
    const peer = listening({ maxStreamBufferSize: 131_072 })
    const streams = [await inboundStream(peer, 0), await inboundStream(peer, 1)]
    const received = streams.map(() => 0)

    for (const [index, stream] of streams.entries()) {
      stream.addEventListener('message', ({ data }) => {
        received[index] += data.byteLength
      })
    }

    await peer.say(data.opener(0, MIB), data.opener(1, MIB), data.opener(0, MIB), close.opener(1))
    expect(received).to.deep.equal([2 * MIB, MIB])
    expect(streams.map(({ status }) => status)).to.deep.equal(['open', 'open'])
    expect(streams.map(({ remoteWriteStatus }) => remoteWriteStatus)).to.deep.equal(['writable', 'closed'])
  })

  it('a listener that ends the connection amid a delivery hears no more of it', async () => {
    const peer = listening()
    const stream = await inboundStream(peer, 0)
    let received = 0

    stream.addEventListener('message', ({ data }) => {
      received += data.byteLength
      peer.muxer.abort(new Error('enough'))
    })

    await peer.say(data.opener(0, MIB), data.opener(0, MIB), new Uint8Array(100).fill(255))
    expect(received).to.be.below(MIB)
    expect(stream.status).to.equal('aborted')
    expect([peer.muxer.status, peer.maConn.status]).to.deep.equal(['closed', 'aborted'])
  })

  it('every incomplete header is a RangeError thrown and caught (lodestar 3467): none is thrown', async () => {
    const peer = listening()
    const { RangeError: original } = globalThis
    let thrown = 0

    globalThis.RangeError = class extends original {
      constructor (...args: any[]) {
        super(...args)
        thrown++
      }
    } as RangeErrorConstructor

    try {
      for (const byte of join(open(2n ** 50n), data.opener(2n ** 50n, 100))) {
        await peer.say(Uint8Array.of(byte))
      }
    } finally {
      globalThis.RangeError = original
    }

    expect(thrown).to.equal(0)
    expect(peer.muxer.streams[0].readBufferLength).to.equal(100)
  })

  it('the stream of a message is looked for among all: ten thousand streams are never gone through', async () => {
    const peer = listening({ maxInboundStreams: Infinity })
    const { values } = Streams.prototype
    let listed = 0

    await peer.say(...Array.from({ length: 10_000 }, (_, id) => open(id)))

    const { table } = (peer.muxer.engine as unknown as { connection: { table: unknown } }).connection

    // the one way to go through all streams, also for the list of them that the muxer gives out; muxers of other tests may live on
    Streams.prototype.values = function () {
      listed += this === table ? 1 : 0

      return values.call(this)
    }

    try {
      for (let id = 0; id < 10_000; id += 100) {
        await peer.say(data.opener(id, 'x'), close.opener(id), data.accepter(id, 'unknown'))
      }
    } finally {
      Streams.prototype.values = values
    }

    expect(listed).to.equal(0)
    expect(peer.muxer.stats().bytesReceived).to.equal(100)
  })
})
