/** What the commands that try us have in common: options, help, and what their exit codes say. */
import { inspect, parseArgs } from 'node:util'

export type MuxerName = 'yamux' | 'mplex'

const MUXERS: MuxerName[] = ['yamux', 'mplex']

/** What is random knows its seed by 32 bits: a larger one would be the same as another. */
export const MAX_SEED = 2 ** 32 - 1

/** Whoever gave the options can mend it: exit code 2, and not the 1 of a trial that failed. */
export class UsageError extends Error {}

export function print (text: string): void {
  process.stdout.write(text)
}

/** The options as they were given. What is no option, or not as it should be, is a `UsageError`. */
export class Options {
  readonly #values: Record<string, string | boolean | undefined>

  constructor (names: string[], flags: string[], args: string[]) {
    const given = names.map(name => [name, { type: 'string' }] as const)
    const switched = flags.map(name => [name, { type: 'boolean' }] as const)

    try {
      this.#values = parseArgs({ args, options: Object.fromEntries([...given, ...switched]) }).values as Record<string, string | boolean>
    } catch (err: any) {
      throw new UsageError(err.message)
    }
  }

  has (name: string): boolean {
    return this.#values[name] !== undefined
  }

  word (name: string): string | undefined {
    return this.#values[name] as string | undefined
  }

  /** A whole number above 0. */
  whole (name: string, otherwise: number): number {
    return this.#number(name, otherwise, Number.isSafeInteger, `a whole number above 0, and no more than ${Number.MAX_SAFE_INTEGER}`)
  }

  /** The first of so many seeds, all of which there must be; where they have no number, they end at the last. */
  seed (name: string, otherwise: number, count = Infinity): number {
    const first = this.whole(name, otherwise)

    if (first > MAX_SEED || (Number.isFinite(count) && first > MAX_SEED - count + 1)) {
      throw new UsageError(`the last seed is ${MAX_SEED}: --${name} ${first}${Number.isFinite(count) ? ` with ${count} of them` : ''} goes beyond`)
    }

    return first
  }

  /** Any number above 0. */
  positive (name: string, otherwise: number): number {
    return this.#number(name, otherwise, Number.isFinite, 'a number above 0')
  }

  /** Words with commas between them, each of which must be one of those. */
  some<Word extends string> (name: string, all: Word[]): Word[] {
    const words = this.word(name)?.split(',') ?? all

    for (const word of words) {
      if (!all.includes(word as Word)) {
        throw new UsageError(`--${name} must be some of ${all.join(', ')}, was ${this.word(name)}`)
      }
    }

    return words as Word[]
  }

  /** Of `--muxer`: each in turn, unless one is asked for. */
  get muxers (): MuxerName[] {
    return this.some('muxer', MUXERS)
  }

  #number (name: string, otherwise: number, isRight: (number: number) => boolean, what: string): number {
    const word = this.word(name)
    const number = Number(word)

    if (word !== undefined && !(isRight(number) && number > 0)) {
      throw new UsageError(`--${name} must be ${what}, was ${word}`)
    }

    return word === undefined ? otherwise : number
  }
}

export interface Command {
  help: string

  /** Options that have a value, and those that have none. */
  names: string[]
  flags?: string[]

  /** Returns whether all was as it should be. */
  run(options: Options, args: string[]): boolean | Promise<boolean>
}

/** A pipe may take output later, and what is not taken at the exit is lost. */
async function written (output: NodeJS.WriteStream): Promise<void> {
  return new Promise(resolve => {
    output.write('', () => { resolve() })
  })
}

async function codeOf ({ help, names, flags = [], run }: Command, args: string[]): Promise<number> {
  try {
    const options = new Options(names, [...flags, 'help'], args)

    if (options.has('help')) {
      print(help)

      return 0
    }

    return await run(options, args) ? 0 : 1
  } catch (err: any) {
    process.stderr.write(`${err instanceof UsageError ? err.message : inspect(err)}\n`)

    return err instanceof UsageError ? 2 : 1
  }
}

/** Ends the process, whatever would keep it alive: what a trial finds may be just that. */
export async function runCommand (command: Command, args = process.argv.slice(2), exit: (code: number) => void = code => { process.exit(code) }): Promise<void> {
  const code = await codeOf(command, args)

  await Promise.all([written(process.stdout), written(process.stderr)])
  exit(code)
}
