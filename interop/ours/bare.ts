/** Our muxer on a TCP socket, without encryption and without a node. */
import net from 'node:net'
import { toMessageStream } from '../../src/transports/node.ts'
import { tap } from '../recorder/recorder.ts'
import { MUXERS } from './muxers.ts'
import type { Meeting, MeetingOptions, Ours } from './index.ts'
import type { MuxedConnection, MuxedStream } from '../../src/yamux.ts'

export async function bare ({ muxer, options, dial }: MeetingOptions): Promise<Meeting> {
  const take = async (socket: net.Socket, direction: 'inbound' | 'outbound'): Promise<Ours> => {
    const recorder = MUXERS[muxer].record(direction === 'outbound' ? 'client' : 'server')
    const maConn = tap(toMessageStream(socket, { direction }), recorder)
    const connection = await MUXERS[muxer].create(options)().multiplex(maConn) as MuxedConnection

    return {
      muxer: connection,
      recorder,
      open: async signal => connection.newStream({ signal }),
      onStream (handler) {
        acceptAll(connection, handler).catch(() => {})
      },
      cut (lastBytes) {
        socket.write(lastBytes, () => { socket.resetAndDestroy() })
      },
      async stop () {
        socket.destroy()
      }
    }
  }

  if (dial !== undefined) {
    const [host, port] = dial.split(':')
    const socket = net.connect({ host, port: Number(port), ...HALF_OPEN })

    return {
      connected: new Promise((resolve, reject) => {
        socket.once('error', reject)
        socket.once('connect', () => {
          socket.off('error', reject)
          take(socket, 'outbound').then(resolve, reject)
        })
      }),
      stop: async () => { socket.destroy() }
    }
  }

  const server = net.createServer(HALF_OPEN)

  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })

  return {
    address: `127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    connected: new Promise((resolve, reject) => {
      server.once('connection', socket => {
        take(socket, 'inbound').then(resolve, reject)
        server.close()
      })
    }),
    stop: async () => { server.close() }
  }
}

const HALF_OPEN = { allowHalfOpen: true }

async function acceptAll (connection: MuxedConnection, handler: (stream: MuxedStream) => void): Promise<void> {
  for await (const stream of connection.inboundStreams) {
    handler(stream)
  }
}
