import { Duplex, duplexPair } from 'node:stream'
import { expect } from 'aegir/chai'
import { Uint8ArrayList } from 'uint8arraylist'
import { toMessageStream } from '../../../src/transports/web.ts'
import { eventOf, noUnhandledRejections, recordEvents, turn } from '../../support/waiting.ts'
import { echo, pattern, receiveAll, sendAll } from './kit/bytes.ts'
import { webStreams } from './kit/carriers.ts'
import type { StreamCloseEvent } from '@libp2p/interface'

interface Handles {
  /** What the stream has written. */
  chunks: Uint8Array[]
  toReader: ReadableStreamDefaultController<any>
  toWriter: WritableStreamDefaultController
  aborted: unknown[]
  cancelled: unknown[]
  pulls: number
}

/** A pair whose other side is the test. */
function handles (): { pair: Parameters<typeof toMessageStream>[0], test: Handles } {
  const test: Handles = { chunks: [], toReader: undefined as any, toWriter: undefined as any, aborted: [], cancelled: [], pulls: 0 }
  const readable = new ReadableStream<Uint8Array>({
    start (controller) {
      test.toReader = controller
    },
    pull () {
      test.pulls++
    },
    cancel (reason) {
      test.cancelled.push(reason)
    }
  }, { highWaterMark: 0 })
  const writable = new WritableStream<Uint8Array>({
    start (controller) {
      test.toWriter = controller
    },
    write (chunk) {
      test.chunks.push(chunk)
    },
    abort (reason) {
      test.aborted.push(reason)
    }
  })

  return { pair: { readable, writable }, test }
}

