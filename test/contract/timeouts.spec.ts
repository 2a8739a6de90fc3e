/** What ends by time: keep-alive, idle streams, writers that get no credit. All on a virtual clock. */
import { expect } from 'aegir/chai'
import { SYN, data, pong, windowUpdate } from '../support/frames.ts'
import { inboundStream, muxerAndPeer } from '../support/muxers.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { eventOf, noUnhandledRejections, turn } from '../support/waiting.ts'
import type { YamuxOptions, YamuxStreamOptions } from '../../src/protocols/yamux/config.ts'
import type { Setup, WithPeer } from '../support/muxers.ts'

function withClock (options: YamuxOptions, setup: Setup & { pongs?: boolean } = {}): WithPeer & { clock: VirtualClock } {
  const clock = new VirtualClock()

  return { clock, ...muxerAndPeer({ direction: 'inbound', clock, options, peer: { pongs: setup.pongs }, link: setup.link }) }
}

const withStreamOptions = (streamOptions: YamuxStreamOptions): ReturnType<typeof withClock> => withClock({ streamOptions })

describe('contract: keep-alive', () => {
  noUnhandledRejections()

  const options = { enableKeepAlive: true, keepAliveInterval: 1_000, keepAliveTimeout: 200 }

  it('pings at once, and then at every interval', async () => {
    const { clock, muxer, peer } = withClock(options)

    await turn()
    expect(peer.lines).to.deep.equal(['ping|SYN 0'])
    await clock.advance(999)
    expect(peer.lines).to.deep.equal(['ping|SYN 0'])
    await clock.advance(1)
    expect(peer.lines).to.deep.equal(['ping|SYN 0', 'ping|SYN 1'])
    await clock.advance(10_000)
    expect(muxer.status).to.equal('open')
  })

  it('ends a connection on which nothing comes, with an error on every stream, and the connection under it', async () => {
    const setup = withClock(options)
    const { clock, maConn, muxer, peer } = setup
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const closed = eventOf(stream, 'close')

    peer.pongs = false
    await clock.advance(1_199)
    expect(muxer.status).to.equal('open')
    await clock.advance(1)
    expect(muxer.status).to.equal('closed')

    const { error, local } = await closed

    expect(error).to.include({ name: 'TimeoutError', scope: 'connection', origin: 'transport' })
    expect(error.message).to.include('keepAliveTimeout')
    expect(local).to.be.false()
    expect(maConn.status).to.not.equal('open')
    expect(clock.pending).to.equal(0)
  })

  it('ends a connection that takes nothing any more by aborting what is under it', async () => {
    const { clock, maConn, muxer } = withClock(options, { link: { capacity: 1, manual: true } })
    const aborted = eventOf(maConn, 'close')

    await clock.advance(200)
    expect(muxer.status).to.equal('closed')
    expect(maConn.status).to.equal('closing')
    // the GoAway has a second to be taken: a dead path never takes it
    expect(await aborted).to.have.nested.property('error.name', 'TimeoutError')
    expect(maConn.status).to.equal('aborted')
  })

  it('does not end a connection on which other things come: the pong may be far behind them', async () => {
    const { clock, muxer, peer } = withClock(options, { pongs: false })

    muxer.addEventListener('stream', () => {})
    await turn()
    peer.send(windowUpdate(1, 0, SYN))

    for (let i = 0; i < 50; i++) {
      await clock.advance(100)
      peer.send(data(1, 10))
    }

    expect(muxer.status).to.equal('open')
    expect(peer.lines.filter(line => line.startsWith('ping'))).to.have.length(1)
    await clock.advance(201)
    expect(muxer.status).to.equal('closed')
  })

  it('is off when it is turned off', async () => {
    const { clock, muxer, peer } = withClock({ enableKeepAlive: false }, { pongs: false })

    await clock.advance(10_000_000)
    expect(peer.frames).to.deep.equal([])
    expect(muxer.status).to.equal('open')
    expect(clock.pending).to.equal(0)
  })

  it('measures the round trip', async () => {
    const { clock, maConn, muxer, peer } = withClock({ ...options, keepAliveTimeout: 500 }, { link: { manual: true } })

    expect(muxer.getRTT()).to.equal(0)

    for (const millis of [120, 30]) {
      await turn()
      maConn.flush()
      clock.skip(millis)
      peer.end.flush()
      expect(muxer.getRTT()).to.equal(millis)
      await clock.advance(1_000 - millis)
    }

    expect(muxer.stats().rtt).to.deep.equal({ last: 30, min: 30, smoothed: 120 * 7 / 8 + 30 / 8 })
  })
})

