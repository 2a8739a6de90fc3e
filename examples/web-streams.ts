/** A stream as Web Streams: sent through gzip at one end, and through gunzip at the other. */
// of the package: 'libp2p-muxers/web' and 'libp2p-muxers/yamux'
import { toMessageStream } from '../src/transports/web.ts'
import { yamux } from '../src/yamux.ts'

// any connection will do; here one in memory
const there = new TransformStream<Uint8Array, Uint8Array>()
const back = new TransformStream<Uint8Array, Uint8Array>()
const client = await yamux()().multiplex(toMessageStream({ readable: back.readable, writable: there.writable }), { initiator: true })
const server = await yamux()().multiplex(toMessageStream({ readable: there.readable, writable: back.writable }), { initiator: false })

const text = 'All work and no play makes Jack a dull boy.\n'.repeat(10_000)
const outbound = await client.newStream()
const inbound = await server.acceptStream()

const sending = new Blob([text]).stream()
  .pipeThrough(new CompressionStream('gzip'))
  .pipeTo(outbound.writable)

const received = await new Response(inbound.readable.pipeThrough(new DecompressionStream('gzip'))).text()

await sending
await inbound.close()

const { bytesReceived } = server.stats()

process.stdout.write(`${received.length} characters came as ${bytesReceived < 10_000 ? 'less than 10,000' : bytesReceived} bytes, ${received === text ? 'all right' : 'broken'}\n`)
await client.close()