describe('a message stream over Web Streams of its own', () => {
  noUnhandledRejections()

  it('locks both, and refuses what is locked', () => {
    const { pair } = handles()

    toMessageStream(pair)
    expect(pair.readable.locked).to.be.true()
    expect(pair.writable.locked).to.be.true()
    expect(() => toMessageStream(pair)).to.throw(TypeError)
  })

  it('pulls only while somebody reads', async () => {
    const { pair, test } = handles()
    const stream = toMessageStream(pair)

    await turn()
    expect(test.pulls).to.equal(0)

    stream.addEventListener('message', () => {})
    await turn()
    expect(test.pulls).to.equal(1)

    stream.pause()
    test.toReader.enqueue(Uint8Array.of(1))
    await turn()
    expect(test.pulls).to.equal(1)

    stream.resume()
    await turn()
    expect(test.pulls).to.equal(2)
    stream.abort(new Error('the test is over'))
  })

  it('writes one chunk a send, in memory that nobody shares', async () => {
    const { pair, test } = handles()
    const stream = toMessageStream(pair)
    const bytes = Uint8Array.of(1, 2, 3, 4)

    stream.send(bytes.subarray(1, 3))
    stream.send(new Uint8ArrayList(bytes.subarray(0, 1), bytes.subarray(3)))
    await stream.close()

    expect(test.chunks.map(chunk => [...chunk])).to.deep.equal([[2, 3], [1, 4]])

    for (const chunk of test.chunks) {
      // as a worker, or a stream of bytes, does with what it is given
      structuredClone(chunk, { transfer: [chunk.buffer] })
    }

    expect(bytes).to.equalBytes([1, 2, 3, 4])
  })

  it('takes the memory of a buffer for bytes', async () => {
    const { pair, test } = handles()
    const stream = toMessageStream(pair)
    const received = receiveAll(stream)

    test.toReader.enqueue(Uint8Array.of(1, 2).buffer)
    test.toReader.enqueue(Uint8Array.of(3))
    test.toReader.close()
    expect(await received).to.equalBytes([1, 2, 3])
  })

  it('breaks both ways over a chunk that is no bytes', async () => {
    const { pair, test } = handles()
    const stream = toMessageStream(pair)
    const closed = eventOf<StreamCloseEvent>(stream, 'close')

    stream.addEventListener('message', () => {})
    test.toReader.enqueue('text')

    const { error } = await closed

    expect(error).to.have.property('name', 'InvalidParametersError')
    expect(test.aborted).to.deep.equal([error])
    expect(test.cancelled).to.deep.equal([error])
  })

  it('hears of an error of the readable while nobody reads, and tells the writable', async () => {
    const { pair, test } = handles()
    const closed = eventOf<StreamCloseEvent>(toMessageStream(pair), 'close')
    const reason = new Error('the network is gone')

    test.toReader.error(reason)

    expect(await closed).to.deep.include({ error: reason, local: false })
    expect(test.aborted).to.deep.equal([reason])
  })

  it('hears of an error of the writable, and cancels the readable', async () => {
    const { pair, test } = handles()
    const closed = eventOf<StreamCloseEvent>(toMessageStream(pair), 'close')
    const reason = new Error('the network is gone')

    test.toWriter.error(reason)

    expect(await closed).to.deep.include({ error: reason, local: false })
    expect(test.cancelled).to.deep.equal([reason])
  })

  it('makes an error of what was thrown without being one', async () => {
    const { pair, test } = handles()
    const closed = eventOf<StreamCloseEvent>(toMessageStream(pair), 'close')

    test.toReader.error('gone')

    expect((await closed).error).to.be.an('error').that.includes({ message: 'gone', cause: 'gone' })
  })

  it('aborts the one and cancels the other with the error of an abort', async () => {
    const { pair, test } = handles()
    const reason = new Error('enough')

    toMessageStream(pair).abort(reason)
    await turn()

    expect(test.aborted).to.deep.equal([reason])
    expect(test.cancelled).to.deep.equal([reason])
  })

  it('tells the peer of an abort by its error', async () => {
    const { ways: [there, back] } = webStreams()
    const stream = toMessageStream({ readable: back.readable, writable: there.writable })
    const peer = toMessageStream({ readable: there.readable, writable: back.writable })
    const closed = eventOf<StreamCloseEvent>(peer, 'close')
    const reason = new Error('enough')

    stream.abort(reason)
    expect((await closed).error).to.equal(reason)
  })

  it('delivers what arrived before an error, and then the error', async () => {
    const { pair, test } = handles()
    const stream = toMessageStream(pair)
    const iterator = stream[Symbol.asyncIterator]()
    const first = iterator.next()

    test.toReader.enqueue(Uint8Array.of(1))
    expect((await first).value.subarray()).to.equalBytes([1])

    stream.unshift(Uint8Array.of(2))
    test.toReader.error(new Error('gone'))
    await eventOf(stream, 'close')

    expect((await iterator.next()).value.subarray()).to.equalBytes([2])
    await expect(iterator.next()).to.eventually.be.rejectedWith('gone')
  })

  it('says drain once a write has room again, and idle when nothing waits', async () => {
    const { pair } = handles()
    const stream = toMessageStream(pair)
    const events = recordEvents(stream, ['drain', 'idle'])
    const drained = eventOf(stream, 'drain')

    expect(stream.send(Uint8Array.of(1))).to.be.false()
    expect(stream.send(Uint8Array.of(2))).to.be.false()
    expect(stream.writeBufferLength).to.equal(1)

    await drained
    await turn()
    expect(stream.writeBufferLength).to.equal(0)
    expect(events.slice(0, 3)).to.deep.equal(['idle', 'drain', 'idle'])
  })

  it('runs over the Web Streams that Node makes of its own', async () => {
    const [a, b] = duplexPair().map(duplex => toMessageStream(Duplex.toWeb(duplex) as any))
    const bytes = pattern(1_000_000)
    const echoed = echo(b)
    const answer = receiveAll(a)

    await sendAll(a, bytes)
    await a.close()
    expect(Buffer.compare(await answer, bytes)).to.equal(0)
    await echoed
  })
})
