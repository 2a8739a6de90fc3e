import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Duplex, PassThrough } from 'node:stream'
import { StreamBufferError } from '@libp2p/interface'
import { expect } from 'aegir/chai'
import { Uint8ArrayList } from 'uint8arraylist'
import { toMessageStream } from '../../../src/transports/node.ts'
import { eventOf, noUnhandledRejections, turn } from '../../support/waiting.ts'
import { closeOf, fill, pattern, receiveAll, sendAll } from './kit/bytes.ts'
import { memoryDuplexes } from './kit/carriers.ts'
import type { StreamCloseEvent } from '@libp2p/interface'

/** Takes everything, says what it took in one go, and gives what the test says. */
class Recorder extends Duplex {
  readonly writes: number[][] = []

  _read (): void {}

  _write (chunk: Uint8Array, encoding: string, callback: () => void): void {
    this.writes.push([chunk.byteLength])
    callback()
  }

  _writev (chunks: Array<{ chunk: Uint8Array }>, callback: () => void): void {
    this.writes.push(chunks.map(({ chunk }) => chunk.byteLength))
    callback()
  }
}

describe('a message stream over a duplex', () => {
  noUnhandledRejections()

  it('refuses what does not carry bytes', () => {
    const strings = new PassThrough()

    strings.setEncoding('utf8')

    for (const duplex of [new PassThrough({ readableObjectMode: true }), new PassThrough({ writableObjectMode: true }), strings]) {
      expect(() => toMessageStream(duplex)).to.throw().with.property('name', 'InvalidParametersError')
    }
  })

  it('writes all buffers of one send in one go', () => {
    const duplex = new Recorder()

    toMessageStream(duplex).send(Uint8ArrayList.fromUint8Arrays(Array.from({ length: 100 }, (_, i) => new Uint8Array(i + 1))))

    expect(duplex.writes).to.deep.equal([Array.from({ length: 100 }, (_, i) => i + 1)])
  })

  it('reads nothing before anybody wants to, and stops when nobody does any more', async () => {
    const duplex = new Recorder({ readableHighWaterMark: 1_000 })
    const stream = toMessageStream(duplex)
    const lengths: number[] = []
    const listener = ({ data }: { data: { byteLength: number } }): void => {
      lengths.push(data.byteLength)
    }

    duplex.push(new Uint8Array(1))
    await turn()
    expect(duplex.readableLength).to.equal(1)
    expect(stream.readBufferLength).to.equal(0)

    stream.addEventListener('message', listener)
    await turn()
    expect(lengths).to.deep.equal([1])

    stream.removeEventListener('message', listener)
    duplex.push(new Uint8Array(2))
    await turn()
    expect(duplex.readableLength).to.equal(2)
    expect(stream.readBufferLength).to.equal(0)
  })

  it('takes back what a reader read too much', async () => {
    const { dialer, listener } = memoryDuplexes()
    const stream = toMessageStream(dialer)

    stream.unshift(Uint8Array.of(1, 2))
    listener.end(Uint8Array.of(3))

    expect(await receiveAll(stream)).to.equalBytes([1, 2, 3])
  })

  it('gives what is pushed back to a loop that waits', async () => {
    const stream = toMessageStream(new Recorder())
    const iterator = stream[Symbol.asyncIterator]()
    const next = iterator.next()

    await turn()
    stream.push(Uint8Array.of(1))
    expect((await next).value.subarray()).to.equalBytes([1])
    stream.abort(new Error('the test is over'))
  })

  it('passes on an error as it is', async () => {
    const duplex = new Recorder()
    const stream = toMessageStream(duplex)
    const closed = eventOf<StreamCloseEvent>(stream, 'close')
    const reason = new Error('the disk is on fire')

    duplex.destroy(reason)

    expect(await closed).to.deep.include({ error: reason, local: false })
  })

  it('takes a duplex that closed before its end for broken', async () => {
    const duplex = new Recorder()
    const stream = toMessageStream(duplex)
    const closed = eventOf<StreamCloseEvent>(stream, 'close')

    duplex.destroy()

    expect((await closed).error).to.include({ name: 'ConnectionClosedError', origin: 'transport' })
  })

  it('says of a duplex that was over before, how it ended', async () => {
    const broken = new Recorder()
    const reason = new Error('long ago')

    broken.on('error', () => {})
    broken.destroy(reason)
    await closeOf(broken)
    expect((await eventOf<StreamCloseEvent>(toMessageStream(broken), 'close')).error).to.equal(reason)

    const ended = new Recorder({ autoDestroy: false })

    ended.push(null)
    ended.resume()
    await once(ended, 'end')

    const stream = toMessageStream(ended)

    await eventOf(stream, 'remoteCloseWrite')
    expect(stream.send(Uint8Array.of(1))).to.be.true()
    await stream.close()
    expect(stream.status).to.equal('closed')
  })

  it('destroys the duplex with the error of an abort', async () => {
    const duplex = new Recorder()
    const reason = new Error('enough')

    toMessageStream(duplex).abort(reason)

    expect(duplex.destroyed).to.be.true()
    expect(duplex.errored).to.equal(reason)
  })

  it('is aborted at once by a signal that was', () => {
    const duplex = new Recorder()
    const stream = toMessageStream(duplex, { signal: AbortSignal.abort(new Error('too late')) })

    expect(stream.status).to.equal('aborted')
    expect(duplex.destroyed).to.be.true()
  })

  it('is aborted when more is sent than may wait', async () => {
    const { dialer } = memoryDuplexes()
    const stream = toMessageStream(dialer, { maxWriteBufferLength: 100_000 })
    const closed = eventOf<StreamCloseEvent>(stream, 'close')

    await fill(stream, 10_000_000)
    stream.send(new Uint8Array(100_001))
    expect((await closed).error).to.be.an.instanceOf(StreamBufferError)
  })

  it('is aborted when a peer sends without end to one that has closed and does not listen', async () => {
    const { dialer, listener } = memoryDuplexes()
    const stream = toMessageStream(dialer, { maxReadBufferLength: 100_000 })
    const peer = toMessageStream(listener)
    const closed = eventOf<StreamCloseEvent>(stream, 'close')

    peer.addEventListener('message', () => {})
    await stream.close()
    sendAll(peer, new Uint8Array(1_000_000)).catch(() => {})

    expect((await closed).error).to.be.an.instanceOf(StreamBufferError)
  })

  it('is aborted when the peer does not end its half after ours', async () => {
    const { dialer, listener } = memoryDuplexes()
    const stream = toMessageStream(dialer, { closeTimeout: 5 })
    const closed = eventOf<StreamCloseEvent>(stream, 'close')

    listener.resume()
    await stream.close()

    const { error } = await closed

    expect(error).to.have.property('name', 'TimeoutError')
    expect(error?.message).to.include('closeTimeout')
  })

  it('is left to those who listen, however long the peer takes to end', async () => {
    const { dialer, listener } = memoryDuplexes()
    const impatient = memoryDuplexes()
    const stream = toMessageStream(dialer, { closeTimeout: 1 })
    // one that closes later, and is given up first
    const other = toMessageStream(impatient.dialer, { closeTimeout: 20 })
    const received = receiveAll(stream)

    listener.resume()
    impatient.listener.resume()
    await stream.close()
    await other.close()
    await eventOf(other, 'close')
    expect(stream.status).to.equal('closing')

    listener.end(Uint8Array.of(1))
    expect(await received).to.equalBytes([1])
    expect(stream.status).to.equal('closed')
  })

  it('is aborted when nothing happens for too long', async () => {
    const stream = toMessageStream(new Recorder(), { inactivityTimeout: 5 })
    const { error } = await eventOf<StreamCloseEvent>(stream, 'close')

    expect(error).to.have.property('name', 'TimeoutError')
    expect(error?.message).to.include('inactivityTimeout')
  })

  it('has the direction that it is given', () => {
    expect(toMessageStream(new Recorder()).direction).to.equal('outbound')
    expect(toMessageStream(new Recorder(), { direction: 'inbound' }).direction).to.equal('inbound')
  })

  it('runs over the standard input and output of a process', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.pipe(process.stdout)'], { stdio: ['pipe', 'pipe', 'inherit'] })
    const stream = toMessageStream(Duplex.from({ readable: child.stdout, writable: child.stdin }))
    const bytes = pattern(1_000_000)
    const exit = once(child, 'exit')
    const answer = receiveAll(stream)

    await sendAll(stream, bytes)
    await stream.close()

    expect(Buffer.compare(await answer, bytes)).to.equal(0)
    expect(await exit).to.deep.equal([0, null])
  })
})
