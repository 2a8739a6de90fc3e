/** A peer for the interoperability tests, with the muxers of others in nodes of js-libp2p: see ../../README.md. */
import { noise } from '@chainsafe/libp2p-noise'
import { yamux as chainsafeYamux } from '@chainsafe/libp2p-yamux'
import { mplex } from '@libp2p/mplex'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { MODES } from './modes.ts'
import { report } from './report.ts'
import type { Session } from './modes.ts'
import type { Connection, Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'

const PROTOCOL = '/interop/1.0.0'
const STREAMS = 2_000

const FACTORIES: Record<string, () => (components: any) => StreamMuxerFactory> = {
  '@libp2p/yamux': () => yamux({ maxInboundStreams: STREAMS, maxOutboundStreams: STREAMS }),
  '@chainsafe/libp2p-yamux': () => chainsafeYamux({ maxInboundStreams: STREAMS, maxOutboundStreams: STREAMS }) as (components: any) => StreamMuxerFactory,
  '@libp2p/mplex': () => mplex({ disconnectThreshold: Infinity })
}

const [name, mode, number, address] = process.argv.slice(2)

if (FACTORIES[name] === undefined || MODES[mode] === undefined) {
  throw new Error(`usage: peer.ts MUXER MODE NUMBER [ADDRESS]: there is no muxer ${name}, or no mode ${mode}`)
}

const muxers: StreamMuxer[] = []

const node = await createLibp2p({
  addresses: { listen: address === undefined ? ['/ip4/127.0.0.1/tcp/0'] : [] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [components => {
    const factory = FACTORIES[name]()(components)
    const create = factory.createStreamMuxer.bind(factory)

    factory.createStreamMuxer = maConn => {
      const muxer = create(maConn)

      muxers.push(muxer)

      return muxer
    }

    return factory
  }],
  connectionManager: { inboundStreamProtocolNegotiationTimeout: 60_000, outboundStreamProtocolNegotiationTimeout: 60_000 },
  connectionMonitor: { enabled: false }
})

const waiting: Stream[] = []
let onStream = (stream: Stream): void => { waiting.push(stream) }

await node.handle(PROTOCOL, stream => { onStream(stream) }, { maxInboundStreams: STREAMS, maxOutboundStreams: STREAMS })

function run (connection: Connection): void {
  const session: Session = {
    open: async () => connection.newStream(PROTOCOL, { maxOutboundStreams: STREAMS }),
    onStream (handler) {
      onStream = handler
      waiting.splice(0).forEach(handler)
    },
    onClose (handler) {
      connection.addEventListener('close', handler)
    },
    muxer: muxers[0]
  }

  report({ event: 'connected' })
  MODES[mode](session, Number(number))
}

process.stdin.resume()
process.stdin.on('end', () => { process.exit(0) })

if (address === undefined) {
  node.addEventListener('connection:open', event => { run(event.detail) }, { once: true })
  process.stdout.write(`${node.getMultiaddrs()[0]}\n`)
} else {
  process.stdout.write(`${address}\n`)
  run(await node.dial(multiaddr(address)))
}
