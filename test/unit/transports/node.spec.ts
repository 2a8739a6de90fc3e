import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { Duplex, PassThrough } from 'node:stream'
import { StreamBufferError } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'aegir/chai'
import { Uint8ArrayList } from 'uint8arraylist'
import { toMessageStream } from '../../../src/transports/node.ts'
import { eventOf, noUnhandledRejections, outcomeOf, turn, until } from '../../support/waiting.ts'
import { echo, fill, pattern, receiveAll, sendAll } from './kit/bytes.ts'
import { memoryDuplexes, tcpSockets, tlsSockets } from './kit/carriers.ts'
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

/** Unlike that of `once()`, not broken by an error. */
async function closeOf (duplex: Duplex): Promise<void> {
  await new Promise<void>(resolve => {
    duplex.once('close', resolve)
  })
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

describe('a message stream over a socket', () => {
  noUnhandledRejections()

  it('knows the addresses of both ends', async () => {
    const { dialer, listener } = await tcpSockets()
    const outbound = toMessageStream(dialer)
    const inbound = toMessageStream(listener)

    expect(`${outbound.remoteAddr}`).to.equal(`/ip4/127.0.0.1/tcp/${dialer.remotePort}`)
    expect(`${outbound.localAddr}`).to.equal(`${inbound.remoteAddr}`)
    expect(`${inbound.localAddr}`).to.equal(`${outbound.remoteAddr}`)

    outbound.abort(new Error('the test is over'))
    inbound.abort(new Error('the test is over'))
    expect(`${outbound.remoteAddr}`, 'when it is closed').to.include('/tcp/')
  })

  it('says the address that it is given rather than that of the socket', async () => {
    const { dialer, listener } = await tcpSockets()
    const remoteAddress = multiaddr('/dns4/example.com/tcp/443/tls')
    const outbound = toMessageStream(dialer, { remoteAddress })

    expect(outbound.remoteAddr).to.equal(remoteAddress)
    expect(toMessageStream(new Recorder()).remoteAddr).to.be.undefined()

    outbound.abort(new Error('the test is over'))
    listener.destroy()
  })

  it('learns the addresses, and sends, once the socket is connected', async () => {
    const server = net.createServer(socket => socket.pipe(socket)).listen(0, '127.0.0.1')

    await once(server, 'listening')

    const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1')
    const stream = toMessageStream(socket)
    const answer = receiveAll(stream)

    expect(stream.remoteAddr).to.be.undefined()
    stream.send(Uint8Array.of(1, 2, 3))
    await stream.close()
    expect(await answer).to.equalBytes([1, 2, 3])
    expect(`${stream.remoteAddr}`).to.include('/ip4/127.0.0.1/tcp/')
    server.close()
  })

  it('leaves nothing of a socket that is aborted while it connects', async () => {
    const server = net.createServer().listen(0, '127.0.0.1')

    await once(server, 'listening')

    const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1')
    const closed = eventOf<StreamCloseEvent>(toMessageStream(socket, { signal: AbortSignal.abort(new Error('no')) }), 'close')

    expect(await outcomeOf(closed)).to.equal('pending')
    expect(socket.destroyed).to.be.true()
    server.close()
  })

  it('sends packets at once', async () => {
    const { dialer, listener } = await tcpSockets()
    const calls: unknown[] = []

    dialer.setNoDelay = enable => {
      calls.push(enable)
      return dialer
    }
    toMessageStream(dialer)
    expect(calls).to.deep.equal([true])

    dialer.destroy()
    listener.destroy()
  })

  it('loses nothing when a socket that does not stay half open is ended by the peer', async () => {
    const { dialer, listener } = await tcpSockets({ allowHalfOpen: false })
    const inbound = toMessageStream(listener)
    // the dialler has to stay open for the answer
    const outbound = toMessageStream(dialer, { allowHalfOpen: true })
    const answer = receiveAll(outbound)
    const length = 5_000_000
    let received = 0

    inbound.addEventListener('message', ({ data }) => {
      received += data.byteLength
      // all of it at once, whatever the socket says
      inbound.send(data)
    })
    await sendAll(outbound, new Uint8Array(length))
    await outbound.close()

    expect((await answer).byteLength).to.equal(length)
    expect(received).to.equal(length)
    await until(() => inbound.status === 'closed')
  })

  it('gives the error of the socket when the peer resets the connection', async () => {
    const { dialer, listener } = await tcpSockets()
    const stream = toMessageStream(dialer)
    const closed = eventOf<StreamCloseEvent>(stream, 'close')

    stream.addEventListener('message', () => {})
    listener.resetAndDestroy()

    expect((await closed).error).to.have.property('code', 'ECONNRESET')
  })

  it('closes the socket when it is aborted after its end', async () => {
    const { dialer, listener } = await tcpSockets()
    const stream = toMessageStream(dialer)
    const gone = closeOf(dialer)

    listener.on('error', () => {})
    await stream.close()
    stream.abort(new Error('enough'))
    await gone
    listener.destroy()
  })

  it('closes the socket when both halves have ended', async () => {
    const { dialer, listener } = await tlsSockets()
    const gone = Promise.all([once(dialer, 'close'), once(listener, 'close')])
    const echoed = echo(toMessageStream(listener))
    const stream = toMessageStream(dialer)
    const answer = receiveAll(stream)

    stream.send(Uint8Array.of(1))
    await stream.close()
    await Promise.all([answer, echoed, gone])
  })
})
