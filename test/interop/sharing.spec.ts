import { expect } from 'aegir/chai'
import { withEveryPeer } from './kit/nodes.ts'
import { echo, readEach, sha256, someBytes, writeAll, writeForever } from './kit/streams.ts'
import type { Pairing } from './kit/nodes.ts'
import type { Stream } from '@libp2p/interface'

const ECHO = '/test/echo/1.0.0'
const SOURCE = '/test/source/1.0.0'
const SINK = '/test/sink/1.0.0'
const WINDOW = 262_144

/** Sends a message, and waits until all of it has come back. */
async function ask (stream: Stream, bytes: Uint8Array): Promise<void> {
  let missing = bytes.byteLength

  const answered = new Promise<void>(resolve => {
    stream.addEventListener('message', function onMessage (event) {
      missing -= event.data.byteLength

      if (missing <= 0) {
        stream.removeEventListener('message', onMessage)
        resolve()
      }
    })
  })

  stream.send(bytes)
  await answered
}

/** Pings until nothing more comes between two of them. */
async function unreadWhenFull (pairing: Pairing, stream: Stream): Promise<number> {
  let before = -1

  while (before !== stream.readBufferLength || before < WINDOW / 2) {
    before = stream.readBufferLength
    await pairing.ourMuxer.ping()
  }

  return before
}

async function connect (pairing: Pairing): Promise<void> {
  for (const node of [pairing.dialer, pairing.listener]) {
    await pairing.handle(node, ECHO, echo)
    await pairing.handle(node, SINK, async stream => readEach(stream, () => {}).catch(() => {}))
    // ended by whoever asked for it
    await pairing.handle(node, SOURCE, async stream => writeForever(stream).catch(() => {}))
  }

  await pairing.connect()
}

withEveryPeer('sharing a connection', pairing => {
  beforeEach(async () => {
    await connect(pairing())
  })

  // of ours only: streams of theirs keep what is not read beside the windows that they go on granting, and reset
  // themselves at 4 MiB (Y8, Y9)
  it('should echo on one stream while a reader of ours is paused on another', async () => {
    const slow = await pairing().open(SOURCE, pairing().ours)

    slow.pause()
    // what negotiates the protocol makes the first bytes flow
    slow.send(Uint8Array.of(0))

    const held = await unreadWhenFull(pairing(), slow)

    // what negotiated the protocol was read, and is not yet answered with credit
    expect(held).to.be.at.most(WINDOW).and.at.least(WINDOW - 1_000)

    const other = await pairing().open(ECHO)

    for (let i = 0; i < 50; i++) {
      await ask(other, someBytes(1_000 + i))
    }

    expect(slow.status).to.equal('open')
    expect(slow.readBufferLength).to.equal(held)
    slow.abort(new Error('enough'))
  })

  it('should go on where a paused reader of ours stopped, and lose nothing', async () => {
    const bytes = someBytes(2_000_000)
    const inbound = new Promise<Stream>((resolve, reject) => {
      pairing().handle(pairing().ours, '/test/paused/1.0.0', resolve).catch(reject)
    })

    const writing = pairing().open('/test/paused/1.0.0', pairing().theirs).then(async stream => writeAll(stream, bytes))
    const stream = await inbound
    const chunks: Uint8Array[] = []

    for await (const chunk of stream) {
      chunks.push(chunk.subarray())
      stream.pause()
      await ask(await pairing().open(ECHO), someBytes(10))
      stream.resume()
    }

    await writing
    expect(sha256(Buffer.concat(chunks))).to.equal(sha256(bytes))
  })

  it('should measure round trips while bulk goes both ways', async () => {
    const bulk = await Promise.all([pairing().open(SINK, pairing().ours), pairing().open(SINK, pairing().theirs)])
    const writing = Promise.allSettled(bulk.map(async stream => writeForever(stream)))

    for (let i = 0; i < 20; i++) {
      expect(await pairing().ourMuxer.ping()).to.be.greaterThan(0)
    }

    expect(pairing().ourMuxer.stats().rtt?.min).to.be.greaterThan(0)
    expect(bulk.map(stream => stream.status)).to.deep.equal(['open', 'open'])

    for (const stream of bulk) {
      stream.abort(new Error('enough'))
    }

    await writing
  })
})

withEveryPeer('keep-alive', pairing => {
  it('should ping again and again, be answered, and answer', async () => {
    await connect(pairing())

    const { ourMuxer } = pairing()
    let asked = 0

    // by pings of our own, that the time to the next keep-alive is not slept through
    while (ourMuxer.stats().pingsSent < asked + 5) {
      await ourMuxer.ping()
      asked++
    }

    expect(ourMuxer.getRTT()).to.be.greaterThan(0)
    // each implementation pings once at least, when a connection begins
    expect(ourMuxer.stats().pingsReceived).to.be.at.least(1)
    expect(ourMuxer.status).to.equal('open')
    expect(pairing().connection.status).to.equal('open')
  })
}, { keepAliveInterval: 20, keepAliveTimeout: 5_000 })
