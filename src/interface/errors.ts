/**
 * Every error that this package raises, each told apart by its `name`. Where libp2p has a class of its own, ours
 * extends it and keeps its name, so that code written for libp2p goes on matching.
 *
 * Beside the name an error says how far it reaches (`scope`), who brought it about (`origin`), the number on the wire
 * if there was one (`code`) and what led to it (`cause`).
 */
import {
  ConnectionClosedError as LibP2PConnectionClosedError,
  ProtocolError as LibP2PProtocolError,
  StreamResetError as LibP2PStreamResetError,
  TimeoutError as LibP2PTimeoutError
} from '@libp2p/interface'
import { errorCodeName } from './codes.ts'

export {
  InvalidParametersError,
  MuxerClosedError,
  StreamBufferError,
  StreamStateError,
  TooManyOutboundProtocolStreamsError
} from '@libp2p/interface'

/** How far an error reaches. */
export type ErrorScope = 'stream' | 'connection'

/** Who brought an error about: our side, the peer, or what carries the bytes. */
export type ErrorOrigin = 'local' | 'remote' | 'transport'

export interface MuxErrorInit {
  scope: ErrorScope
  origin: ErrorOrigin

  /** The number that was, or will be, on the wire. */
  code?: number

  /** Its name, if libp2p gave it one. */
  codeName?: string
  cause?: unknown
}

/** What all errors of this package carry. */
export interface MuxError extends Error, MuxErrorInit {}

/** The stream was reset, by the peer or on its account. */
export class StreamResetError extends LibP2PStreamResetError implements MuxError {
  static name = 'StreamResetError'
  readonly scope: ErrorScope = 'stream'
  readonly origin: ErrorOrigin
  readonly code?: number
  readonly codeName?: string

  constructor (message: string, init: Omit<MuxErrorInit, 'scope'>) {
    super(message)
    this.origin = init.origin
    this.code = init.code
    this.codeName = init.code === undefined ? undefined : errorCodeName('stream', init.code)
    this.cause = init.cause
  }
}

/** The peer, or a caller, broke the protocol: `code` is what our GoAway says. */
export class ProtocolError extends LibP2PProtocolError implements MuxError {
  static name = 'ProtocolError'
  readonly scope: ErrorScope = 'connection'
  readonly origin: ErrorOrigin = 'remote'
  readonly code: number

  constructor (message: string, code: number) {
    super(message)
    this.code = code
  }
}

/** Something did not happen in time; the message names the option that set the time. */
export class TimeoutError extends LibP2PTimeoutError implements MuxError {
  static name = 'TimeoutError'
  readonly scope: ErrorScope
  readonly origin: ErrorOrigin
  readonly code?: number

  constructor (message: string, init: MuxErrorInit) {
    super(message)
    this.scope = init.scope
    this.origin = init.origin
    this.code = init.code
  }
}

/** The connection under the streams ended before they did. */
export class ConnectionClosedError extends LibP2PConnectionClosedError implements MuxError {
  static name = 'ConnectionClosedError'
  readonly scope: ErrorScope = 'connection'
  readonly origin: ErrorOrigin
  readonly code?: number

  constructor (message: string, init: Omit<MuxErrorInit, 'scope'>) {
    super(message)
    this.origin = init.origin
    this.code = init.code
    this.cause = init.cause
  }
}

/** The peer said GoAway and cut streams that had not ended. */
export class GoAwayError extends Error implements MuxError {
  static name = 'GoAwayError'
  readonly scope: ErrorScope = 'connection'
  readonly origin: ErrorOrigin = 'remote'
  readonly code: number
  readonly codeName?: string

  constructor (message: string, code: number) {
    super(message)
    this.name = 'GoAwayError'
    this.code = code
    this.codeName = errorCodeName('connection', code)
  }
}

/** The peer made us do or keep more than a budget allows; the message names budget, limit and option. */
export class BudgetExceededError extends Error implements MuxError {
  static name = 'BudgetExceededError'
  readonly scope: ErrorScope = 'connection'
  readonly origin: ErrorOrigin = 'remote'
  readonly budget: string
  readonly code: number

  constructor (message: string, budget: string, code: number) {
    super(message)
    this.name = 'BudgetExceededError'
    this.budget = budget
    this.code = code
  }
}

/** More streams came in than `maxEarlyStreams` before anybody listened for them. */
export class MaxEarlyStreamsError extends Error implements MuxError {
  static name = 'MaxEarlyStreamsError'
  readonly scope: ErrorScope = 'connection'
  readonly origin: ErrorOrigin = 'remote'

  constructor (message: string) {
    super(message)
    this.name = 'MaxEarlyStreamsError'
  }
}

/** The stream ended before it had brought what was asked for. */
export class UnexpectedEOFError extends Error implements MuxError {
  static name = 'UnexpectedEOFError'
  readonly scope: ErrorScope = 'stream'
  readonly origin: ErrorOrigin = 'remote'

  constructor (message: string) {
    super(message)
    this.name = 'UnexpectedEOFError'
  }
}

/** A message is longer than is accepted. The name is that of `@libp2p/utils`. */
export class InvalidDataLengthError extends Error implements MuxError {
  static name = 'InvalidDataLengthError'
  readonly scope: ErrorScope = 'stream'
  readonly origin: ErrorOrigin = 'remote'

  /** In bytes. */
  readonly size: number
  readonly maxSize: number

  constructor (size: number, maxSize: number) {
    super(`the message has ${size} bytes, at most ${maxSize} are accepted (option maxSize)`)
    this.name = 'InvalidDataLengthError'
    this.size = size
    this.maxSize = maxSize
  }
}

/** The length in front of a message is no varint that is accepted. The name is that of `@libp2p/utils`. */
export class InvalidDataLengthLengthError extends Error implements MuxError {
  static name = 'InvalidDataLengthLengthError'
  readonly scope: ErrorScope = 'stream'
  readonly origin: ErrorOrigin = 'remote'

  constructor (message: string) {
    super(message)
    this.name = 'InvalidDataLengthLengthError'
  }
}

/** An empty message came where none is allowed. The name is that of `@libp2p/utils`. */
export class InvalidMessageLengthError extends Error implements MuxError {
  static name = 'InvalidMessageLengthError'
  readonly scope: ErrorScope = 'stream'
  readonly origin: ErrorOrigin = 'remote'

  constructor (message: string) {
    super(message)
    this.name = 'InvalidMessageLengthError'
  }
}
