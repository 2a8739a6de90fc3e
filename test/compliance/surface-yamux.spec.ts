import { toMessageStream } from '../../src/transports/node.ts'
import { toMessageStream as webToMessageStream } from '../../src/transports/web.ts'
import { yamux } from '../../src/yamux.ts'
import { memoryLink } from '../support/memory-link.ts'
import { tcpSockets, webStreams } from '../unit/transports/kit/carriers.ts'
import { surface } from './surface.ts'
import type { Abilities } from './surface/kit.ts'

const can: Abilities = { codes: true, flowControl: true, windows: true, ping: true, openBacklog: true, countsFrames: true }

surface('yamux in memory', {
  can,
  async connect (options) {
    const muxer = yamux({ enableKeepAlive: false, ...options })()
    const link = memoryLink()

    return {
      dialer: await muxer.multiplex(link.outbound),
      listener: await muxer.multiplex(link.inbound),
      cut () {
        link.cut(new Error('the cable was cut'))
      }
    }
  }
})

surface('yamux over TCP', {
  can,
  async connect (options) {
    const muxer = yamux({ enableKeepAlive: false, ...options })()
    const { dialer, listener } = await tcpSockets()

    return {
      dialer: await muxer.multiplex(toMessageStream(dialer), { initiator: true }),
      listener: await muxer.multiplex(toMessageStream(listener), { initiator: false }),
      cut () {
        dialer.destroy()
        listener.destroy()
      }
    }
  }
})

surface('yamux over Web Streams', {
  can,
  async connect (options) {
    const muxer = yamux({ enableKeepAlive: false, ...options })()
    const { ways: [there, back], fail } = webStreams()

    return {
      dialer: await muxer.multiplex(webToMessageStream({ readable: back.readable, writable: there.writable }), { initiator: true }),
      listener: await muxer.multiplex(webToMessageStream({ readable: there.readable, writable: back.writable }), { initiator: false }),
      cut () {
        fail(new Error('the cable was cut'))
      }
    }
  }
})
