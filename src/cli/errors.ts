/**
 * @packageDocumentation
 *
 * Everything that a user can meet as an error: what went wrong and what to do
 * about it, in one line, with the exit status that belongs to it. The failures
 * of the file system, of a dial and of a listen are translated here and nowhere
 * else, so that the same trouble always reads the same.
 */

export const EXIT_OK = 0
export const EXIT_FAILED = 1
export const EXIT_USAGE = 2

export interface CliErrorOptions {
  exitCode?: number
  cause?: unknown

  /**
   * What the other side may be told. Absent: a general sentence, because a
   * message for our own user names paths that are no business of a peer
   */
  tell?: string
}

export class CliError extends Error {
  static name = 'CliError'
  readonly exitCode: number
  readonly tell: string

  constructor (message: string, options: CliErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.name = 'CliError'
    this.exitCode = options.exitCode ?? EXIT_FAILED
    this.tell = options.tell ?? 'the receiver could not store the file'
  }
}

export class UsageError extends CliError {
  static name = 'UsageError'

  constructor (message: string) {
    super(`${message} (see libp2p-muxers --help)`, { exitCode: EXIT_USAGE })
    this.name = 'UsageError'
  }
}

/**
 * The user asked us to stop. By the convention of shells the exit status is 128
 * and the number of the signal
 */
export class InterruptedError extends CliError {
  static name = 'InterruptedError'

  constructor (exitCode: number = 130) {
    super('interrupted', { exitCode, tell: 'the receiver was stopped' })
    this.name = 'InterruptedError'
  }
}

/**
 * The other side does not follow our protocol, or what it asks for is refused
 */
export class FileProtocolError extends CliError {
  static name = 'FileProtocolError'

  constructor (message: string) {
    super(message, { tell: message })
    this.name = 'FileProtocolError'
  }
}

/**
 * The receiver said, in its receipt, that it does not have the file
 */
export class RefusedError extends CliError {
  static name = 'RefusedError'

  constructor (reason: string) {
    super(`the receiver did not keep the file: ${reason}`)
    this.name = 'RefusedError'
  }
}

/**
 * Nothing moved for longer than a live peer can need
 */
export class StalledError extends CliError {
  static name = 'StalledError'

  constructor (millis: number, what: string) {
    super(`the other side stalled: ${what} for ${Math.round(millis / 1000)} seconds; check the network and try again`, {
      tell: 'the sender stalled'
    })
    this.name = 'StalledError'
  }
}

/**
 * The stream or the connection ended before the file did
 */
export class PeerGoneError extends CliError {
  static name = 'PeerGoneError'

  constructor (message: string, cause?: unknown) {
    super(message, { cause, tell: 'the transfer broke off' })
    this.name = 'PeerGoneError'
  }
}

/**
 * One line that a terminal shows as it is: peers and file names supply parts of
 * our messages, and a line break or an escape sequence in them could forge
 * output or steer the terminal
 */
export function oneLine (text: string): string {
  return text
    .replace(/\s*[\r\n\u2028\u2029]+\s*/g, ' ')
    .replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
    .trim()
}

export function messageOf (err: unknown): string {
  const message = err instanceof Error ? err.message : String(err)

  return oneLine(message === '' && err instanceof Error ? err.name : message)
}

export function exitCodeOf (err: unknown): number {
  return err instanceof CliError ? err.exitCode : EXIT_FAILED
}

export function codeOf (err: unknown): string {
  return err != null && typeof err === 'object' && 'code' in err && typeof err.code === 'string' ? err.code : ''
}

const NO_SPACE = 'the disk of the receiver is full'

/**
 * Say why a file or directory could not be used; `doing` is what was tried, for
 * example `read` or `write to`
 */
