/** What both kinds of connection and stream ask of their arguments, in one place so that they refuse the same. */
import { InvalidParametersError, MuxerClosedError } from '../interface/errors.ts'
import type { Priority } from '../interface/muxer.ts'
import type { Uint8ArrayList } from 'uint8arraylist'

/** @throws {InvalidParametersError} */
export function checkCode (code = 0): void {
  if (!Number.isInteger(code) || code < 0 || code > 2 ** 32 - 1) {
    throw new InvalidParametersError(`a code is an integer from 0 to 4294967295, was ${code}`)
  }
}

/** The time limit of a wait in milliseconds: as elsewhere, 0 is none. @throws {InvalidParametersError} */
export function checkTimeout (name: string, millis: number | undefined = Infinity): number {
  if (typeof millis !== 'number' || !(millis >= 0)) {
    throw new InvalidParametersError(`${name} must be a number of milliseconds, or 0 for no limit, was ${millis}`)
  }

  return millis === 0 ? Infinity : millis
}

/** @throws {InvalidParametersError} */
export function checkPriority (priority: Partial<Priority> = {}): Partial<Priority> {
  const { urgency, incremental } = priority

  if (urgency !== undefined && (!Number.isInteger(urgency) || urgency < 0 || urgency > 7)) {
    throw new InvalidParametersError(`urgency must be an integer from 0 to 7, was ${urgency}`)
  }

  if (incremental !== undefined && typeof incremental !== 'boolean') {
    throw new InvalidParametersError(`incremental must be true or false, was ${incremental}`)
  }

  return priority
}

/** What libp2p expects when a connection is over, with what ended it. */
export function muxerClosed (message: string, cause: Error | undefined): MuxerClosedError {
  const error = new MuxerClosedError(message)

  if (cause !== undefined) {
    error.cause = cause
  }

  return error
}

/** By what it has, as there may be two copies of the package in a program. */
export function isList (data: Partial<Uint8ArrayList> | undefined | null): boolean {
  return typeof data === 'object' && typeof data?.sublist === 'function'
}
