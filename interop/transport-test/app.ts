/**
 * The libp2p project's application for cross-implementation tests of transports, with our muxers: told by its
 * environment whether it dials or listens, it meets its peer through Redis. See README.md.
 */
import { noise } from '@chainsafe/libp2p-noise'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { mplex } from '../../src/mplex.ts'
import { yamux } from '../../src/yamux.ts'
import { Redis } from './redis.ts'
import type { MuxedStream } from '../../src/yamux.ts'
import type { Libp2p } from '@libp2p/interface'

const PING = '/ipfs/ping/1.0.0'
const PING_BYTES = 32
const MUXERS = { yamux, mplex }
const TRANSPORTS = ['tcp']
const SECURE_CHANNELS = ['noise']

function setting (name: string, values?: string[]): string {
  const value = process.env[name]

  if (value === undefined || values?.includes(value) === false) {
    throw new Error(`${name} must be ${values?.join(' or ') ?? 'set'}, was ${value}`)
  }

  return value
}

async function createNode (listen: string[]): Promise<Libp2p> {
  setting('TRANSPORT', TRANSPORTS)
  setting('SECURE_CHANNEL', SECURE_CHANNELS)

  const muxer = MUXERS[setting('MUXER', Object.keys(MUXERS)) as keyof typeof MUXERS]

  const node = await createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [muxer()],
    connectionMonitor: { enabled: false }
  })

  await node.handle(PING, async stream => {
    for await (const data of stream) {
      stream.send(data)
    }

    await stream.close()
  })

  return node
}

async function listen (store: Redis, key: string): Promise<void> {
  const node = await createNode([`/ip4/${setting('LISTENER_IP')}/tcp/0`])
  const addresses = node.getMultiaddrs().map(address => address.toString())

  // others may be on other machines
  const address = addresses.find(address => !address.includes('/127.')) ?? addresses[0]

  await store.call('DEL', key)
  await store.call('RPUSH', key, address)
  process.stderr.write(`listening on ${address}\n`)
}

async function dial (store: Redis, key: string): Promise<void> {
  const node = await createNode([])
  const seconds = process.env.TEST_TIMEOUT_SECS ?? '180'
  const [, address] = await store.call('BLPOP', key, seconds)

  if (address === undefined) {
    throw new Error(`no listener came within ${seconds} s`)
  }

  const started = performance.now()
  const connection = await node.dial(multiaddr(address))
  const stream = await connection.newStream(PING) as MuxedStream

  await ping(stream)

  const handshakePlusOne = performance.now() - started
  const again = performance.now()

  await ping(stream)

  const roundTrip = performance.now() - again

  process.stdout.write(`latency:\n  handshake_plus_one_rtt: ${handshakePlusOne.toFixed(3)}\n  ping_rtt: ${roundTrip.toFixed(3)}\n  unit: ms\n`)
  store.close()
  await node.stop()
}

async function ping (stream: MuxedStream): Promise<void> {
  const payload = crypto.getRandomValues(new Uint8Array(PING_BYTES))

  await stream.write(payload)

  if (Buffer.compare(await stream.read({ bytes: PING_BYTES }), payload) !== 0) {
    throw new Error('the answer to the ping is another')
  }
}

const store = new Redis(setting('REDIS_ADDR'))
const key = `${setting('TEST_KEY')}_listener_multiaddr`

await (setting('IS_DIALER', ['true', 'false']) === 'true' ? dial(store, key) : listen(store, key))
