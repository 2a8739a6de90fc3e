/** What happens on each kind of frame: the table of the faults of @libp2p/yamux 8.0.3, row by row, and what we do instead. */
import { expect } from 'aegir/chai'
import all from 'it-all'
import { Uint8ArrayList } from 'uint8arraylist'
import { ACK, DATA, FIN, PING, RST, SYN, data, frame, goAway, join, pattern, ping, pong, windowUpdate } from '../support/frames.ts'
import { countReachable } from '../support/garbage.ts'
import { inboundStream, muxerAndPeer } from '../support/muxers.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { eventOf, noUnhandledRejections, outcomeOf, turn, until } from '../support/waiting.ts'
import type { YamuxOptions } from '../../src/protocols/yamux/config.ts'
import type { WithPeer } from '../support/muxers.ts'

const MIB = 1_048_576

function listening (options?: YamuxOptions): WithPeer {
  const setup = muxerAndPeer({ direction: 'inbound', options, clock: new VirtualClock() })

  setup.muxer.addEventListener('stream', () => {})

  return setup
}

/** The connection under the muxer is over, and the peer was told why as the last thing. */
async function endedWith ({ muxer, maConn, peer }: WithPeer, code: number): Promise<void> {
  await until(() => maConn.status !== 'open' && maConn.status !== 'closing')
  expect(muxer.status).to.equal('closed')
  expect(peer.goAways).to.deep.equal([code])
  expect(peer.lines.at(-1)).to.equal(`goaway ${code}`)
  expect(peer.framesAtEnd).to.equal(peer.frames.length)
}

