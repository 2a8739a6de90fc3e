/** One yamux engine, or two that talk, with a number for a clock: see `engine-driver.ts`, and `lineOf` for the lines. */
import { resolveConfig } from '../../src/protocols/yamux/config.ts'
import { YamuxEngine } from '../../src/protocols/yamux/engine.ts'
import { AnyEngineDriver, AnyEnginePair } from './engine-driver.ts'
import { ACK, FrameReader, SYN, lineOf, pong, windowUpdate } from './frames.ts'
import type { Wire } from './engine-driver.ts'
import type { Frame } from './frames.ts'
import type { OpenOptions } from '../../src/core/engine.ts'
import type { Role } from '../../src/core/stream-table.ts'
import type { YamuxOptions } from '../../src/protocols/yamux/config.ts'
import type { YamuxStream } from '../../src/protocols/yamux/stream.ts'

class YamuxWire extends FrameReader implements Wire<Frame> {
  lineOf (frame: Frame): string {
    return lineOf(frame)
  }
}

export class EngineDriver extends AnyEngineDriver<YamuxStream, YamuxEngine, Frame> {
  /** Keep-alive is off unless asked for: its first ping would stand at the head of every list of frames. */
  constructor (role: Role = 'client', options: YamuxOptions = {}, now = 1_000) {
    super(now => new YamuxEngine(role, resolveConfig({ enableKeepAlive: false, ...options }), now), new YamuxWire(), now)
  }

  /** A ping and its answer: from then on the round trip is known. */
  measure (millis: number): this {
    const id = this.engine.ping()

    this.sent()
    this.now += millis
    this.give(pong(id))
    this.events()

    return this
  }

  /** As many pings and answers as it takes to know the round trip for good. */
  know (millis: number): this {
    for (let i = 0; i < 5; i++) {
      this.measure(millis)
    }

    return this
  }

  /** An inbound stream that was accepted, with all that this makes us say taken off. */
  inbound (id: number, delta = 0): YamuxStream {
    this.give(windowUpdate(id, delta, SYN))

    const stream = this.accept(id)

    this.settle()

    return stream
  }

  /** An outbound stream that the peer has acknowledged, with all that this makes us say taken off. */
  outbound (options?: OpenOptions): YamuxStream {
    const stream = this.open(options)

    this.give(windowUpdate(stream.id, 0, ACK))
    this.settle()

    return stream
  }
}

export class EnginePair extends AnyEnginePair<EngineDriver> {
  constructor (client: YamuxOptions = {}, server: YamuxOptions = client) {
    super(new EngineDriver('client', client), new EngineDriver('server', server))
  }
}
