import { once } from 'node:events'
import http from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { expect } from 'aegir/chai'
import { toDuplex, toMessageStream } from '../../../src/transports/node.ts'
import { createMuxer, openPair } from '../../support/muxers.ts'
import { eventOf, noUnhandledRejections } from '../../support/waiting.ts'
import { pattern } from './kit/bytes.ts'
import { tcpSockets } from './kit/carriers.ts'
import type { MuxedConnection } from '../../../src/connection/connection.ts'
import type { Duplex } from 'node:stream'

/** Answers each request with what it was. */
function createServer (): http.Server {
  return http.createServer((request, response) => {
    buffer(request).then(body => {
      response.setHeader('x-method', `${request.method}`)
      response.end(`${request.url} ${body.byteLength}`)
    }, err => {
      response.destroy(err)
    })
  })
}

interface Answer {
  status?: number
  body: Buffer
  headers: http.IncomingHttpHeaders
  socket: unknown
}

async function request (agent: http.Agent, options: http.RequestOptions, body?: Uint8Array): Promise<Answer> {
  const sent = http.request({ host: 'stream', agent, ...options })

  sent.end(body)

  const [response] = await once(sent, 'response')
  const { socket } = response

  return { status: response.statusCode, body: await buffer(response), headers: response.headers, socket }
}

describe('HTTP over a stream', () => {
  noUnhandledRejections()

  let dialer: MuxedConnection
  let listener: MuxedConnection
  let server: http.Server
  let opened: number

  /** Makes its connections of streams, and keeps them for the next request. */
  class StreamAgent extends http.Agent {
    createConnection (options: unknown, callback: (err: Error | null, duplex: Duplex) => void): undefined {
      opened++
      dialer.createStream().then(stream => { callback(null, toDuplex(stream)) }, err => { callback(err, undefined as any) })
    }
  }

  beforeEach(async () => {
    const sockets = await tcpSockets()

    opened = 0
    dialer = createMuxer(toMessageStream(sockets.dialer, { direction: 'outbound' }))
    listener = createMuxer(toMessageStream(sockets.listener, { direction: 'inbound' }))
    server = createServer()
    listener.addEventListener('stream', ({ detail }) => {
      server.emit('connection', toDuplex(detail))
    })
  })

  afterEach(() => {
    dialer.abort(new Error('the test is over'))
    listener.abort(new Error('the test is over'))
  })

  it('serves requests one after the other on one stream that is kept alive', async () => {
    const agent = new StreamAgent({ keepAlive: true, maxSockets: 1 })
    const sockets = new Set<unknown>()

    for (const path of ['/one', '/two', '/three']) {
      const { status, body, socket, headers } = await request(agent, { path })

      expect(status).to.equal(200)
      expect(body.toString()).to.equal(`${path} 0`)
      expect(headers).to.include({ connection: 'keep-alive', 'x-method': 'GET' })
      sockets.add(socket)
    }

    expect(opened).to.equal(1)
    expect(sockets.size).to.equal(1)
    agent.destroy()
  })

  it('takes bodies, and gives them, that are larger than a window', async () => {
    const agent = new StreamAgent({ keepAlive: true })
    const bytes = pattern(2_000_000)

    const { body } = await request(agent, { path: '/body', method: 'POST' }, bytes)
    expect(body.toString()).to.equal('/body 2000000')

    server.removeAllListeners('request')
    server.on('request', (incoming, response) => {
      incoming.pipe(response)
    })

    const echoed = await request(agent, { path: '/echo', method: 'POST' }, bytes)
    expect(Buffer.compare(echoed.body, bytes)).to.equal(0)
    expect(opened).to.equal(1)
    agent.destroy()
  })

  it('serves many requests at once, each on its stream', async () => {
    const agent = new StreamAgent({ keepAlive: true, maxSockets: 50 })
    const answers = await Promise.all(Array.from({ length: 50 }, async (_, i) => request(agent, { path: `/${i}` })))

    expect(answers.map(({ body }) => body.toString())).to.deep.equal(Array.from({ length: 50 }, (_, i) => `/${i} 0`))
    expect(opened).to.equal(50)
    agent.destroy()
  })

  it('answers requests that were sent together, in their order', async () => {
    const duplex = toDuplex(await dialer.createStream())
    const answer = text(duplex)

    duplex.write('GET /first HTTP/1.1\r\nhost: stream\r\n\r\nGET /second HTTP/1.1\r\nhost: stream\r\n\r\n')
    duplex.write('GET /last HTTP/1.1\r\nhost: stream\r\nconnection: close\r\n\r\n')

    const bodies = [...(await answer).matchAll(/^(\/\w+ 0)/gm)].map(([, body]) => body)

    // the server ended the stream after the last
    expect(bodies).to.deep.equal(['/first 0', '/second 0', '/last 0'])
    duplex.end()
    await once(duplex, 'close')
  })

  it('ends the stream after an answer to one who asked for it', async () => {
    const agent = new StreamAgent({ keepAlive: false })
    const ended = eventOf(listener, 'stream').then(async ({ detail }) => eventOf(detail, 'close'))
    const { body, headers } = await request(agent, { path: '/', headers: { connection: 'close' } })

    expect(body.toString()).to.equal('/ 0')
    expect(headers.connection).to.equal('close')
    expect((await ended).error).to.be.undefined()
  })

  it('closes a stream that was kept alive for nothing', async () => {
    server.keepAliveTimeout = 1
    // what Node allows on top, so that no request crosses the end
    ;(server as any).keepAliveTimeoutBuffer = 1

    const duplex = toDuplex(await dialer.createStream())
    const answer = text(duplex)

    duplex.write('GET /once HTTP/1.1\r\nhost: stream\r\n\r\n')
    expect(await answer).to.include('/once 0')
    duplex.end()
  })

  it('upgrades a connection to another protocol', async () => {
    server.on('upgrade', (incoming, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n')
      socket.pipe(socket)
    })

    const sent = http.request({ agent: new StreamAgent(), headers: { connection: 'upgrade', upgrade: 'echo' } })

    sent.end()

    const [, socket] = await once(sent, 'upgrade')

    socket.end('hello')
    expect(await text(socket)).to.equal('hello')
  })

  it('gives an error to one whose connection is cut before the answer', async () => {
    server.removeAllListeners('request')

    const asked = once(server, 'request')
    const sent = http.request({ agent: new StreamAgent(), path: '/' })
    const error = once(sent, 'error')

    sent.end()
    await asked
    listener.abort(new Error('gone'))
    expect((await error)[0]).to.be.an('error')
  })
})

