import { toMessageStream } from '../../src/transports/node.ts'
import { yamux } from '../../src/yamux.ts'
import { memoryLink } from '../support/memory-link.ts'
import { tcpSockets } from '../unit/transports/kit/carriers.ts'
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
