/** HTTP/1.1 over streams: the server of `node:http` takes them for sockets, and so does its client. */
import http from 'node:http'
import { text } from 'node:stream/consumers'
// of the package: 'libp2p-muxers/node', 'libp2p-muxers/web' and 'libp2p-muxers/yamux'
import { toDuplex } from '../src/transports/node.ts'
import { toMessageStream } from '../src/transports/web.ts'
import { yamux } from '../src/yamux.ts'
import type { Duplex } from 'node:stream'

// any connection will do; here one in memory
const there = new TransformStream<Uint8Array, Uint8Array>()
const back = new TransformStream<Uint8Array, Uint8Array>()
const client = await yamux()().multiplex(toMessageStream({ readable: back.readable, writable: there.writable }), { initiator: true })
const server = await yamux()().multiplex(toMessageStream({ readable: there.readable, writable: back.writable }), { initiator: false })

const httpServer = http.createServer((request, response) => {
  response.end(`you asked for ${request.url}`)
})

async function serve (): Promise<void> {
  for await (const stream of server.inboundStreams) {
    httpServer.emit('connection', toDuplex(stream))
  }
}

/** Its sockets are streams, each kept for the next request. */
class StreamAgent extends http.Agent {
  createConnection (options: unknown, callback: (err: Error | null, duplex: Duplex) => void): undefined {
    client.newStream().then(stream => { callback(null, toDuplex(stream)) }, err => { callback(err, undefined as never) })
  }
}

const agent = new StreamAgent({ keepAlive: true })

async function get (path: string): Promise<string> {
  const request = http.get({ host: 'stream', path, agent })
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => request.once('response', resolve).once('error', reject))

  return text(response)
}

const serving = serve()

for (const path of ['/one', '/two', '/three']) {
  process.stdout.write(`${await get(path)}\n`)
}

process.stdout.write(`streams opened: ${client.stats().streamsOpened.outbound}\n`)

agent.destroy()
// waits for the server to end its half as well
await client.goAway()
await serving
