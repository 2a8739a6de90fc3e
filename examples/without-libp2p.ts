/** Streams over TLS, without a libp2p node: sockets of `node:tls`, yamux on top. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import tls from 'node:tls'
// of the package: 'libp2p-muxers/node' and 'libp2p-muxers/yamux'
import { toMessageStream } from '../src/transports/node.ts'
import { yamux } from '../src/yamux.ts'
import type { AddressInfo } from 'node:net'

const { key, cert } = throwAwayCertificate('localhost')

// allowHalfOpen: an end that closes first still hears the last words of the other
const server = tls.createServer({ key, cert, allowHalfOpen: true }, async socket => {
  await using connection = await yamux()().multiplex(toMessageStream(socket), { initiator: false })

  for await (const stream of connection.inboundStreams) {
    const name = await stream.read()

    await stream.write(Buffer.from(`Good day, ${Buffer.from(name ?? []).toString()}`))
    await stream.close()
  }
}).listen(0, '127.0.0.1')
await once(server, 'listening')

const { port } = server.address() as AddressInfo
const socket = tls.connect({ host: '127.0.0.1', servername: 'localhost', ca: cert, port, ...{ allowHalfOpen: true } })
const connection = await yamux()().multiplex(toMessageStream(socket), { initiator: true })

// two streams at once on one connection
await Promise.all(['Alice', 'Bob'].map(async name => {
  await using stream = await connection.newStream({ signal: AbortSignal.timeout(5_000) })

  await stream.write(Buffer.from(name))
  process.stdout.write(`${Buffer.from(await stream.read() ?? []).toString()}\n`)
}))

await connection.close()
server.close()

/** Signed by itself, to spare the example its files: yours come from an authority. */
function throwAwayCertificate (host: string): { key: string, cert: string } {
  const der = (tag: number, ...parts: Array<Uint8Array | string>): Buffer => {
    const body = Buffer.concat(parts.map(part => Buffer.from(part as string)))

    return Buffer.concat([Buffer.of(tag, ...body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 255]), body])
  }
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ecdsa = der(0x30, der(0x06, Buffer.from('2a8648ce3d040302', 'hex')))
  const name = der(0x30, der(0x31, der(0x30, der(0x06, Buffer.from('550403', 'hex')), der(0x0c, host))))
  const validity = der(0x30, der(0x17, '200101000000Z'), der(0x17, '491231235959Z'))
  const content = der(0x30, der(0x02, Buffer.of(1)), ecdsa, name, validity, name, publicKey.export({ type: 'spki', format: 'der' }))
  const signed = der(0x30, content, ecdsa, der(0x03, Buffer.of(0), sign('sha256', content, privateKey)))

  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${signed.toString('base64')}\n-----END CERTIFICATE-----\n`
  }
}
