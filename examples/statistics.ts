/** What a stream and a connection count: plain objects, always on. */
// of the package: 'libp2p-muxers/interface', 'libp2p-muxers/web' and 'libp2p-muxers/yamux'
import { StreamErrorCode } from '../src/interface/index.ts'
import { toMessageStream } from '../src/transports/web.ts'
import { yamux } from '../src/yamux.ts'
import type { StreamResetError } from '../src/interface/index.ts'

// any connection will do; here one in memory
const there = new TransformStream<Uint8Array, Uint8Array>()
const back = new TransformStream<Uint8Array, Uint8Array>()
const client = await yamux()().multiplex(toMessageStream({ readable: back.readable, writable: there.writable }), { initiator: true })
const server = await yamux()().multiplex(toMessageStream({ readable: there.readable, writable: back.writable }), { initiator: false })

const stream = await client.newStream()
const accepted = await server.acceptStream()

await stream.write(new Uint8Array(100_000))
await accepted.read({ bytes: 100_000 })
accepted.reset(StreamErrorCode.resourceLimitExceeded)
await stream.read().catch((err: StreamResetError) => {
  process.stdout.write(`the stream ended with ${err.name} (${err.codeName})\n`)
})

const { bytesSent, stalls, reset } = stream.stats()

process.stdout.write(`stream: ${JSON.stringify({ bytesSent, stalls, reset })}\n`)

const rtt = await client.ping()
const { streamsOpened, streamsReset } = client.stats()

process.stdout.write(`connection: ${JSON.stringify({ streamsOpened, streamsReset })}\n`)
process.stdout.write(`round trip: ${rtt >= 0 && client.rtt !== undefined ? 'measured' : 'unknown'}\n`)
await client.close()