describe('contract: inactivityTimeout', () => {
  noUnhandledRejections()

  it('resets a stream on which nothing happens, with an error, on both sides', async () => {
    const setup = withStreamOptions({ inactivityTimeout: 1_000 })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const closed = eventOf(stream, 'close')

    await setup.clock.advance(999)
    expect(stream.status).to.equal('open')
    await setup.clock.advance(40)

    const { error, local } = await closed

    expect(error).to.include({ name: 'TimeoutError', scope: 'stream', origin: 'local' })
    expect(error.message).to.include('inactivityTimeout')
    expect(local).to.be.true()
    expect(setup.peer.linesOf(1).at(-1)).to.equal('window|RST 1 0')
    expect(setup.muxer.status).to.equal('open')
  })

  for (const [what, act] of [
    ['is received', (setup: WithPeer) => { setup.peer.send(data(1, 1)) }],
    ['is sent', (_: WithPeer, stream: any) => { stream.send(Uint8Array.of(1)) }]
  ] as const) {
    it(`does not reset a stream on which something ${what} in time`, async () => {
      const setup = withStreamOptions({ inactivityTimeout: 1_000 })
      const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

      stream.addEventListener('message', () => {})

      for (let i = 0; i < 10; i++) {
        await setup.clock.advance(900)
        act(setup, stream)
      }

      expect(stream.status).to.equal('open')
      await setup.clock.advance(1_100)
      expect(stream.status).to.equal('aborted')
    })
  }

  it('does not reset a stream because our own reader takes its time', async () => {
    const setup = withStreamOptions({ inactivityTimeout: 1_000 })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), data(1, 10))

    stream.pause()
    await setup.clock.advance(100_000)
    expect(stream.status).to.equal('open')

    stream.addEventListener('message', () => {})
    stream.resume()
    await setup.clock.advance(900)
    expect(stream.status).to.equal('open')
    await setup.clock.advance(200)
    expect(stream.status).to.equal('aborted')
  })

  for (const never of [0, Infinity]) {
    it(`of ${never} is none`, async () => {
      const setup = withStreamOptions({ inactivityTimeout: never })
      const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

      await setup.clock.advance(10_000_000)
      expect(stream.status).to.equal('open')
      expect(setup.clock.pending).to.equal(0)
    })
  }

  it('set on the stream holds from then on, shorter or longer', async () => {
    const setup = withStreamOptions({})
    const shorter = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const longer = await inboundStream(setup, windowUpdate(3, 0, SYN))

    shorter.inactivityTimeout = 1_000
    longer.inactivityTimeout = 300_000
    await setup.clock.advance(1_100)
    expect(shorter.status).to.equal('aborted')
    await setup.clock.advance(200_000)
    expect(longer.status).to.equal('open')
    await setup.clock.advance(110_000)
    expect(longer.status).to.equal('aborted')
  })

  it('is 120 seconds unless told', async () => {
    const setup = withStreamOptions({})
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    expect(stream.inactivityTimeout).to.equal(120_000)
    await setup.clock.advance(119_999)
    expect(stream.status).to.equal('open')
    await setup.clock.advance(4_000)
    expect(stream.status).to.equal('aborted')
  })
})

