/** `push()` and `unshift()`: bytes that were read too far, or come from elsewhere, are read again in their place. */
import { StreamMessageEvent } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { expect } from 'aegir/chai'
import all from 'it-all'
import { Uint8ArrayList } from 'uint8arraylist'
import { FIN, RST, SYN, data, join, windowUpdate } from '../support/frames.ts'
import { inboundStream, muxerAndPeer } from '../support/muxers.ts'
import { eventOf, noUnhandledRejections, turn, until } from '../support/waiting.ts'
import type { MuxedStream } from '../../src/connection/stream.ts'
import type { WithPeer } from '../support/muxers.ts'

async function open (...frames: Uint8Array[]): Promise<WithPeer & { stream: MuxedStream }> {
  const setup = muxerAndPeer({ direction: 'inbound' })
  const stream = await inboundStream(setup, windowUpdate(1, 0, SYN), ...frames)

  await turn()

  return { ...setup, stream }
}

async function textOf (stream: MuxedStream): Promise<string> {
  return new TextDecoder().decode(new Uint8ArrayList(...await all(stream)).subarray())
}

function bytes (text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

describe('contract: push and unshift', () => {
  noUnhandledRejections()

  for (const [what, frames] of [
    ['in one delivery with the end', [join(data(1, 'headbody'), windowUpdate(1, 0, FIN))]],
    ['in one delivery with the end and a reset', [join(data(1, 'headbody'), windowUpdate(1, 0, FIN), windowUpdate(1, 0, RST))]],
    ['in two deliveries', [data(1, 'head'), data(1, 'body', FIN)]]
  ] as const) {
    it(`unshift() by who is handed the last bytes of a stream that both have ended, ${what}, loses nothing`, async () => {
      const { peer, stream } = await open()
      const ended = eventOf(stream, 'end')
      let text = ''

      await stream.close()
      stream.addEventListener('message', event => {
        // a byte at a time
        text += new TextDecoder().decode(event.data.subarray(0, 1))
        stream.unshift(event.data.subarray(1))
      })
      peer.send(...frames)
      await ended
      expect(text).to.equal('headbody')
      expect(stream.readStatus).to.equal('closed')
    })
  }

  it('unshift() puts bytes in front of what is unread, push() behind it', async () => {
    const { peer, stream } = await open(data(1, 'middle '))

    stream.unshift(bytes('before '))
    stream.push(bytes('behind '))
    expect(stream.readBufferLength).to.equal(21)
    peer.send(data(1, 'last', FIN))
    expect(await textOf(stream)).to.equal('before middle behind last')
  })

  it('several times, each in its place', async () => {
    const { peer, stream } = await open(data(1, 'c '))

    stream.unshift(bytes('b '))
    stream.push(bytes('d '))
    stream.unshift(new Uint8ArrayList(bytes('a'), bytes(' ')))
    stream.push(bytes('e '))
    peer.send(data(1, 'f', FIN))
    expect(await textOf(stream)).to.equal('a b c d e f')
  })

  it('of nothing is nothing', async () => {
    const { stream } = await open()

    stream.push(new Uint8Array(0))
    stream.unshift(new Uint8Array(0))
    expect(stream.readBufferLength).to.equal(0)
  })

  it('are delivered to listeners by the end of the tick', async () => {
    const { stream } = await open()
    const lengths: number[] = []

    stream.addEventListener('message', event => { lengths.push(event.data.byteLength) })
    stream.push(bytes('pushed'))
    expect(lengths).to.deep.equal([])
    await Promise.resolve()
    expect(lengths).to.deep.equal([6])
  })

  it('wait while the stream is paused', async () => {
    const { stream } = await open()
    const lengths: number[] = []

    stream.addEventListener('message', event => { lengths.push(event.data.byteLength) })
    stream.pause()
    stream.push(bytes('pushed'))
    await turn()
    expect(lengths).to.deep.equal([])
    stream.resume()
    expect(lengths).to.deep.equal([6])
  })

  it('wake an iterator that waits', async () => {
    const { stream } = await open()
    const next = stream[Symbol.asyncIterator]().next()

    await turn()
    stream.push(bytes('pushed'))
    expect((await next).value).to.have.property('byteLength', 6)
  })

  it('by a listener that took too much, are for the next listener', async () => {
    const { peer, stream } = await open()
    const texts: string[] = []
    const first = (event: any): void => {
      stream.removeEventListener('message', first)
      stream.unshift(event.data.subarray(5))
    }

    stream.addEventListener('message', first)
    peer.send(data(1, 'head body'), data(1, ' tail'))
    await turn()
    expect(stream.readBufferLength).to.equal(9)
    stream.addEventListener('message', event => { texts.push(new TextDecoder().decode(event.data.subarray())) })
    await turn()
    expect(texts.join('')).to.equal('body tail')
  })

  it('by a listener that waits for more, are given to it again with what came since, and the event loop turns meanwhile', async () => {
    const { peer, stream } = await open()
    const lengths = new Set<number>()
    const whole = new Promise<string>(resolve => {
      stream.addEventListener('message', ({ data }) => {
        lengths.add(data.byteLength)

        if (data.byteLength < 10) {
          stream.unshift(data)
        } else {
          resolve(new TextDecoder().decode(data.subarray()))
        }
      })
    })

    for (const part of ['ab', 'cde', 'fghij']) {
      peer.send(data(1, part))

      for (let i = 0; i < 5; i++) {
        await turn()
      }
    }

    expect(await whole).to.equal('abcdefghij')
    expect([...lengths]).to.deep.equal([2, 5, 10])
  })

  it('again and again later in the same turn, too, let the event loop turn', async () => {
    const { peer, stream } = await open()
    let calls = 0
    let done = false

    stream.addEventListener('message', ({ data }) => {
      calls++
      queueMicrotask(() => {
        if (!done) {
          stream.unshift(data)
        }
      })
    })
    peer.send(data(1, 'half of it'))

    for (let i = 0; i < 3; i++) {
      await turn()
    }

    done = true
    expect(calls).to.be.within(1, 20)
  })

  it('are there after the FIN of the remote, too, as long as our side reads', async () => {
    const { stream } = await open(data(1, 'all', FIN))
    const [chunk] = await all(stream)

    stream.unshift(chunk.subarray(1))
    expect(await textOf(stream)).to.equal('ll')
  })

  it('are refused once our side reads no more', async () => {
    const { stream } = await open()

    await stream.closeRead()
    expect(() => { stream.push(bytes('late')) }).to.throw().with.property('name', 'StreamStateError')
    expect(() => { stream.unshift(bytes('late')) }).to.throw().with.property('name', 'StreamStateError')
  })

  it('are refused once the stream is over', async () => {
    const { peer, stream } = await open()

    peer.send(windowUpdate(1, 0, RST))
    await turn()
    expect(() => { stream.push(bytes('late')) }).to.throw().with.property('name', 'StreamStateError')
    expect(() => { stream.pause() }).to.throw().with.property('name', 'StreamStateError')
    // who paused it for some work comes back when that is done
    stream.resume()
  })

  it('of a read that is given up, are for whoever waits for some', async () => {
    const { stream } = await open(data(1, 'first'))
    const giveUp = new AbortController()
    const reading = stream.read({ bytes: 10, signal: giveUp.signal })
    const next = stream[Symbol.asyncIterator]().next()

    await turn()
    giveUp.abort(new Error('enough'))
    await expect(reading).to.eventually.be.rejectedWith('enough')
    expect((await next).value).to.have.property('byteLength', 5)
  })

  it('of a read that is given up, are gone when the stream was reset before', async () => {
    const { stream } = await open(data(1, 'first'))
    const giveUp = new AbortController()

    giveUp.signal.addEventListener('abort', () => { stream.abort(new Error('no more')) })

    const reading = stream.read({ bytes: 10, signal: giveUp.signal })

    await turn()
    giveUp.abort(new Error('enough'))
    await expect(reading).to.eventually.be.rejected()
    expect([stream.readBufferLength, stream.readStatus]).to.deep.equal([0, 'closed'])
  })

  it('of a read that is given up, reset nothing: it may be tried again', async () => {
    const setup = muxerAndPeer({ direction: 'inbound', options: { budgets: { unstartedBytes: 262_144 } } })
    const streams: MuxedStream[] = []
    const giveUp = new AbortController()
    const reads: Array<Promise<unknown>> = []

    for (const id of [1, 3, 5]) {
      const stream = await inboundStream(setup, windowUpdate(id, 0, SYN))

      reads.push(stream.read({ bytes: 210_000, signal: giveUp.signal }))

      for (let i = 0; i < 4; i++) {
        setup.peer.send(data(id, 50_000))
        await turn()
      }

      streams.push(stream)
    }

    giveUp.abort(new Error('enough'))
    await Promise.all(reads.map(async read => expect(read).to.eventually.be.rejectedWith('enough')))
    expect(streams.map(({ status, readBufferLength }) => `${status} ${readBufferLength}`)).to.deep.equal(new Array(3).fill('open 200000'))

    for (const [index, stream] of streams.entries()) {
      setup.peer.send(data(1 + 2 * index, 10_000))
      expect(await stream.read({ bytes: 210_000 })).to.have.lengthOf(210_000)
    }
  })

  it('behind a negotiation count as bytes that nobody has begun to read', async () => {
    const setup = muxerAndPeer({ direction: 'inbound', options: { budgets: { unstartedBytes: 300_000 } } })
    const streams: MuxedStream[] = []
    const errors: Array<string | undefined> = []

    for (const [id, rest] of [[1, 150_000], [3, 150_000], [5, 100]]) {
      const stream = await inboundStream(setup, windowUpdate(id, 0, SYN))
      const messages = lpStream(stream)

      stream.addEventListener('close', ({ error }) => { errors.push(error?.message) })
      setup.peer.send(data(id, new Uint8ArrayList(Uint8Array.of(30), new Uint8Array(30 + rest)).subarray()))
      await messages.read()
      messages.unwrap()
      streams.push(stream)
    }

    await turn()
    expect(streams.map(({ readBufferLength }) => readBufferLength)).to.deep.equal([150_000, 0, 100])
    expect(errors).to.deep.equal(['300131 bytes wait on streams that nobody has begun to read, the limit is 300000 (option budgets.unstartedBytes), and this one holds the most'])
    await setup.peer.hears('window|RST 3 4098')
    expect(await streams[0].read({ bytes: 150_000 })).to.have.lengthOf(150_000)
  })

  it('behind a negotiation of any length, and what comes after it, count so', async () => {
    const setup = muxerAndPeer({ direction: 'inbound', options: { budgets: { unstartedBytes: 300_000 } } })
    const streams: MuxedStream[] = []

    for (const id of [1, 3]) {
      const stream = await inboundStream(setup, windowUpdate(id, 0, SYN))

      setup.peer.send(data(id, 5_000))
      expect(await stream.read({ bytes: 5_000 })).to.have.lengthOf(5_000)
      stream.protocol = '/agreed/1.0.0'
      expect(stream.protocol).to.equal('/agreed/1.0.0')

      for (let i = 0; i < 4; i++) {
        setup.peer.send(data(id, 50_000))
        await turn()
      }

      streams.push(stream)
    }

    // the second grew until it held the most
    expect(streams.map(({ status }) => status).sort()).to.deep.equal(['aborted', 'open'])
  })

  it('once a protocol is agreed on, count so at once, however long that took', async () => {
    const setup = muxerAndPeer({ direction: 'inbound', options: { budgets: { unstartedBytes: 300_000 } } })
    const streams: MuxedStream[] = []
    const errors: Array<string | undefined> = []

    for (const id of [1, 3, 5]) {
      const stream = await inboundStream(setup, windowUpdate(id, 0, SYN))

      stream.addEventListener('close', ({ error }) => { errors.push(error?.message) })
      setup.peer.send(data(id, 2_000))
      expect(await stream.read({ bytes: 2_000 })).to.have.lengthOf(2_000)
      setup.peer.send(...new Array(4).fill(data(id, 50_000)))
      await turn()
      streams.push(stream)
    }

    expect(streams.map(({ readBufferLength }) => readBufferLength)).to.deep.equal(new Array(3).fill(200_000))

    for (const stream of streams) {
      stream.protocol = '/agreed/1.0.0'
    }

    await until(() => errors.length === 2)
    expect(streams.map(({ status }) => status)).to.deep.equal(['open', 'aborted', 'aborted'])
    expect(errors).to.deep.equal(['600000', '400000'].map(waiting => `${waiting} bytes wait on streams that nobody has begun to read, the limit is 300000 (option budgets.unstartedBytes), and this one holds the most`))
    await setup.peer.hears('window|RST 3 4098')
    await setup.peer.hears('window|RST 5 4098')
    expect(await streams[0].read({ bytes: 200_000 })).to.have.lengthOf(200_000)
  })

  it('are told apart from what comes while a listener is at work, which it is handed behind this', async () => {
    const { peer, stream, maConn } = await open()
    let got = 0

    const ended = eventOf(stream, 'end')

    stream.pause()
    peer.send(data(1, 100))
    await turn()
    stream.addEventListener('message', event => {
      got += event.data.byteLength

      if (got === 100) {
        // as a connection that was paused hands over what it held back as soon as it is resumed
        maConn.dispatchEvent(new StreamMessageEvent(join(data(1, 200), windowUpdate(1, 0, FIN))))
      }
    })
    stream.resume()
    await ended
    expect(got).to.equal(300)
  })

  it('and messages go on after a plugin that watches events has thrown', async () => {
    const { peer, stream } = await open()
    const { dispatchEvent } = stream
    let got = 0

    stream.addEventListener('message', event => { got += event.data.byteLength })
    stream.dispatchEvent = event => {
      stream.dispatchEvent = dispatchEvent
      dispatchEvent.call(stream, event)
      throw new Error('a plugin')
    }
    stream.pause()
    peer.send(data(1, 100))
    await turn()
    expect(() => { stream.resume() }).to.throw('a plugin')
    peer.send(data(1, 50))
    await until(() => got === 150)
  })

  it('over two limits at once, of a stream that is over, are told of once, and with the reason why they are lost', async () => {
    for (const isCut of [false, true]) {
      const setup = muxerAndPeer({ direction: 'inbound', options: { budgets: { unstartedBytes: 262_144 } } })
      const stream = await inboundStream(setup, windowUpdate(1, 0, SYN))
      const closings: Array<string | undefined> = []

      stream.addEventListener('close', ({ error }) => { closings.push(error?.name) })
      stream.maxReadBufferLength = 1_000
      stream.pause()

      if (!isCut) {
        await stream.close()
      }

      setup.peer.send(data(1, 200_000), windowUpdate(1, 0, FIN))
      await turn()

      if (isCut) {
        setup.link.cut(new Error('ECONNRESET'))
        await turn()
      }

      stream.unshift(new Uint8Array(isCut ? 1_001 : 100_000))
      await turn()
      expect(closings).to.deep.equal([isCut ? 'ConnectionClosedError' : undefined, 'StreamBufferError'])
      expect(stream.status).to.equal('aborted')
      await expect(stream.read()).to.eventually.be.rejected.with.property('name', 'StreamBufferError')
    }
  })

  it('of streams whose application begins in the same turn are all delivered, however many were agreed on', async () => {
    const setup = muxerAndPeer({ direction: 'inbound', options: { budgets: { unstartedBytes: 300_000 } } })
    const streams: MuxedStream[] = []
    const got = { bytes: 0 }

    for (const id of [1, 3, 5]) {
      const stream = await inboundStream(setup, windowUpdate(id, 0, SYN))

      setup.peer.send(data(id, 2_000))
      await stream.read({ bytes: 2_000 })
      setup.peer.send(data(id, 200_000))
      await turn()
      streams.push(stream)
    }

    for (const stream of streams) {
      stream.protocol = '/agreed/1.0.0'
      stream.addEventListener('message', event => { got.bytes += event.data.byteLength })
    }

    await until(() => got.bytes === 600_000)
    expect(streams.map(({ status }) => status)).to.deep.equal(new Array(3).fill('open'))
  })

  it('of more than maxReadBufferLength abort the stream: no flow control bounds them', async () => {
    const { peer, stream } = await open()
    const closed = eventOf(stream, 'close')

    stream.pause()
    stream.maxReadBufferLength = 1_000
    stream.push(new Uint8Array(1_000))
    expect(stream.status).to.equal('open')
    stream.push(new Uint8Array(1))
    expect(await closed).to.have.nested.property('error.name', 'StreamBufferError')
    await peer.hears('window|RST 1')
  })
})
