/** The contract of the surface for a muxer of ours, over all that it may run on. */
import { toMessageStream } from '../../src/transports/node.ts'
import { toMessageStream as webToMessageStream } from '../../src/transports/web.ts'
import { memoryLink } from '../support/memory-link.ts'
import { tcpSockets, webStreams } from '../unit/transports/kit/carriers.ts'
import { surface } from './surface.ts'
import type { Abilities } from './surface/kit.ts'
import type { Muxer } from '../../src/interface/muxer.ts'

export function surfaceOverCarriers (name: string, can: Abilities, createMuxer: (options?: { acceptBacklog?: number }) => Muxer): void {
  surface(`${name} in memory`, {
    can,
    async connect (options) {
      const muxer = createMuxer(options)
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

  surface(`${name} over TCP`, {
    can,
    async connect (options) {
      const muxer = createMuxer(options)
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

  surface(`${name} over Web Streams`, {
    can,
    async connect (options) {
      const muxer = createMuxer(options)
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
}
