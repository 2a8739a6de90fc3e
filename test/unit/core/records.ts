import { StreamRecord } from '../../../src/core/stream-record.ts'
import type { StreamLimits } from '../../../src/core/stream-record.ts'

export const LIMITS: StreamLimits = {
  inactivityTimeout: Infinity,
  maxMessageSize: 65_536,
  maxReadBufferLength: 262_144,
  maxWriteBufferLength: Infinity,
  writeHighWaterMark: 262_144,
  writeStallTimeout: Infinity
}

/** A stream that nothing has happened to. */
export function record (id = 1, urgency?: number, inbound = false): StreamRecord {
  const stream = new StreamRecord(id, inbound, LIMITS, 0)

  stream.urgency = urgency ?? stream.urgency

  return stream
}
