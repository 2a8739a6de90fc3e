/** An urgent message overtakes a bulk transfer on the same connection. Urgency is that of RFC 9218: 0 goes first, 7 last. */
import net from 'node:net'
// of the package: 'libp2p-muxers/node' and 'libp2p-muxers/yamux'
import { toMessageStream } from '../src/transports/node.ts'
import { yamux } from '../src/yamux.ts'
import type { MuxedStream } from '../src/interface/index.ts'

const BULK_BYTES = 32 * 1024 * 1024

const listener = net.createServer({ allowHalfOpen: true })
const accepted = new Promise<net.Socket>(resolve => { listener.once('connection', resolve) })

await new Promise<void>(resolve => { listener.listen(0, '127.0.0.1', resolve) })

const { port } = listener.address() as net.AddressInfo
const client = await yamux()().multiplex(toMessageStream(net.connect({ host: '127.0.0.1', port, allowHalfOpen: true })), { initiator: true })
const server = await yamux()().multiplex(toMessageStream(await accepted), { initiator: false })

listener.close()

async function readAll (stream: MuxedStream): Promise<number> {
  let bytes = 0

  for await (const chunk of stream) {
    bytes += chunk.byteLength
  }

  await stream.close()

  return bytes
}

const bulk = await client.newStream({ priority: { urgency: 7 } })
const reading = readAll(await server.acceptStream())

// all of it is queued before the message is written
bulk.send(new Uint8Array(BULK_BYTES))

const urgent = await client.newStream({ priority: { urgency: 0 } })

await urgent.write(new TextEncoder().encode('stop'))
await urgent.closeWrite()

const message = await (await server.acceptStream()).read()

process.stdout.write(`${new TextDecoder().decode(message ?? undefined)} came before ${bulk.writeBufferLength > 0 ? 'all' : 'none'} of the bulk was sent\n`)

// the priority of a stream may be changed while it is open
bulk.priority = { urgency: 3, incremental: true }
await bulk.close()
process.stdout.write(`${await reading} bytes came after all\n`)
await client.close()
