/**
 * Every error that this package raises, each told apart by its `name`. Where libp2p has a class of its own, ours
 * extends it and keeps its name, so that code written for libp2p goes on matching.
 *
 * Beside the name an error of the connection or the peer says how far it reaches (`scope`), who brought it about
 * (`origin`), the number on the wire if there was one (`code`, and `codeName` if libp2p has a name for it) and what led
 * to it (`cause`). Errors about our own use of the API are libp2p's, plain, with a `cause` where there is one.
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

function nameOf (scope: ErrorScope, code: number | undefined): string | undefined {
  return code === undefined ? undefined : errorCodeName(scope, code)
}

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
    this.codeName = nameOf('stream', init.code)
    this.cause = init.cause
  }
}

/** The peer broke the protocol: `code` is what our GoAway says. */
export class ProtocolError extends LibP2PProtocolError implements MuxError {
  static name = 'ProtocolError'
  readonly scope: ErrorScope = 'connection'
  readonly origin: ErrorOrigin = 'remote'
  readonly code: number
  readonly codeName?: string

  constructor (message: string, code: number) {
    super(message)
    this.code = code
    this.codeName = errorCodeName('connection', code)
  }
}

/** Something did not happen in time; the message names the option that set the time. */
export class TimeoutError extends LibP2PTimeoutError implements MuxError {
  static name = 'TimeoutError'
  readonly scope: ErrorScope
  readonly origin: ErrorOrigin
  readonly code?: number
  readonly codeName?: string

  constructor (message: string, init: MuxErrorInit) {
    super(message)
    this.scope = init.scope
    this.origin = init.origin
    this.code = init.code
    this.codeName = nameOf(init.scope, init.code)
  }
}

/** The connection under the streams ended before they did. */
export class ConnectionClosedError extends LibP2PConnectionClosedError implements MuxError {
  static name = 'ConnectionClosedError'
  readonly scope: ErrorScope = 'connection'
  readonly origin: ErrorOrigin
  readonly code?: number
  readonly codeName?: string

  constructor (message: string, init: Omit<MuxErrorInit, 'scope'>) {
    super(message)
    this.origin = init.origin
    this.code = init.code
    this.codeName = nameOf('connection', init.code)
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
  readonly codeName?: string

  constructor (message: string, budget: string, code: number) {
    super(message)
    this.name = 'BudgetExceededError'
    this.budget = budget
    this.code = code
    this.codeName = errorCodeName('connection', code)
  }
}

/** What the peer did, where libp2p has no class for it and no number travels. */
class RemoteError extends Error implements MuxError {
  readonly scope: ErrorScope
  readonly origin: ErrorOrigin = 'remote'

  constructor (name: string, scope: ErrorScope, message: string) {
    super(message)
    this.name = name
    this.scope = scope
  }
}

/** More streams came in than `maxEarlyStreams` before anybody listened for them. */
export class MaxEarlyStreamsError extends RemoteError {
  static name = 'MaxEarlyStreamsError'

  constructor (message: string) {
    super('MaxEarlyStreamsError', 'connection', message)
  }
}

/** The stream ended before it had brought what was asked for. */
export class UnexpectedEOFError extends RemoteError {
  static name = 'UnexpectedEOFError'

  constructor (message: string) {
    super('UnexpectedEOFError', 'stream', message)
  }
}

/** A message is longer than is accepted. The name is that of `@libp2p/utils`. */
export class InvalidDataLengthError extends RemoteError {
  static name = 'InvalidDataLengthError'

  /** In bytes. */
  readonly size: number
  readonly maxSize: number

  constructor (size: number, maxSize: number) {
    super('InvalidDataLengthError', 'stream', `the message has ${size} bytes, at most ${maxSize} are accepted (option maxSize)`)
    this.size = size
    this.maxSize = maxSize
  }
}

/** The length in front of a message is no varint that is accepted. The name is that of `@libp2p/utils`. */
export class InvalidDataLengthLengthError extends RemoteError {
  static name = 'InvalidDataLengthLengthError'

  constructor (message: string) {
    super('InvalidDataLengthLengthError', 'stream', message)
  }
}

/** An empty message came where none is allowed. The name is that of `@libp2p/utils`. */
export class InvalidMessageLengthError extends RemoteError {
  static name = 'InvalidMessageLengthError'

  constructor (message: string) {
    super('InvalidMessageLengthError', 'stream', message)
  }
}
