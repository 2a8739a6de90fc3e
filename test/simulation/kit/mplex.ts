/** Ends that speak mplex, and what reads along there. */
import { resolveConfig } from '../../../src/protocols/mplex/config.ts'
import { MplexEngine } from '../../../src/protocols/mplex/engine.ts'
import { MessageReader, messageLine } from '../../support/mplex-frames.ts'
import { AnyEndpoint } from './endpoint.ts'
import { linkEnds } from './pair.ts'
import type { VirtualClock } from './clock.ts'
import type { Recording } from './endpoint.ts'
import type { AnyPair } from './pair.ts'
import type { Pipe, PipeOptions } from './pipe.ts'
import type { MplexOptions } from '../../../src/protocols/mplex/config.ts'
import type { MplexStream } from '../../../src/protocols/mplex/stream.ts'
import type { Message } from '../../support/mplex-frames.ts'

/** Throws at the first message that the specification forbids us to send. */
class MplexRecorder implements Recording {
  onSent: ((message: Message) => void) | undefined
  onReceived: ((message: Message) => void) | undefined

  readonly #out = new MessageReader()
  readonly #in = new MessageReader()

  /** Of streams by id and initiator: what was the last thing said. */
  readonly #said = new Map<string, 'open' | 'close' | 'reset'>()

  sent (buffers: Uint8Array[]): void {
    const messages = this.#out.push(...buffers)

    if (this.#out.pending > 0) {
      throw new Error('half a message was sent')
    }

    for (const message of messages) {
      this.#check(message)
      this.onSent?.(message)
    }
  }

  received (bytes: Uint8Array): void {
    for (const message of this.#in.push(bytes)) {
      this.onReceived?.(message)
    }
  }

  #check (message: Message): void {
    const { flag, id, body } = message
    const stream = `${flag % 2 === 0 ? 'ours' : 'theirs'} ${id}`
    // a stream of theirs is here before its name is
    const said = this.#said.get(stream) ?? (flag % 2 === 1 ? 'open' : undefined)
    const mayBeSaid = (said === 'open' && flag > 0) || (said === 'close' && flag >= 5) || (said === undefined && flag === 0)

    if (!mayBeSaid || (flag === 1 || flag === 2) !== (body.byteLength > 0 && flag !== 0) || body.byteLength > 65_536) {
      throw new Error(`sent ${messageLine(message)} after ${said ?? 'nothing'}`)
    }

    if (flag === 0) {
      this.#said.set(stream, 'open')
    } else if (flag >= 3) {
      this.#said.set(stream, flag >= 5 ? 'reset' : 'close')
    }
  }
}

export class MplexEndpoint extends AnyEndpoint<MplexStream, MplexEngine, MplexRecorder> {
  constructor (name: string, clock: VirtualClock, out: Pipe, options: MplexOptions) {
    const config = resolveConfig(options)

    super(name, new MplexEngine(config, clock.now()), new MplexRecorder(), clock, out, config.maxBatchLength)
  }

  flowOf ({ wireId, inbound }: MplexStream): number {
    return Number(wireId) * 2 + (inbound === (this.name === 'client') ? 1 : 0)
  }
}

export interface MplexPairOptions {
  link?: PipeOptions
  clientOptions?: MplexOptions
  serverOptions?: MplexOptions
}

export function createMplexPair (options: MplexPairOptions = {}): AnyPair<MplexEndpoint> {
  return linkEnds(options.link, (role, clock, out) => new MplexEndpoint(role, clock, out, options[`${role}Options`] ?? {}))
}
