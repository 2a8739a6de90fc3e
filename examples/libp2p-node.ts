/** Two libp2p nodes in one process, over TCP, noise and this yamux: one echoes what the other says. */
import { noise } from '@chainsafe/libp2p-noise'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
// of the package: 'libp2p-muxers/interface' and 'libp2p-muxers/yamux'
import { isMuxedStream } from '../src/interface/index.ts'
import { yamux } from '../src/yamux.ts'
import type { Libp2p } from 'libp2p'

const PROTOCOL = '/echo/1.0.0'

async function createNode (): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()]
  })
}

const [alice, bob] = await Promise.all([createNode(), createNode()])

await bob.handle(PROTOCOL, async stream => {
  for await (const data of stream) {
    if (!stream.send(data)) {
      await stream.onDrain()
    }
  }

  await stream.close()
})

const stream = await alice.dialProtocol(bob.getMultiaddrs(), PROTOCOL)

// libp2p knows it as its own `Stream`; the guard tells that it is more
if (isMuxedStream(stream)) {
  await stream.write(new TextEncoder().encode('hello, Bob'))
  await stream.closeWrite()

  const answer = await stream.read()

  process.stdout.write(`Bob echoes: ${new TextDecoder().decode(answer ?? undefined)}\n`)
}

await Promise.all([alice.stop(), bob.stop()])
