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

  constructor (message: string, init: Omit<MuxErrorInit, 'scope'>) {
    super(message)
    this.origin = init.origin
    this.code = init.code
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

  constructor (message: string, code: number) {
    super(message)
    this.name = 'GoAwayError'
    this.code = code
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
