/**
 * What can be counted: plain objects, safe to turn into JSON. Bytes are payload, without headers. What is optional is
 * absent where a foreign muxer does not show it.
 */

export interface StreamStatistics {
  /** How long the stream has been open, or was, in milliseconds. */
  openMillis: number

  /** How often bytes had to wait for credit, and for how many milliseconds all in all: up to now, or until it came, or the stream ended. */
  stalls?: number
  stalledMillis?: number

  /** Bytes that wait to be sent, and to be read. */
  bytesQueued: number
  bytesUnread: number

  /** Who reset the stream, with which code, if anybody did. */
  reset?: { by: 'local' | 'remote' | 'transport', code?: number }
  bytesSent: number
  bytesReceived: number
  framesSent?: number
  framesReceived?: number

  /** Bytes that the peer still lets us send; absent where the protocol has no windows. */
  sendWindow?: number

  /** The window that we keep open for the peer; absent where the protocol has no windows. */
  receiveWindow?: number
}

export interface ConnectionStatistics {
  /** How long the connection has been open, or was, in milliseconds. */
  openMillis: number
  bytesSent: number
  bytesReceived: number

  /** Bytes that wait to be sent, on all streams. */
  bytesQueued: number

  /** How often the bytes of a stream had to wait for credit, and for how many milliseconds all in all: up to now, or until it came, or the stream ended. */
  stalls?: number
  stalledMillis?: number

  /** All frames, control frames included. */
  framesSent?: number
  framesReceived?: number
  windowUpdatesSent?: number
  windowUpdatesReceived?: number
  pingsSent?: number
  pingsReceived?: number
  streamsOpened: { inbound: number, outbound: number }
  streamsClosed: { inbound: number, outbound: number }
  streamsActive: { inbound: number, outbound: number }

  /** Inbound streams that nobody got, for want of room or of time, and outbound ones that we did not open for want of room. */
  streamsRefused?: { inbound: number, outbound: number }

  /** Streams that our side, or the peer, reset; those refused are not among them. */
  streamsReset: { local: number, remote: number }

  /** Round trip, in milliseconds; absent until one was measured. */
  rtt?: { last: number, min: number, smoothed: number }
}

/** With everything that our own muxers count. */
export type FullStreamStatistics = StreamStatistics & Required<Pick<StreamStatistics, 'stalls' | 'stalledMillis' | 'framesSent' | 'framesReceived'>>

export type FullConnectionStatistics = Required<Omit<ConnectionStatistics, 'rtt'>> & Pick<ConnectionStatistics, 'rtt'>