describe('a pipeline over a stream', () => {
  noUnhandledRejections()

  it('zips at the one end and unzips at the other', async () => {
    const sockets = await tcpSockets()
    const dialer = createMuxer(toMessageStream(sockets.dialer, { direction: 'outbound' }))
    const listener = createMuxer(toMessageStream(sockets.listener, { direction: 'inbound' }))
    const [outbound, inbound] = await openPair({ dialer, listener })
    const bytes = Buffer.concat([pattern(1_000_000), new Uint8Array(1_000_000)])
    const unzipped = new PassThrough()
    const received = buffer(unzipped)

    const [there, here] = [toDuplex(outbound), toDuplex(inbound)]
    const unzipping = pipeline(here, createGunzip(), unzipped)

    here.end()
    there.resume()
    await pipeline(Readable.from([bytes]), createGzip(), there)
    await unzipping

    expect(Buffer.compare(await received, bytes)).to.equal(0)
    expect(dialer.stats().bytesSent).to.be.below(1_100_000)
    await dialer.close()
  })

  it('tells the other end when it fails on the way', async () => {
    const sockets = await tcpSockets()
    const dialer = createMuxer(toMessageStream(sockets.dialer, { direction: 'outbound' }))
    const listener = createMuxer(toMessageStream(sockets.listener, { direction: 'inbound' }))
    const [outbound, inbound] = await openPair({ dialer, listener })
    const received = buffer(toDuplex(inbound))

    received.catch(() => {})

    async function * broken (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1_000)
      throw new Error('the disk is on fire')
    }

    await expect(pipeline(broken, toDuplex(outbound))).to.eventually.be.rejectedWith('the disk is on fire')
    await expect(received).to.eventually.be.rejected().with.property('name', 'StreamResetError')
    await dialer.close()
  })
})