export function fileProblem (err: unknown, doing: string, path: string): CliError {
  if (err instanceof CliError) {
    return err
  }

  const where = `cannot ${doing} ${path}`

  switch (codeOf(err)) {
    case 'ENOENT':
      return new CliError(`${where}: it does not exist; check the path`, { cause: err })
    case 'ENOTDIR':
      return new CliError(`${where}: a part of the path is not a directory; check the path`, { cause: err })
    case 'EISDIR':
      return new CliError(`${where}: it is a directory; pack it into one file first, for example with tar`, { cause: err })
    case 'EACCES':
    case 'EPERM':
      return new CliError(`${where}: permission denied; change its permissions or choose another`, { cause: err })
    case 'EROFS':
      return new CliError(`${where}: the file system is read-only; choose another directory`, { cause: err })
    case 'ENOSPC':
      return new CliError(`${where}: the disk is full; free some space or choose another directory`, { cause: err, tell: NO_SPACE })
    case 'EDQUOT':
      return new CliError(`${where}: the disk quota is used up; free some space or choose another directory`, { cause: err, tell: NO_SPACE })
    case 'EFBIG':
      return new CliError(`${where}: the file system does not take a file of this size; choose another directory`, { cause: err })
    case 'EMFILE':
    case 'ENFILE':
      return new CliError(`${where}: too many open files; raise the limit (ulimit -n) or close other programs`, { cause: err })
    default:
      return new CliError(`${where}: ${messageOf(err)}`, { cause: err })
  }
}

const UNREACHABLE: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there; start "libp2p-muxers receive" on the other side and check the port',
  ECONNRESET: 'the connection was cut while it was set up; check that a libp2p node listens there',
  EHOSTUNREACH: 'no route to this host; check the address and the network',
  ENETUNREACH: 'no route to this network; check the address and the network',
  ENETDOWN: 'the network is down',
  ETIMEDOUT: 'no answer; check the address and any firewall between',
  ENOTFOUND: 'the host name does not exist; check its spelling',
  EAI_AGAIN: 'the host name could not be looked up; check the network',
  EACCES: 'the system does not allow this connection; check any firewall'
}

/**
 * Say why a dial failed. libp2p reports most of it by name or by the code of the
 * socket, a wrong identity only by the text of the noise handshake
 */
export function dialProblem (err: unknown, address: string): CliError {
  if (err instanceof CliError) {
    return err
  }

  const name = err instanceof Error ? err.name : ''
  const message = messageOf(err)

  if (err instanceof AggregateError && err.errors.length > 0) {
    return dialProblem(err.errors[0], address)
  }

  if (name === 'UnexpectedPeerError' || message.includes('does not match expected remote identity key')) {
    return new CliError(`wrong peer id: another peer answers at ${address}; copy the address again from the receiver, its peer id changes at every start`, { cause: err })
  }

  if (name === 'NoValidAddressesError') {
    return new CliError(`cannot dial ${address}: only TCP addresses work here, for example /ip4/192.0.2.7/tcp/4001/p2p/12D3Koo…`, { cause: err })
  }

  const reason = UNREACHABLE[codeOf(err)]

  if (reason != null) {
    return new CliError(`cannot reach ${address}: ${reason}`, { cause: err })
  }

  if (name === 'TimeoutError' || name === 'AbortError' || message.includes('aborted due to timeout')) {
    return new CliError(`cannot reach ${address}: no answer in time; check the address and any firewall between`, { cause: err })
  }

  if (name === 'UnsupportedProtocolError') {
    return new CliError(`the peer at ${address} does not take files: it does not speak our protocol; start "libp2p-muxers receive" there`, { cause: err })
  }

  if (name === 'EncryptionFailedError' || name === 'InvalidCryptoExchangeError' || name === 'MuxerUnavailableError') {
    return new CliError(`cannot agree with ${address} on noise and a stream muxer (${message}); check that a libp2p node with both listens there, and that both ends were started with the same --muxer`, { cause: err })
  }

  return new CliError(`cannot reach ${address}: ${message}`, { cause: err })
}

/**
 * Say why listening failed. libp2p wraps the reason of each address, with its
 * stack trace, into the text of one error
 */
export function listenProblem (err: unknown, address: string): CliError {
  const text = err instanceof Error ? err.message : String(err)
  const options = { cause: err }

  if (text.includes('EADDRINUSE')) {
    return new CliError(`cannot listen on ${address}: another program uses this port; choose another, or tcp/0 for any free one`, options)
  }

  if (text.includes('EADDRNOTAVAIL')) {
    return new CliError(`cannot listen on ${address}: this machine does not have that address; /ip4/0.0.0.0/tcp/0 listens on all it has`, options)
  }

  if (text.includes('EACCES') || text.includes('EPERM')) {
    return new CliError(`cannot listen on ${address}: permission denied; choose a port above 1023`, options)
  }

  if (text.includes('UnsupportedListenAddress')) {
    return new CliError(`cannot listen on ${address}: only TCP addresses work here, for example /ip4/0.0.0.0/tcp/4001`, options)
  }

  return new CliError(`cannot listen on ${address}: ${messageOf(err)}`, options)
}
