/**
 * @packageDocumentation
 *
 * Reads the command line. What comes out has been checked as far as that is
 * possible without touching the disk or the network.
 */

import { parseArgs } from 'node:util'
import { UsageError } from './errors.ts'
import type { ParseArgsOptionsConfig } from 'node:util'

export const DEFAULT_LISTEN = '/ip4/0.0.0.0/tcp/0'
export const DEFAULT_SIZE = 256
export const DEFAULT_STREAMS = 8

/**
 * A muxer takes 1,000 inbound streams by default; this leaves room for the file
 * and is far beyond what one looks at in a demonstration
 */
const MAX_STREAMS = 512

/**
 * One TiB
 */
const MAX_SIZE = 1024 * 1024

/**
 * The first is the default
 */
export const MUXERS = ['yamux', 'mplex'] as const

export type MuxerName = typeof MUXERS[number]

export interface DemoCommand {
  name: 'demo'
  muxer: MuxerName
  file?: string

  /**
   * MiB
   */
  size: number
  streams: number
}

export interface ReceiveCommand {
  name: 'receive'
  muxer: MuxerName
  listen: string
  out: string
}

export interface SendCommand {
  name: 'send'
  muxer: MuxerName
  file: string
  address: string
}

export type Command = DemoCommand | ReceiveCommand | SendCommand |
{ name: 'help' } | { name: 'version' } |
// the other process of the demonstration, not meant for people
{ name: 'demo-receiver', muxer: MuxerName, directory: string }

export const HELP = `Usage: libp2p-muxers <command> [options]

Commands:
  demo                       Send a file over one stream while other streams echo
                             small messages, between two processes, and measure
    --file PATH              the file to send (default: one made for the purpose)
    --size MiB               size of that file (default: ${DEFAULT_SIZE})
    --streams N              how many streams echo (default: ${DEFAULT_STREAMS}, at most ${MAX_STREAMS})

  receive                    Receive files until interrupted with Ctrl-C
    --listen MULTIADDR       where to listen (default: ${DEFAULT_LISTEN}, that is
                             any free port on all networks of this machine; with
                             /ip4/127.0.0.1/tcp/0 only this machine can send)
    --out DIR                where to store the files (default: this directory)

  send FILE MULTIADDR        Send a file to an address that "receive" printed

Options:
  --muxer NAME               how streams share the connection: ${MUXERS.join(' or ')}, the same
                             at both ends (default: ${MUXERS[0]})
  --help                     show this
  --version                  show the version

Exit status: 0 all is right, 1 something failed, 2 the command line is wrong,
128 and the number of the signal when interrupted in the middle of something.`

const COMMON = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
  muxer: { type: 'string' }
} as const satisfies ParseArgsOptionsConfig

export function parseCommand (args: readonly string[]): Command {
  const [name, ...rest] = args

  switch (name) {
    case undefined:
      throw new UsageError('no command; try "libp2p-muxers demo"')
    case 'help':
    case '--help':
    case '-h':
      return { name: 'help' }
    case '--version':
    case '-v':
      return { name: 'version' }
    case 'demo':
      return parseDemo(rest)
    case 'receive':
      return parseReceive(rest)
    case 'send':
      return parseSend(rest)
    case 'demo-receiver':
      return parseDemoReceiver(rest)
    default:
      throw new UsageError(`there is no command "${name}"`)
  }
}

function parseDemo (args: string[]): Command {
  const { values, positionals } = parse(args, {
    ...COMMON,
    file: { type: 'string' },
    size: { type: 'string' },
    streams: { type: 'string' }
  })
  const common = commonCommand(values)

  if (common != null) {
    return common
  }

  noOperands(positionals)

  if (values.file != null && values.size != null) {
    throw new UsageError('--size is the size of the file that the demo makes, it has no meaning with --file')
  }

  return {
    name: 'demo',
    muxer: muxerName(values.muxer),
    ...(values.file == null ? {} : { file: nonEmpty(values.file, '--file') }),
    size: wholeNumber(values.size, '--size', 1, MAX_SIZE) ?? DEFAULT_SIZE,
    streams: wholeNumber(values.streams, '--streams', 0, MAX_STREAMS) ?? DEFAULT_STREAMS
  }
}

function parseReceive (args: string[]): Command {
  const { values, positionals } = parse(args, {
    ...COMMON,
    listen: { type: 'string' },
    out: { type: 'string' }
  })
  const common = commonCommand(values)

  if (common != null) {
    return common
  }

  noOperands(positionals)

  return {
    name: 'receive',
    muxer: muxerName(values.muxer),
    listen: nonEmpty(values.listen ?? DEFAULT_LISTEN, '--listen'),
    out: nonEmpty(values.out ?? '.', '--out')
  }
}

function parseSend (args: string[]): Command {
  const { values, positionals } = parse(args, COMMON)
  const common = commonCommand(values)

  if (common != null) {
    return common
  }

  const [file, address] = operands(positionals, ['FILE', 'MULTIADDR'])

  return { name: 'send', muxer: muxerName(values.muxer), file, address }
}

function parseDemoReceiver (args: string[]): Command {
  const { values, positionals } = parse(args, COMMON)

  return { name: 'demo-receiver', muxer: muxerName(values.muxer), directory: operands(positionals, ['DIR'])[0] }
}

// eslint-disable-next-line @typescript-eslint/explicit-function-return-type -- the type is derived from the options
function parse <Options extends ParseArgsOptionsConfig> (args: string[], options: Options) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true })
  } catch (err) {
    // Node's message names the option; its second sentence is about quoting
    throw new UsageError(err instanceof Error ? err.message.split('. ')[0] : String(err))
  }
}

function commonCommand (values: { help?: boolean, version?: boolean }): Command | undefined {
  if (values.help === true) {
    return { name: 'help' }
  }

  if (values.version === true) {
    return { name: 'version' }
  }
}

function muxerName (text: string = MUXERS[0]): MuxerName {
  const muxer = MUXERS.find(name => name === text)

  if (muxer == null) {
    throw new UsageError(`--muxer must be ${MUXERS.join(' or ')}, not "${text}"`)
  }

  return muxer
}

function operands (given: string[], names: string[]): string[] {
  if (given.length < names.length) {
    throw new UsageError(`${names[given.length]} is missing`)
  }

  noOperands(given.slice(names.length))
  names.forEach((name, index) => nonEmpty(given[index], name))

  return given
}

function noOperands (rest: string[]): void {
  if (rest.length > 0) {
    throw new UsageError(`"${rest[0]}" is one argument too many`)
  }
}

function nonEmpty (value: string, name: string): string {
  if (value === '') {
    throw new UsageError(`${name} is empty`)
  }

  return value
}

function wholeNumber (text: string | undefined, name: string, min: number, max: number): number | undefined {
  if (text == null) {
    return
  }

  const value = Number(text)

  // Number() alone would take "", "0x10" and "1e3"
  if (!/^[0-9]{1,9}$/.test(text) || value < min || value > max) {
    throw new UsageError(`${name} must be a whole number from ${min} to ${max}, not "${text}"`)
  }

  return value
}
