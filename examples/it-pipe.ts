/** A stream is a duplex for `it-pipe`: the server pipes it through a transform and back into itself. */
import { pipe } from 'it-pipe'
// of the package: 'libp2p-muxers/interface', 'libp2p-muxers/web' and 'libp2p-muxers/yamux'
import { toMessageStream } from '../src/transports/web.ts'
import { yamux } from '../src/yamux.ts'
import type { Bytes } from '../src/interface/index.ts'

// any connection will do; here one in memory
const there = new TransformStream<Uint8Array, Uint8Array>()
const back = new TransformStream<Uint8Array, Uint8Array>()
const client = await yamux()().multiplex(toMessageStream({ readable: back.readable, writable: there.writable }), { initiator: true })
const server = await yamux()().multiplex(toMessageStream({ readable: there.readable, writable: back.writable }), { initiator: false })

async function * shout (source: AsyncIterable<Bytes>): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder()

  for await (const chunk of source) {
    yield new TextEncoder().encode(decoder.decode(chunk.subarray(), { stream: true }).toUpperCase())
  }
}

async function collect (source: AsyncIterable<Bytes>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''

  for await (const chunk of source) {
    text += decoder.decode(chunk.subarray(), { stream: true })
  }

  return text
}

async function serve (): Promise<void> {
  for await (const stream of server.inboundStreams) {
    await pipe(stream, shout, stream)
  }
}

const serving = serve()
const stream = await client.newStream()
const text = await pipe(
  [new TextEncoder().encode('less noise, '), new TextEncoder().encode('please')],
  stream,
  collect
)

process.stdout.write(`${text}\n`)
await client.close()
await serving
