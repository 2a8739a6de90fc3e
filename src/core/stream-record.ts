/**
 * What an engine knows of one stream, whatever the language on the wire. The shell holds the record itself, so that no
 * hot path looks anything up by id; it may read every field and changes none but `attachment`.
 */
import { ReceiveQueue } from './receive-queue.ts'
import { SendQueue } from './send-queue.ts'
import { RECEIVE, SEND } from './stream-state.ts'
import type { ReceiveHalf, SendHalf, StreamInput } from './stream-state.ts'

/** What happened to a stream since the shell last looked: bits, each raised once however often it happened. */
export const Edge = {
  /** The peer opened it. */
  opened: 1,
  /** Bytes wait to be read. */
  readable: 2,
  /** The peer will send no more. */
  remoteEnded: 4,
  /** The send queue fell below its low-water mark. */
  writable: 8,
  /** The send queue is empty. */
  flushed: 16,
  /** Our FIN is on its way, or both halves are over: nothing more will happen on the wire. */
  ended: 32,
  closed: 64
} as const

/** RFC 9218 §4.1: 0 is the most urgent, 7 the least. */
export const DEFAULT_URGENCY = 3

/** The limits of one stream; `../interface/options.ts` says what each means. */
export interface StreamLimits {
  inactivityTimeout: number

  /** The largest payload of a frame. */
  maxMessageSize: number
  maxReadBufferLength: number
  maxWriteBufferLength: number
  writeHighWaterMark: number
  writeStallTimeout: number
}

/** What does not fit a number without loss is a bigint, so that no two ids are ever the same number. */
export type StreamId = number | bigint

export class StreamRecord {
  /** Tells it from all other streams of the connection that are open. */
  readonly id: StreamId
  readonly inbound: boolean

  send: SendHalf = 'open'
  receive: ReceiveHalf = 'open'

  /** Our application reads no more; the languages have no word to tell the peer. */
  readClosed = false

  /** Why the stream ended, when it was not by both FINs. */
  error: Error | undefined

  /** Frames are made for it only from when the peer may know of it. */
  readonly sendQueue = new SendQueue()
  readonly receiveQueue = new ReceiveQueue()
  limits: StreamLimits

  /** `write()` went over the high-water mark; `Edge.writable` follows. */
  needsDrain = false

  /** RFC 9218 §4: a stream that is not incremental goes on until it has nothing to send, before others of its urgency. */
  urgency = DEFAULT_URGENCY
  incremental = true

  /** When something was last sent, received or read, and since when credit is missing. */
  activeAt: number
  stalledAt: number | undefined

  /** How often credit was missing, and for how many whole milliseconds until it came. */
  stalls = 0
  stalledMillis = 0

  bytesSent = 0
  bytesReceived = 0
  framesSent = 0
  framesReceived = 0

  /** The shell's own object for this stream. */
  attachment: unknown

  // belongs to the edge queue
  edges = 0
  nextEdge: StreamRecord | undefined

  // belongs to the scheduler
  scheduled = false
  nextScheduled: StreamRecord | undefined

  // belongs to the engine: frames owed beside data, and the place in their lane
  owed = 0
  nextOwed: StreamRecord | undefined

  constructor (id: StreamId, inbound: boolean, limits: StreamLimits, now: number) {
    this.id = id
    this.inbound = inbound
    this.limits = limits
    this.activeAt = now
  }

  /** What people call it. */
  get name (): string {
    return `${this.id}`
  }

  /** Both halves are over. */
  get closed (): boolean {
    return this.receive !== 'open' && (this.send === 'ended' || this.send === 'reset')
  }

  /** Applies an input to both halves. `false`: refused, nothing changed. */
  apply (input: StreamInput): boolean {
    const send = SEND[input][this.send]
    const receive = RECEIVE[input][this.receive]

    if (send === undefined || receive === undefined) {
      return false
    }

    this.send = send
    this.receive = receive

    return true
  }
}
