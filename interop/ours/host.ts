/** Our muxer in a node of libp2p, over TCP and noise. */
import { noise } from '@chainsafe/libp2p-noise'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { tap } from '../recorder/recorder.ts'
import { MUXERS } from './muxers.ts'
import type { Meeting, MeetingOptions, Ours } from './index.ts'
import type { MuxedConnection, MuxedStream } from '../../src/yamux.ts'
import type { WireRecorder } from '../recorder/recorder.ts'
import type { Connection, MessageStream } from '@libp2p/interface'

const PROTOCOL = '/interop/1.0.0'
const PATIENCE_MILLIS = 120_000

export async function host ({ muxer, options, dial }: MeetingOptions): Promise<Meeting> {
  const arrived: MuxedStream[] = []
  let onStream = (stream: MuxedStream): void => { arrived.push(stream) }
  const muxed = Promise.withResolvers<{ muxer: MuxedConnection, maConn: MessageStream, send: MessageStream['send'], recorder: WireRecorder }>()

  const node = await createLibp2p({
    addresses: { listen: dial === undefined ? ['/ip4/127.0.0.1/tcp/0'] : [] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [components => {
      const factory = MUXERS[muxer].create(options)(components)
      const create = factory.createStreamMuxer.bind(factory)

      factory.createStreamMuxer = maConn => {
        const recorder = MUXERS[muxer].record(maConn.direction === 'outbound' ? 'client' : 'server')
        const send = maConn.send.bind(maConn)
        const connection = create(tap(maConn, recorder)) as MuxedConnection

        muxed.resolve({ muxer: connection, maConn, send, recorder })

        return connection
      }

      return factory
    }],
    connectionManager: {
      inboundConnectionThreshold: Infinity,
      inboundStreamProtocolNegotiationTimeout: PATIENCE_MILLIS,
      outboundStreamProtocolNegotiationTimeout: PATIENCE_MILLIS
    },
    // its pings would be streams of their own
    connectionMonitor: { enabled: false }
  })

  await node.handle(PROTOCOL, stream => { onStream(stream as MuxedStream) }, { maxInboundStreams: 2_000, maxOutboundStreams: 2_000 })

  const connected = async (connection: Connection): Promise<Ours> => {
    const { muxer, maConn, send, recorder } = await muxed.promise

    return {
      muxer,
      recorder,
      open: async signal => await connection.newStream(PROTOCOL, { maxOutboundStreams: 2_000, signal }) as MuxedStream,
      onStream (handler) {
        onStream = handler
        arrived.splice(0).forEach(handler)
      },
      cut (lastBytes) {
        // beside the recorder: it would object
        send(lastBytes)
        maConn.abort(new Error('cut by the scenario'))
      },
      stop: async () => node.stop()
    }
  }

  const inbound = new Promise<Connection>(resolve => {
    node.addEventListener('connection:open', event => { resolve(event.detail) }, { once: true })
  })

  return {
    address: node.getMultiaddrs()[0]?.toString(),
    connected: (dial === undefined ? inbound : node.dial(multiaddr(dial))).then(connected),
    stop: async () => node.stop()
  }
}
