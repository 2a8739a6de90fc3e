import { mplex } from '@libp2p/mplex'
import { yamux } from '@libp2p/yamux'
import { muxedConnection } from '../../src/index.ts'
import { memoryLink } from '../support/memory-link.ts'
import { surface } from './surface.ts'
import type { SurfaceSetup } from './surface.ts'
import type { StreamMuxerFactory } from '@libp2p/interface'

function over (factory: StreamMuxerFactory): SurfaceSetup['connect'] {
  return async options => {
    const link = memoryLink()
    const [dialer, listener] = [link.outbound, link.inbound].map(secured => muxedConnection(factory.createStreamMuxer(secured), { ...options, secured }))

    return {
      dialer,
      listener,
      cut () {
        link.cut(new Error('the cable was cut'))
      }
    }
  }
}

surface('@libp2p/yamux', {
  can: { codes: false, flowControl: true, windows: false, ping: true, openBacklog: false, countsFrames: false },
  connect: over(yamux({ enableKeepAlive: false })())
})

surface('@libp2p/mplex', {
  can: { codes: false, flowControl: false, windows: false, ping: false, openBacklog: false, countsFrames: false },
  connect: over(mplex({ disconnectThreshold: Infinity })())
})