describe('contract: writeStallTimeout', () => {
  noUnhandledRejections()

  it('resets a stream that has bytes to send and gets no credit', async () => {
    const setup = withStreamOptions({ writeStallTimeout: 1_000 })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
    const closed = eventOf(stream, 'close')

    stream.send(new Uint8Array(300_000))
    await setup.clock.advance(900)
    expect(stream.status).to.equal('open')
    await setup.clock.advance(200)

    const { error } = await closed

    expect(error).to.include({ name: 'TimeoutError', scope: 'stream', origin: 'local' })
    expect(error.message).to.include('writeStallTimeout')
  })

  it('does not reset a stream that gets a little credit now and then', async () => {
    const setup = withStreamOptions({ writeStallTimeout: 1_000 })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    stream.send(new Uint8Array(300_000))

    for (let i = 0; i < 20; i++) {
      await setup.clock.advance(900)
      setup.peer.send(windowUpdate(1, 100))
    }

    expect(stream.status).to.equal('open')
  })

  it('does not reset a stream that has nothing to send', async () => {
    const setup = withStreamOptions({ writeStallTimeout: 1_000 })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    stream.send(new Uint8Array(262_144))
    await setup.clock.advance(10_000)
    expect(stream.status).to.equal('open')
    expect(stream.stats().sendWindow).to.equal(0)
  })

  it('ends the close() of a stream that waits for credit', async () => {
    const setup = withStreamOptions({ writeStallTimeout: 1_000 })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    stream.send(new Uint8Array(300_000))

    const closing = stream.close()

    closing.catch(() => {})
    await setup.clock.advance(1_100)
    await expect(closing).to.eventually.be.rejected.with.property('name', 'TimeoutError')
  })
})

describe('contract: time limits while the process is held up', () => {
  noUnhandledRejections()

  /** Time passes, and nothing is done in it; then timers ring, and behind them what the peer sent meanwhile is read. */
  async function hold ({ clock, peer }: ReturnType<typeof withClock>, millis: number, ...frames: Uint8Array[]): Promise<void> {
    clock.onRung = () => {
      if (frames.length > 0) {
        peer.send(...frames.splice(0))
      }
    }

    clock.skip(millis)
    await clock.advance(0)
  }

  it('cut no connection on which the answer waits to be read', async () => {
    const setup = withClock({ enableKeepAlive: true, keepAliveInterval: 1_000, keepAliveTimeout: 200 }, { pongs: false })

    await turn()
    await hold(setup, 600, pong(0))
    expect(setup.muxer.status).to.equal('open')
  })

  it('cut a connection on which there is nothing to be read', async () => {
    const setup = withClock({ enableKeepAlive: true, keepAliveInterval: 1_000, keepAliveTimeout: 200 }, { pongs: false })

    await turn()
    await hold(setup, 600)
    expect(setup.muxer.status).to.equal('closed')
    expect(setup.clock.pending).to.equal(0)
  })

  it('reset no stream for which credit waits to be read', async () => {
    const setup = withStreamOptions({ writeStallTimeout: 1_000 })
    const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))

    stream.send(new Uint8Array(300_000))
    await turn()
    await hold(setup, 2_000, windowUpdate(1, 100_000))
    expect(stream.status).to.equal('open')
    expect(stream.writeBufferLength).to.equal(0)
  })

  it('leave nothing behind when the connection is closed before they are judged', async () => {
    const setup = withClock({ enableKeepAlive: true, keepAliveInterval: 1_000, keepAliveTimeout: 200 }, { pongs: false })
    const error = new Error('enough')

    await turn()
    setup.clock.onRung = () => { setup.muxer.abort(error) }
    setup.clock.skip(600)
    await setup.clock.advance(0)
    expect(setup.maConn.aborted).to.equal(error)
    expect(setup.clock.pending).to.equal(0)
    expect(setup.maConn.listeners).to.equal(0)
  })
})
