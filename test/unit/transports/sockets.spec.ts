import { once } from 'node:events'
import net from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'aegir/chai'
import { toMessageStream } from '../../../src/transports/node.ts'
import { yamux } from '../../../src/yamux.ts'
import { eventOf, noUnhandledRejections, outcomeOf, turn, until } from '../../support/waiting.ts'
import { closeOf, echo, receiveAll } from './kit/bytes.ts'
import { memoryDuplexes, tcpSockets, tlsSockets } from './kit/carriers.ts'
import type { StreamCloseEvent } from '@libp2p/interface'

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
    expect(toMessageStream(memoryDuplexes().dialer).remoteAddr).to.be.undefined()

    outbound.abort(new Error('the test is over'))
    listener.destroy()
  })

  it('shows them through a muxer, also those that it learns once the socket is connected', async () => {
    const server = net.createServer().listen(0, '127.0.0.1')

    await once(server, 'listening')

    const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1')
    const connection = await yamux()().multiplex(toMessageStream(socket), { initiator: true })

    expect([connection.localAddress, connection.remoteAddress]).to.deep.equal([undefined, undefined])
    await once(socket, 'connect')
    expect(`${connection.localAddress}`).to.equal(`/ip4/127.0.0.1/tcp/${socket.localPort}`)
    expect(`${connection.remoteAddress}`).to.equal(`/ip4/127.0.0.1/tcp/${socket.remotePort}`)

    connection.abort(new Error('the test is over'))
    server.close()
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

  it('loses nothing that is queued when a socket that does not stay half open is ended by the peer', async () => {
    const { dialer, listener } = await tcpSockets({ allowHalfOpen: false })
    const inbound = toMessageStream(listener)
    // the dialler has to stay open for the answer
    const outbound = toMessageStream(dialer, { allowHalfOpen: true })
    const remoteEnd = eventOf(inbound, 'remoteCloseWrite')
    const closed = eventOf<StreamCloseEvent>(outbound, 'close')
    const length = 20_000_000
    let answered = 0

    outbound.addEventListener('message', ({ data }) => {
      answered += data.byteLength
    })
    outbound.pause()
    inbound.addEventListener('message', () => {})
    // all of it at once, whatever the socket says
    inbound.send(new Uint8Array(length))
    inbound.send(new Uint8Array(1))
    await outbound.close()
    await remoteEnd
    expect(answered).to.equal(0)

    outbound.resume()
    expect((await closed).error).to.be.undefined()
    expect(answered).to.equal(length + 1)
    await until(() => inbound.status === 'closed')
  })

  it('keeps its half open after the end of the peer where it is told to, whatever the socket says', async () => {
    const { dialer, listener } = await tcpSockets({ allowHalfOpen: false })
    const inbound = toMessageStream(listener, { allowHalfOpen: true })
    const outbound = toMessageStream(dialer)
    const answer = receiveAll(outbound)
    const remoteEnd = eventOf(inbound, 'remoteCloseWrite')

    inbound.addEventListener('message', () => {})
    await outbound.close()
    await remoteEnd
    await turn()

    expect(inbound.send(Uint8Array.of(1))).to.be.true()
    await inbound.close()
    expect(await answer).to.equalBytes([1])
  })

  it('gives the error of the socket when the peer resets the connection', async () => {
    const { dialer, listener } = await tcpSockets()
    const stream = toMessageStream(dialer)
    const closed = eventOf<StreamCloseEvent>(stream, 'close')

    stream.addEventListener('message', () => {})
    listener.resetAndDestroy()

    expect((await closed).error).to.have.property('code', 'ECONNRESET')
  })

  for (const [when, patient] of [['while it ends', false], ['after its end', true]] as const) {
    it(`closes the socket when it is aborted ${when}`, async () => {
      const { dialer, listener } = await tcpSockets()
      const stream = toMessageStream(dialer)
      const gone = closeOf(dialer)

      listener.on('error', () => {})

      const closing = stream.close()

      if (patient) {
        await closing
      } else {
        closing.catch(() => {})
      }

      stream.abort(new Error('enough'))
      await gone
      listener.destroy()
    })
  }

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
