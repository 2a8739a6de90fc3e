/** One mplex engine, or two that talk, with a number for a clock: see `engine-driver.ts`, and `messageLine` for the lines. */
import { resolveConfig } from '../../src/protocols/mplex/config.ts'
import { MplexEngine } from '../../src/protocols/mplex/engine.ts'
import { keyOf } from '../../src/protocols/mplex/stream.ts'
import { AnyEngineDriver, AnyEnginePair } from './engine-driver.ts'
import { MessageReader, messageLine, open } from './mplex-frames.ts'
import type { Wire } from './engine-driver.ts'
import type { Id, Message } from './mplex-frames.ts'
import type { OpenOptions } from '../../src/core/engine.ts'
import type { MplexOptions } from '../../src/protocols/mplex/config.ts'
import type { MplexStream } from '../../src/protocols/mplex/stream.ts'

class MplexWire extends MessageReader implements Wire<Message> {
  lineOf (message: Message): string {
    return messageLine(message)
  }
}

export class MplexDriver extends AnyEngineDriver<MplexStream, MplexEngine, Message> {
  constructor (options: MplexOptions = {}, now = 1_000) {
    super(now => new MplexEngine(resolveConfig(options), now), new MplexWire(), now)
  }

  /** The stream of that id that the peer opened, even after it ended. */
  theirs (id: Id): MplexStream {
    return this.stream(keyOf(id, true))
  }

  /** An inbound stream, with all that this makes us say taken off. */
  inbound (id: Id): MplexStream {
    this.give(open(id))

    const stream = this.theirs(id)

    this.settle()

    return stream
  }

  /** An outbound stream, with all that this makes us say taken off. */
  outbound (options?: OpenOptions): MplexStream {
    const stream = this.open(options)

    this.settle()

    return stream
  }
}

export class MplexPair extends AnyEnginePair<MplexDriver> {
  constructor (client: MplexOptions = {}, server: MplexOptions = client) {
    super(new MplexDriver(client), new MplexDriver(server))
  }
}
