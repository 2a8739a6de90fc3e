/**
 * The seam between a language on the wire and whoever has the socket. An engine is a value: bytes in, streams and
 * bytes out, the time as an argument (milliseconds of any monotonic clock). It owns no socket, promise, timer or
 * logger, and is never re-entered: what it has to say is polled after it returned.
 *
 * After any call of the second or third kind, poll: transmit while the transport takes it, then streams, then events,
 * then the timeout.
 */
import type { StreamLimits, StreamRecord } from './stream-record.ts'
import type { FullConnectionStatistics, FullStreamStatistics } from '../interface/statistics.ts'

/** What an engine counts; how long things were open is its holder's to know. */
export type EngineStatistics = Omit<FullConnectionStatistics, 'openMillis'>
export type RecordStatistics = Omit<FullStreamStatistics, 'openMillis' | 'reset'>

export type EngineState = 'open' | 'draining' | 'closed'

/** What happened to the connection as a whole. */
export type EngineEvent =
  /** An answer to `ping()`. */
  | { type: 'pong', id: number, rtt: number }
  /** The peer will accept no more streams; with a code other than 0 the connection is over as well. */
  | { type: 'go-away', code: number }
  /** `open()` may succeed again. */
  | { type: 'available' }
  /** Over, with the GoAway that is owed as the last thing to transmit. */
  | { type: 'closed', error: Error | undefined }

export interface OpenOptions {
  urgency?: number
  incremental?: boolean

  /** Limits that differ from the connection's. */
  limits?: {
    inactivityTimeout?: number
    maxReadBufferLength?: number
    maxWriteBufferLength?: number
    writeHighWaterMark?: number
    writeStallTimeout?: number
    initialStreamWindowSize?: number
    maxStreamWindowSize?: number
  }
}

export interface Engine {
  // look: changes nothing
  readonly state: EngineState
  readonly streams: Iterable<StreamRecord>
  readonly streamCount: { inbound: number, outbound: number }

  /** A frame is owed, or data can be sent: `pollTransmit` would return something. */
  readonly wantsTransmit: boolean
  readonly roundTrip: { readonly last: number | undefined, readonly min: number | undefined, readonly smoothed: number | undefined }

  /** With the time, stalls that are under way count up to it; without, up to when the engine was last told the time. */
  statistics(now?: number): EngineStatistics
  streamStatistics(stream: StreamRecord, now?: number): RecordStatistics

  // what the world did: never throws for what a peer did
  receive(bytes: Uint8Array, now: number): void

  /** The transport took what it had refused before: a sign of life, as more went out than it can keep. */
  receiveDrain(now: number): void
  receiveEnd(cause: Error | undefined, now: number): void
  handleTimeout(now: number): void

  // what the application wants
  /** `undefined`: too many streams wait for the peer's ACK; `available` follows. Throws at the limit of open streams. */
  open(now: number, options?: OpenOptions): StreamRecord | undefined

  /** The application took an inbound stream, so the peer may be told. */
  accept(stream: StreamRecord): void

  /** Queues a reference to the bytes. `false`: over the high-water mark, `Edge.writable` follows. */
  write(stream: StreamRecord, bytes: Uint8Array, now: number): boolean

  /** What was read of the stream so far was not for the application, which has not begun. Returns whether more waits so now than may. */
  begin(stream: StreamRecord): boolean

  /** Resets streams that nobody has begun to read until no more waits on them than may. */
  relieve(now: number): void

  /** The next bytes, at most `max`: taking them is what returns credit. */
  read(stream: StreamRecord, max: number, now: number): Uint8Array | undefined

  /** What was read is unread again, before what came since or after it. Its credit went back with the first read, and does not again. */
  pushBack(stream: StreamRecord, pieces: Uint8Array[], inFront: boolean, now: number): void

  /** The same by a reader that gave up: what it had in hand is still the application's, and nothing gives way for it. */
  giveBack(stream: StreamRecord, pieces: Uint8Array[]): void

  /** What is unread will stay so for longer than the moment: it is made small. */
  retain(stream: StreamRecord): void

  /** Changes some of the limits of a stream, from now on. */
  limit(stream: StreamRecord, limits: Partial<StreamLimits>): void
  end(stream: StreamRecord, now: number): void
  closeRead(stream: StreamRecord, now: number): void
  reset(stream: StreamRecord, code: number, error: Error | undefined, now: number): void

  /** Resets an inbound stream that the application never had: it counts as refused, not as reset. */
  refuse(stream: StreamRecord, code: number, error: Error, now: number): void

  /** Returns the id that the `pong` event will have; `undefined` where the language has no ping. */
  ping(now: number): number | undefined

  /** Nobody waits for that `pong` any more. It comes, if it does: but of all pings only such as these may be forgotten. */
  giveUpPing(id: number): void

  /** Opens and accepts no more; what is open goes on. */
  drain(refuse?: boolean): void

  /** The end: every stream that has not ended ends with `error`, and a GoAway is the last thing to transmit. */
  close(code: number | undefined, error: Error | undefined, now: number): void

  // what is owed
  /** Frames of about `max` bytes, made now; `undefined` when nothing is owed. */
  pollTransmit(max: number, now: number): Uint8Array[] | undefined
  pollStream(): StreamRecord | undefined
  pollEvent(): EngineEvent | undefined
  pollTimeout(): number | undefined
}
