/**
 * The contract of the surface: what `MuxedConnection` and `MuxedStream` promise, whatever muxer is under them. What a
 * muxer cannot do has to be absent, which is a promise as well.
 */
import { noUnhandledRejections } from '../support/waiting.ts'
import { aftermath } from './surface/aftermath.ts'
import { connections } from './surface/connections.ts'
import { cuts } from './surface/cuts.ts'
import { listeners } from './surface/listeners.ts'
import { messages } from './surface/messages.ts'
import { pipes } from './surface/pipes.ts'
import { streams } from './surface/streams.ts'
import { waits } from './surface/waits.ts'
import type { SurfaceSetup } from './surface/kit.ts'

export type { SurfacePair, SurfaceSetup } from './surface/kit.ts'

export function surface (name: string, setup: SurfaceSetup): void {
  describe(`surface: ${name}`, () => {
    noUnhandledRejections()
    streams(setup)
    waits(setup)
    listeners(setup)
    messages(setup)
    pipes(setup)
    connections(setup)
    cuts(setup)
    aftermath(setup)
  })
}