describe('faults: frames that @libp2p/yamux answers wrongly', () => {
  noUnhandledRejections()

  it('SYN over maxInboundStreams: an RST each, but not for ever', async () => {
    const setup = listening({ maxInboundStreams: 5, budgets: { refusals: 100 } })
    const { muxer, peer } = setup

    for (let i = 0; i < 50; i++) {
      peer.send(windowUpdate(2 * i + 1, 0, SYN))
    }

    await turn()
    expect(muxer.streams).to.have.length(5)
    expect(peer.lines.filter(line => line.startsWith('window|RST'))).to.have.length(45)
    expect(muxer.status).to.equal('open')

    for (let i = 50; i < 2_000 && peer.end.status === 'open'; i++) {
      peer.send(windowUpdate(2 * i + 1, 0, SYN))
      await turn()
    }

    expect(peer.lines.filter(line => line.startsWith('window|RST'))).to.have.length(100)
    await endedWith(setup, 1)
  })

  for (const [what, behind] of Object.entries({
    'a reset': [windowUpdate(1, 0, RST)],
    'an end and a reset': [windowUpdate(1, 0, FIN), windowUpdate(1, 0, RST)],
    'GoAway with an error': [goAway(2)],
    'data beyond the window': [data(1, 300_000)],
    'what is no frame': [new Uint8Array(12).fill(255)]
  })) {
    it(`data and ${what} in one delivery: who sends back what comes is not thrown at`, async () => {
      const setup = muxerAndPeer({ direction: 'inbound' })
      const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
      const closed = eventOf(stream, 'close')
      const answers: boolean[] = []
      let heard = ''

      stream.addEventListener('message', ({ data }) => {
        answers.push(stream.send(data))
        stream.pause()
        stream.resume()

        if (what !== 'an end and a reset') {
          // what the peer has ended is whole, and would be read again
          stream.push(data)
        }

        heard += 'message '
      })
      stream.addEventListener('end', () => { answers.push(stream.send(Uint8Array.of(1))) })
      setup.peer.send(join(data(1, 10), ...behind))
      await closed
      expect(heard).to.equal('message ')
      expect(answers).to.deep.equal([false, false])
      expect(() => stream.send(Uint8Array.of(1))).to.throw().with.property('name', 'StreamStateError')
      expect(() => { stream.pause() }).to.throw().with.property('name', 'StreamStateError')
      await expect(stream.onDrain()).to.eventually.be.rejected()
    })
  }

  for (const [what, behind] of Object.entries({ 'GoAway with an error': [goAway(2)], 'what is no frame': [new Uint8Array(12).fill(255)] })) {
    it(`a stream that the peer has ended, and ${what} in one delivery: it is there to be accepted`, async () => {
      const setup = muxerAndPeer({ direction: 'inbound' })
      const accepting = setup.muxer.acceptStream()

      setup.peer.send(join(windowUpdate(1, 0, SYN), data(1, 10, FIN), windowUpdate(3, 0, SYN), data(3, 'whole', FIN), windowUpdate(5, 0, SYN), data(5, 10), ...behind))
      await accepting

      const stream = await setup.muxer.acceptStream()

      expect(new TextDecoder().decode(await stream.read() ?? undefined)).to.equal('whole')
      expect(await stream.read()).to.equal(null)
      await expect(setup.muxer.acceptStream()).to.eventually.be.rejected()
    })
  }

  it('what came in front of a reset of our own is followed by an error for who sends all the same', async () => {
    const setup = muxerAndPeer({ direction: 'inbound' })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    stream.abort(new Error('enough'))
    expect(() => stream.send(Uint8Array.of(1))).to.throw().with.property('name', 'StreamStateError')
  })

  it('rapid SYN and RST: a budget ends it', async () => {
    const setup = listening({ budgets: { resets: 1_000 } })
    const { peer } = setup
    let opened = 0

    while (peer.end.status === 'open' && opened < 20_000) {
      const id = 2 * opened++ + 1

      peer.send(windowUpdate(id, 0, SYN), windowUpdate(id, 0, RST))
      await turn()
    }

    expect(opened).to.be.within(1_000, 1_002)
    await endedWith(setup, 1)
  })

  it('more early streams than allowed: the connection under the muxer ends too, no zombie', async () => {
    const setup = muxerAndPeer({ direction: 'inbound', options: { maxEarlyStreams: 256 } })

    for (let i = 0; i < 257; i++) {
      setup.peer.send(windowUpdate(2 * i + 1, 0, SYN))
    }

    await endedWith(setup, 2)
    expect(setup.muxer.streams).to.deep.equal([])
  })

  it('data and credit for streams that never were: ignored, and counted', async () => {
    const setup = listening({ budgets: { unknownStreams: 100 } })
    const { muxer, peer } = setup

    for (let i = 0; i < 49; i++) {
      peer.send(data(1_001, 100), windowUpdate(1_003, 100))
    }

    await turn()
    expect(muxer.status).to.equal('open')
    expect(peer.frames).to.deep.equal([])

    for (let i = 0; i < 2; i++) {
      peer.send(data(1_001, 100), windowUpdate(1_003, 100))
    }

    await endedWith(setup, 1)
  })

  it('a stream id that is not the peer\'s to open: GoAway with a protocol error, then the end', async () => {
    const setup = listening()

    setup.peer.send(windowUpdate(2, 0, SYN))
    await endedWith(setup, 1)
  })

  it('a second SYN for an open stream: GoAway with a protocol error, not a frame for the first', async () => {
    const setup = listening()
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const closed = eventOf(stream, 'close')

    setup.peer.send(data(1, 10, SYN))
    expect(await closed).to.have.nested.property('error.name', 'ProtocolError')
    expect(stream.readBufferLength).to.equal(0)
    await endedWith(setup, 1)
  })

  it('more than the window: judged by the header alone, before a byte of the body came', async () => {
    const setup = listening()

    await inboundStream(setup, windowUpdate(1, 0, SYN))
    setup.peer.send(frame({ type: DATA, streamId: 1, length: 262_145 }))
    await endedWith(setup, 1)
  })

  it('the largest length there is, on an open stream: judged by the header', async () => {
    const setup = listening()

    await inboundStream(setup, windowUpdate(1, 0, SYN))
    setup.peer.send(frame({ type: DATA, streamId: 1, length: 2 ** 32 - 1 }))
    await endedWith(setup, 1)
  })

  it('the largest length there is, for a stream that is not: nothing of it is kept', async () => {
    const { muxer, peer } = listening()
    const refs: Array<WeakRef<object>> = []

    peer.end.send(frame({ type: DATA, streamId: 1_001, length: 2 ** 32 - 1 }))

    for (let i = 0; i < 32; i++) {
      const megabyte = new Uint8Array(MIB)

      refs.push(new WeakRef(megabyte.buffer))
      peer.end.sends.length = 0
      peer.end.send(megabyte)
      await turn()
    }

    peer.end.sends.length = 0
    expect(muxer.status).to.equal('open')
    // the last delivery may still be on somebody's stack
    expect(await countReachable(refs)).to.be.at.most(1)
  })

  it('frames behind the body of a stream that is not are heard', async () => {
    const { muxer, peer } = listening()

    peer.send(data(1_001, 100_000), ping(5))
    await turn()
    expect(peer.lines).to.deep.equal(['ping|ACK 5'])
    expect(muxer.status).to.equal('open')
  })

  it('a wrong version: GoAway with a protocol error, then the end', async () => {
    const setup = listening()

    setup.peer.send(frame({ version: 1, type: PING, flags: SYN }))
    await endedWith(setup, 1)
  })

  it('an unknown type: GoAway with a protocol error, then the end', async () => {
    const setup = listening()

    setup.peer.send(frame({ type: 4 }))
    await endedWith(setup, 1)
  })

  it('a flood of pings: one pong each, until the budget is used up', async () => {
    const setup = listening({ budgets: { pings: 100 } })

    for (let i = 0; i < 100; i++) {
      setup.peer.send(ping(i))
    }

    await turn()
    expect(setup.peer.lines).to.deep.equal(Array.from({ length: 100 }, (_, i) => `ping|ACK ${i}`))
    setup.peer.send(ping(100))
    await endedWith(setup, 1)
  })

  it('an unsolicited pong: harmless', async () => {
    const { muxer, peer } = listening()

    peer.send(pong(77), pong(77))
    await turn()
    expect(muxer.status).to.equal('open')
    expect(peer.goAways).to.deep.equal([])
  })

  it('a pong after its ping was given up: harmless', async () => {
    const { muxer, peer } = muxerAndPeer({ peer: { pongs: false } })
    const controller = new AbortController()
    const pinging = muxer.ping({ signal: controller.signal })
    const { length } = await peer.hears('ping|SYN')

    controller.abort()
    await expect(pinging).to.eventually.be.rejected.with.property('name', 'AbortError')
    peer.send(pong(length))
    await turn()

    expect(muxer.status).to.equal('open')
    peer.pongs = true
    expect(await muxer.ping()).to.be.at.least(0)
  })

  it('half-close: each side may go on after the end of the other', async () => {
    const setup = listening()
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), windowUpdate(1, 0, FIN))

    await until(() => stream.remoteWriteStatus === 'closed')
    stream.send(pattern(1_000))
    await stream.close()
    await turn()

    expect(setup.peer.received(1)).to.deep.equal(pattern(1_000))
    expect(setup.peer.linesOf(1).at(-1)).to.equal('window|FIN 1 +0')
    expect(stream.status).to.equal('closed')
  })

  it('a data frame with FIN and payload: the payload comes before the end', async () => {
    const setup = listening()
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 1_000, FIN))

    expect(new Uint8ArrayList(...await all(stream)).subarray()).to.deep.equal(pattern(1_000))
  })

  it('a data frame with FIN and payload, after our own end: not dropped', async () => {
    const setup = listening()
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    await stream.close()
    setup.peer.send(data(1, 1_000, FIN))
    await until(() => stream.status === 'closed')

    expect(new Uint8ArrayList(...await all(stream)).subarray()).to.deep.equal(pattern(1_000))
  })

  it('a data frame with SYN, FIN and payload: a whole stream in one frame', async () => {
    const setup = listening()
    const stream = await inboundStream(setup, data(1, 1_000, SYN | FIN))

    expect(new Uint8ArrayList(...await all(stream)).subarray()).to.deep.equal(pattern(1_000))
  })

  it('GoAway(0): streams go on, and when the last has ended so does the connection under the muxer', async () => {
    const setup = listening()
    const { maConn, muxer, peer } = setup
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    peer.send(goAway(0))
    await turn()
    expect(stream.status).to.equal('open')
    expect(maConn.status).to.equal('open')
    await expect(muxer.createStream()).to.eventually.be.rejected.with.property('name', 'MuxerClosedError')

    stream.send(pattern(1_000))
    await stream.close()
    peer.send(data(1, 1_000, FIN))
    expect(new Uint8ArrayList(...await all(stream)).subarray()).to.deep.equal(pattern(1_000))
    expect(stream.status).to.equal('closed')
    await endedWith(setup, 0)
  })

  it('GoAway(1): every stream ends with an error that says so, unanswered, and the connection ends', async () => {
    const setup = listening()
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const closed = eventOf(stream, 'close')

    await turn()
    setup.peer.frames.length = 0
    setup.peer.send(goAway(1))

    const event = await closed

    expect(event.error).to.include({ name: 'GoAwayError', code: 1, scope: 'connection', origin: 'remote' })
    expect(event.local).to.be.false()
    await until(() => setup.maConn.status === 'closed')
    expect(setup.muxer.status).to.equal('closed')
    expect(setup.peer.frames).to.deep.equal([])
  })

  it('credit beyond 32 bits: GoAway with a protocol error', async () => {
    const setup = listening()

    await inboundStream(setup, windowUpdate(1, 0, SYN))
    setup.peer.send(windowUpdate(1, 2 ** 32 - 1))
    await endedWith(setup, 1)
  })

  it('credit up to 32 bits: taken', async () => {
    const setup = listening()
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    setup.peer.send(windowUpdate(1, 2 ** 32 - 1 - 262_144))
    await turn()
    expect(setup.muxer.status).to.equal('open')
    expect(stream.stats().sendWindow).to.equal(2 ** 32 - 1)
  })

  it('ACK in any place, or in none: any frame acknowledges', async () => {
    const { muxer, peer } = muxerAndPeer()
    const streams = await Promise.all(Array.from({ length: 256 }, async () => muxer.createStream()))
    const waiting = muxer.createStream()

    await turn()
    expect(await outcomeOf(waiting)).to.equal('pending')
    peer.send(join(data(1, 10), data(3, 10, ACK)))
    expect(await waiting).to.have.property('id', '513')
    expect(streams[0].readBufferLength).to.equal(10)
    expect((await muxer.createStream()).id).to.equal('515')
  })
})
