/** What an attack is, and what is said of it. */
import type { Wire } from './wire.ts'

/** The languages on the wire. */
export type Language = 'yamux' | 'mplex'

/**
 * What the victim's application does with a stream of the attacker: reads it, echoes it, with or without asking whether it may, keeps it and never reads, keeps
 * the first and reads the others or the other way round, writes as much as it is let, in large or in small messages, ends
 * both halves at once, or ends its own and does not read, of all streams or of the first thousand, or reads a message with its
 * length in front, and gives the stream up if that takes too long, or agrees on a protocol and reads no more. Or it is slow: it
 * has every stream in hand and comes to none of them. Or it echoes, and opens streams of its own meanwhile, one for each that is over.
 */
export type App = 'read' | 'echo' | 'echo-plainly' | 'ignore' | 'hold-first' | 'read-first' | 'write' | 'write-small' | 'leave' | 'end-first' | 'end-thousand' | 'slow' | 'read-message' | 'negotiate' | 'give-up' | 'request' | 'accept-first'

/** The frames that both languages have, for the `n`th stream of the attacker, counted from 0. */
export interface Dialect {
  open(n: number): Uint8Array
  data(n: number, body: Uint8Array): Uint8Array
  end(n: number): Uint8Array
  reset(n: number): Uint8Array

  /** Of the `n`th stream of the victim. */
  resetTheirs(n: number): Uint8Array

  /** The first bytes of data of so many bytes. */
  announce(n: number, length: number): Uint8Array
}

export interface Attack {
  name: string
  title: string
  languages: Language[]

  /** @default 'read' */
  app?: App

  /** The attacker leaves in its socket what the victim sends. @default false */
  deaf?: boolean

  /** How it must end for ours, in the words of the table; one of several where a busy machine decides. */
  ends: string | string[] | Record<Language, string>
  run(wire: Wire, dialect: Dialect): Promise<void>
}

export interface Outcome {
  attack: string
  victim: string

  /** `harmless`: nothing was closed. `stalled`: the victim took no more. */
  end: 'harmless' | 'closed' | 'zombie' | 'stalled' | 'cut off' | 'crashed' | 'out of memory'

  /** The error that the victim's connection ended with, if it did. */
  error?: { name: string, message: string, budget?: string }

  /** What the attacker heard of the end: the last word of the muxer, or how the connection under it ended. */
  told?: string

  /** Rejections that nobody handled, and exceptions that nobody caught. */
  unhandled: string[]

  /** Bytes that the attacker sent. */
  sentBytes: number

  /** By how much live memory and resident memory of the victim grew at most, in bytes. */
  liveGrowth: number
  residentGrowth: number

  /** The longest that an echo on another connection of the victim's took, in milliseconds; and before the attack. */
  heldMillis: number
  quietMillis: number
  seconds: number
}

export type ToVictim = { type: 'begin', app: App } | { type: 'look' }

/** What the victim says of the connection that is attacked. */
export interface Look {
  receivedBytes: number
  muxer: string
  connection: string
  error?: Outcome['error']
  unhandled: string[]

  /** Live memory after collecting garbage, in bytes: when the attack began, and the most since. */
  liveBefore: number
  livePeak: number
}

export type FromVictim = { type: 'listening', port: number } | { type: 'begun' } | { type: 'look', look: Look }

export type FromAttacker = { type: 'sent', bytes: number } | { type: 'told', what: string } | { type: 'done', bytes: number, closed: boolean }
