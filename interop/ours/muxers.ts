/** Our muxers, and who reads along with them. */
import { mplex } from '../../src/mplex.ts'
import { yamux } from '../../src/yamux.ts'
import { MplexRecorder } from '../recorder/mplex-recorder.ts'
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

/** More than any scenario opens. */
const LIMITS = { maxInboundStreams: 2_000, maxOutboundStreams: 2_000 }

export const MUXERS: Record<MuxerName, OurMuxer> = {
  yamux: {
    create: options => yamux({ ...LIMITS, ...options }),
    record: role => new YamuxRecorder(role)
  },
  mplex: {
    // what readers do not take at once must not be the end of a stream here: that is what other tests are about
    create: options => mplex({ ...LIMITS, ...options, maxStreamBufferSize: 67_108_864 }),
    record: () => new MplexRecorder()
  }
}
