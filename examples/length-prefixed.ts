/** Messages on a stream, each behind its length as an unsigned varint, as most protocols of libp2p have them. */
// of the package: 'libp2p-muxers/interface', 'libp2p-muxers/web' and 'libp2p-muxers/yamux'
import { InvalidDataLengthError } from '../src/interface/index.ts'
import { toMessageStream } from '../src/transports/web.ts'
import { yamux } from '../src/yamux.ts'

// any connection will do; here one in memory
const there = new TransformStream<Uint8Array, Uint8Array>()
const back = new TransformStream<Uint8Array, Uint8Array>()
const client = await yamux()().multiplex(toMessageStream({ readable: back.readable, writable: there.writable }), { initiator: true })
const server = await yamux()().multiplex(toMessageStream({ readable: there.readable, writable: back.writable }), { initiator: false })

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Answers every question, until there are no more, or until one is too long. */
async function serve (): Promise<void> {
  const stream = await server.acceptStream()

  try {
    for await (const message of stream.lengthPrefixed({ maxSize: 1_000 })) {
      await stream.writeLengthPrefixed(encoder.encode(`${decoder.decode(message)}? Yes.`))
    }
  } catch (err) {
    if (err instanceof InvalidDataLengthError) {
      await stream.writeLengthPrefixed(encoder.encode(`${err.size} bytes? No.`))
    }
  } finally {
    await stream.close()
  }
}

const serving = serve()
const stream = await client.newStream()

for (const question of ['Tea', 'Cake', 'x'.repeat(2_000)]) {
  await stream.writeLengthPrefixed(encoder.encode(question))

  const answer = await stream.readLengthPrefixed({ signal: AbortSignal.timeout(5_000) })

  process.stdout.write(`${decoder.decode(answer ?? undefined)}\n`)
}

await stream.close()
await serving
await client.close()
