/** Our muxers, and who reads along with them. */
import { yamux } from '../../src/yamux.ts'
import { YamuxRecorder } from '../recorder/recorder.ts'
import type { MuxerName } from './index.ts'
import type { Muxer } from '../../src/interface/muxer.ts'
import type { MuxedConnection, YamuxOptions } from '../../src/yamux.ts'
import type { WireRecorder } from '../recorder/recorder.ts'
import type { StreamMuxerFactory } from '@libp2p/interface'

type Factory = StreamMuxerFactory<MuxedConnection> & Muxer

interface OurMuxer {
  create(options: YamuxOptions): (components?: any) => Factory
  record(role: 'client' | 'server'): WireRecorder
}

export const MUXERS: Partial<Record<MuxerName, OurMuxer>> = {
  yamux: {
    create: options => yamux({ maxInboundStreams: 2_000, maxOutboundStreams: 2_000, ...options }),
    record: role => new YamuxRecorder(role)
  }
}

export function ourMuxer (name: MuxerName): OurMuxer {
  const muxer = MUXERS[name]

  if (muxer === undefined) {
    throw new Error(`we have no ${name}`)
  }

  return muxer
}
