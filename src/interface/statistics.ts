/** What can be counted: plain objects, safe to turn into JSON. Bytes are payload, without headers. */

export interface StreamStatistics {
  bytesSent: number
  bytesReceived: number
  framesSent: number
  framesReceived: number

  /** Bytes that the peer still lets us send; absent where the protocol has no windows. */
  sendWindow?: number

  /** The window that we keep open for the peer; absent where the protocol has no windows. */
  receiveWindow?: number
}

export interface ConnectionStatistics {
  bytesSent: number
  bytesReceived: number

  /** All frames, control frames included. */
  framesSent: number
  framesReceived: number
  windowUpdatesSent: number
  windowUpdatesReceived: number
  pingsSent: number
  pingsReceived: number
  streamsOpened: { inbound: number, outbound: number }
  streamsActive: { inbound: number, outbound: number }

  /** Inbound streams that we reset for want of room. */
  streamsRefused: number

  /** Streams that our side, or the peer, reset. */
  streamsReset: { local: number, remote: number }

  /** Round trip, in milliseconds; absent until one was measured. */
  rtt?: { last: number, min: number, smoothed: number }
}
