/** Our end of a connection, over bare TCP or as a node of libp2p: what the scenarios work with. */
import { bare } from './bare.ts'
import { host } from './host.ts'
import type { MuxedConnection, MuxedStream, YamuxOptions } from '../../src/yamux.ts'
import type { WireRecorder } from '../recorder/recorder.ts'

/** The muxers that both ends can have. */
export type MuxerName = 'yamux' | 'mplex'

/** How the muxers of two ends are brought together. */
export type Carrier = 'bare' | 'host'

export interface Ours {
  readonly muxer: MuxedConnection
  readonly recorder: WireRecorder
  open(signal?: AbortSignal): Promise<MuxedStream>

  /** Streams that the peer opens go here from now on. */
  onStream(handler: (stream: MuxedStream) => void): void

  /** Sends bytes beside the muxer, as they are, and cuts the connection without a word. */
  cut(lastBytes: Uint8Array): void

  /** Leaves nothing behind. */
  stop(): Promise<void>
}

export interface Meeting {
  /** Where a peer that dials finds us. */
  address?: string

  /** Once the peer is there. */
  connected: Promise<Ours>

  /** Before, or instead of, a connection. */
  stop(): Promise<void>
}

export interface MeetingOptions {
  muxer: MuxerName
  options: YamuxOptions

  /** Of the peer; without it we listen. */
  dial?: string
}

export const CARRIERS: Record<Carrier, (options: MeetingOptions) => Promise<Meeting>> = { bare, host }
