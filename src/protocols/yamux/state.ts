/** Everything that one yamux connection knows: shared by the rooms that act on it, with what all of them need to do. */
import { ConnectionState } from '../../core/connection-state.ts'
import { StreamTable } from '../../core/stream-table.ts'
import { Decoder } from './decoder.ts'
import { MAX_STREAM_ID, SESSION_ID } from './frame.ts'
import type { YamuxConfig } from './config.ts'
import type { YamuxStream } from './stream.ts'
import type { Pace } from '../../core/starvation.ts'
import type { Role } from '../../core/stream-table.ts'
import type { GrowthBudget } from '../../core/windows.ts'

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

export class YamuxState extends ConnectionState<YamuxStream, 'keep-alive' | 'pong' | 'held' | 'credit'> {
  readonly config: YamuxConfig
  readonly role: Role
  declare readonly table: StreamTable<YamuxStream>
  readonly decoder = new Decoder()

  /** Between what was last made and what came next there was nothing to do. */
  readonly pace: Writable<Pace> = { roundTrip: this.roundTrip, idleMillis: 0, bytesReceived: 0, sharedAt: -Infinity }
  polledAt = 0

  /** The stream that data last came for. */
  lastDataId: number = SESSION_ID
  readonly growth: GrowthBudget

  /** Streams whose credit waits for that of others. */
  creditWaiting: YamuxStream[] = []

  /** Data for this stream is being received; `undefined` while a body is skipped. */
  receiving: YamuxStream | undefined

  /** The frame that is being received ends its stream once its body is here. */
  finAfterBody = false

  /** Streams of ours that the peer has not acknowledged. */
  unacknowledged = 0
  openIsWaiting = false

  /** What a peer may still send, in good faith, for streams that are over, and credit for halves that we have ended. */
  lateFrames = 0
  lateBytes = 0
  lateCredit = 0

  readonly pongsOwed: number[] = []
  readonly pingsOwed: number[] = []
  readonly pingsPending = new Map<number, number>()

  /** Of those, the ones that nobody waits for any more, the oldest first; and how many were forgotten, whose answers may come yet. */
  readonly pingsGivenUp = new Set<number>()
  latePongs = 0
  nextPingId = 0

  /** Of our last keep-alive ping, and when the peer last gave a sign of life. */
  keepAlivePing: number | undefined
  aliveAt = 0

  goAwayOwed: number | undefined
  remoteGoAway: number | undefined

  constructor (role: Role, config: YamuxConfig) {
    super(new StreamTable(role, MAX_STREAM_ID), config)
    this.role = role
    this.config = config
    this.growth = { left: config.connectionWindowBudget }
  }
}

/**
 * Credit of fewer bytes is not used at once while more wait to be sent: a peer that grants a byte at a time would have
 * each byte framed, and perhaps written and encrypted, by itself. At 256 a header is a twentieth of its frame, and a
 * reader that keeps no more than 512 bytes is still served at once.
 */
const SILLY_BYTES = 256

/** After so many milliseconds it is used all the same, as the peer may have no more to give: RFC 1122 §4.2.3.4, from 100 to 1,000. */
const SILLY_MILLIS = 100

/** Data of the stream may go out now, as far as the stream is concerned. */
export function schedule (state: YamuxState, stream: YamuxStream): void {
  const { available } = stream.sendWindow

  if (available >= Math.min(stream.sendQueue.byteLength, SILLY_BYTES)) {
    if (stream.sendQueue.byteLength > 0) {
      stream.heldUntil = undefined
      state.scheduler.add(stream)
    }
  } else if (available > 0) {
    stream.heldUntil ??= state.now + SILLY_MILLIS
    state.deadlines.advance('held', stream.heldUntil)
  }
}

/** Little credit has been all there was for long enough. */
export function sendHeld (state: YamuxState, now: number): void {
  for (const stream of state.table.values()) {
    if (stream.heldUntil === undefined) {
      continue
    }

    if (stream.heldUntil > now) {
      state.deadlines.advance('held', stream.heldUntil)
      continue
    }

    stream.heldUntil = undefined

    if (stream.sendQueue.byteLength > 0) {
      state.scheduler.add(stream)
    }
  }
}

/** Pings that were given up are forgotten beyond this many: go-yamux drops what it has no room for. */
const MAX_GIVEN_UP = 1_024

/** Owes the peer a ping. Returns its id. */
export function requestPing (state: YamuxState): number {
  const id = state.nextPingId

  state.nextPingId = (id + 1) % 2 ** 32
  state.pingsOwed.push(id)

  return id
}

/** Nobody waits for the answer any more. It tells the round trip all the same, and is no offence even when the ping is forgotten. */
export function giveUpPing (state: YamuxState, id: number): void {
  const { pingsGivenUp, pingsOwed, pingsPending } = state

  if (pingsOwed.includes(id)) {
    pingsOwed.splice(pingsOwed.indexOf(id), 1)
  } else if (pingsPending.has(id)) {
    pingsGivenUp.add(id)
  }

  if (pingsGivenUp.size > MAX_GIVEN_UP) {
    const oldest = pingsGivenUp.keys().next().value as number

    pingsGivenUp.delete(oldest)
    pingsPending.delete(oldest)
    state.latePongs++
  }
}

/** Pings, one after the other, until the round trip is known. */
export function measureRoundTrip (state: YamuxState): void {
  if (!state.roundTrip.settled && state.pingsPending.size === 0 && state.pingsOwed.length === 0) {
    requestPing(state)
  }
}
