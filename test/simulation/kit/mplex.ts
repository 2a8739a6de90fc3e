/** Ends that speak mplex, and what reads along there. */
import { resolveConfig } from '../../../src/protocols/mplex/config.ts'
import { MplexEngine } from '../../../src/protocols/mplex/engine.ts'
import { FLAG_NAMES } from '../../support/mplex-frames.ts'
import { AnyEndpoint } from './endpoint.ts'
import { linkEnds } from './pair.ts'
import type { VirtualClock } from './clock.ts'
import type { Listener, Recording } from './endpoint.ts'
import type { AnyPair } from './pair.ts'
import type { Pipe, PipeOptions } from './pipe.ts'
import type { ConnectionLimits } from '../../../src/core/connection-state.ts'
import type { MplexOptions } from '../../../src/protocols/mplex/config.ts'
import type { MplexStream } from '../../../src/protocols/mplex/stream.ts'

interface Message {
  flag: number
  id: number
  length: number
}

/** Messages out of bytes that are cut anywhere. Ids are counted from 0 here, and no large ones. */
class Scanner {
  readonly #onMessage: (message: Message) => void
  readonly #onBody: (message: Message, length: number) => void
  #message: Message = { flag: 0, id: 0, length: 0 }
  #isInLength = false
  #value = 0
  #scale = 1
  #body = 0

  constructor (onMessage: (message: Message) => void, onBody: (message: Message, length: number) => void) {
    this.#onMessage = onMessage
    this.#onBody = onBody
  }

  get incomplete (): boolean {
    return this.#isInLength || this.#scale > 1 || this.#body > 0
  }

  scan (bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength;) {
      if (this.#body > 0) {
        const length = Math.min(this.#body, bytes.byteLength - at)

        this.#body -= length
        at += length
        this.#onBody(this.#message, length)
      } else {
        this.#scanVarint(bytes[at++])
      }
    }
  }

  #scanVarint (byte: number): void {
    this.#value += (byte % 0x80) * this.#scale
    this.#scale *= 0x80

    if (byte >= 0x80) {
      return
    }

    if (this.#isInLength) {
      this.#message.length = this.#value
      this.#body = this.#value
      this.#onMessage(this.#message)
    } else {
      this.#message = { flag: this.#value % 8, id: Math.floor(this.#value / 8), length: 0 }
    }

    this.#isInLength = !this.#isInLength
    this.#value = 0
    this.#scale = 1
  }
}

/** Throws at the first message that the specification forbids us to send. */
class MplexRecorder implements Recording {
  framesSent = 0
  framesReceived = 0

  onSent: ((message: Message) => void) | undefined
  onReceived: ((message: Message) => void) | undefined
  onBody: ((message: Message, length: number) => void) | undefined

  readonly #out = new Scanner(message => { this.#onSent(message) }, () => {})
  readonly #in = new Scanner(message => { this.#onReceived(message) }, (message, length) => { this.onBody?.(message, length) })

  /** Of streams by id and initiator: what was the last thing said. */
  readonly #said = new Map<string, 'open' | 'close' | 'reset'>()

  sent (buffers: Uint8Array[]): void {
    for (const buffer of buffers) {
      this.#out.scan(buffer)
    }

    if (this.#out.incomplete) {
      throw new Error('half a message was sent')
    }
  }

  received (bytes: Uint8Array): void {
    this.#in.scan(bytes)
  }

  #onSent (message: Message): void {
    this.framesSent++
    this.#check(message)
    this.onSent?.(message)
  }

  #onReceived (message: Message): void {
    this.framesReceived++
    this.onReceived?.(message)
  }

  #check ({ flag, id, length }: Message): void {
    const stream = `${flag % 2 === 0 ? 'ours' : 'theirs'} ${id}`
    // a stream of theirs is here before its name is
    const said = this.#said.get(stream) ?? (flag % 2 === 1 ? 'open' : undefined)
    const mayBeSaid = (said === 'open' && flag > 0) || (said === 'close' && flag >= 5) || (said === undefined && flag === 0)

    if (!mayBeSaid || (flag === 1 || flag === 2) !== (length > 0 && flag !== 0) || length > 65_536) {
      throw new Error(`sent ${FLAG_NAMES[flag]} of ${length} on stream ${id} after ${said ?? 'nothing'}`)
    }

    if (flag === 0) {
      this.#said.set(stream, 'open')
    } else if (flag >= 3) {
      this.#said.set(stream, flag >= 5 ? 'reset' : 'close')
    }
  }
}

export class MplexEndpoint extends AnyEndpoint<MplexStream, MplexEngine, MplexRecorder> {
  readonly config: ConnectionLimits

  constructor (name: string, clock: VirtualClock, out: Pipe, options: MplexOptions) {
    const config = resolveConfig(options)

    super(name, new MplexEngine(config, clock.now()), new MplexRecorder(), clock, out, config.maxBatchLength)
    this.config = config
  }

  flowOf ({ wireId, inbound }: MplexStream): number {
    return this.#flow(Number(wireId), inbound)
  }

  listen (listener: Listener): void {
    // even flags are said by who opened the stream
    this.recorder.onBody = ({ flag, id }, length) => {
      if (flag > 0) {
        listener.onBody(this.#flow(id, flag % 2 === 0), length)
      }
    }

    this.recorder.onReceived = ({ flag, id, length }) => {
      const flow = this.#flow(id, flag % 2 === 0)

      if (flag === 0) {
        listener.onOpen(flow)
      } else if (flag <= 2) {
        listener.onData(flow, length)
      } else if (flag <= 4) {
        listener.onEnd(flow)
      } else {
        listener.onReset(flow)
      }
    }

    this.recorder.onSent = ({ flag, id, length }) => {
      const flow = this.#flow(id, flag % 2 === 1)

      if (flag === 1 || flag === 2) {
        listener.onDataSent(flow, length)
      } else if (flag === 3 || flag === 4) {
        listener.onEndSent(flow)
      } else if (flag > 4) {
        listener.onResetSent(flow)
      }
    }
  }

  #flow (id: number, inbound: boolean): number {
    return id * 2 + (inbound === (this.name === 'client') ? 1 : 0)
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
