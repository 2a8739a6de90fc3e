/** One connection: an engine, its application, and a peer that sends anything. All of it follows from one number. */
import { Token } from '../../src/core/decoder.ts'
import { takeEdges } from '../../src/core/stream-lanes.ts'
import { Random } from '../../test/simulation/kit/random.ts'
import { brokenInvariant } from '../../test/support/invariants.ts'
import { makeInput } from './inputs.ts'
import type { Engine } from '../../src/core/engine.ts'
import type { StreamRecord } from '../../src/core/stream-record.ts'
import type { MuxerOptions } from '../../src/interface/options.ts'
import type { Language } from '../languages.ts'

/** Most connections are over by then. */
const MAX_INPUTS = 64

/** Small, so that they are met. */
const BUDGETS: MuxerOptions['budgets'] = {
  pings: 20, replies: 5, resets: 20, provokedResets: 20, refusals: 20, unknownStreams: 20, emptyFrames: 20, tinyFrames: 40, unreadPieces: 40
}

const SOME_BYTES = new Uint8Array(20_000)

/** What must hold whatever came. */
class BrokenError extends Error {}

function must (condition: boolean, what: string): void {
  if (!condition) {
    throw new BrokenError(what)
  }
}

export class Episode {
  inputs = 0

  /** The last input, for a failure to show. */
  input: Uint8Array = new Uint8Array(0)

  readonly #random: Random
  readonly #language: Language
  readonly #engine: Engine
  readonly #streams: StreamRecord[] = []
  #now = 0

  constructor (language: Language, number: number) {
    this.#random = new Random(number)
    this.#language = language
    this.#engine = language.createEngine(this.#random.pick(['client', 'server']), {
      maxInboundStreams: 8,
      budgets: this.#random.chance(0.5) ? BUDGETS : undefined
    }, 0)
  }

  run (): void {
    const engine = this.#engine
    const decoder = this.#language.createDecoder()
    let isWhole = true

    while (this.inputs < MAX_INPUTS && engine.state !== 'closed') {
      this.input = makeInput(this.#random, this.#language)
      this.inputs++

      if (isWhole) {
        isWhole = this.#decode(decoder)
      }

      this.#receive()
      this.#act()
      this.#look()
      this.#check()
    }

    engine.receiveEnd(this.#random.chance(0.5) ? undefined : new Error('cut'), this.#now)
    this.#look()
    must(engine.state === 'closed' && [...engine.streams].length === 0, 'the end of the connection is the end of its streams')
    this.#transmit()
    must(!engine.wantsTransmit && engine.pollTimeout() === undefined, 'a connection that is over wants nothing more')
  }

  /** A decoder by itself takes every byte once, and ends. */
  #decode (decoder: ReturnType<Language['createDecoder']>): boolean {
    decoder.push(this.input)

    for (let tokens = 0; ; tokens++) {
      const token = decoder.next()

      if (token === Token.needMore || token === Token.malformed) {
        return token === Token.needMore
      }

      // a header or a part of a body for each byte at most
      must(tokens <= this.input.byteLength, 'a decoder ends')
      must(token !== Token.payload || (decoder.payload.byteLength > 0 && decoder.payload.byteLength <= this.input.byteLength), 'a body is cut from what came')
    }
  }

  #receive (): void {
    const { input } = this
    const cut = this.#random.chance(0.2) ? this.#random.int(0, input.byteLength) : input.byteLength

    this.#engine.receive(input.subarray(0, cut), this.#now)

    if (cut < input.byteLength) {
      this.#look()
      this.#engine.receive(input.subarray(cut), this.#now)
    }

    this.#look()
  }

  #act (): void {
    const engine = this.#engine
    const random = this.#random
    const act = random.int(0, 15)

    if (act === 0) {
      this.#open()
    } else if (act === 1) {
      this.#now += random.magnitude(1, 40_000)
      engine.handleTimeout(this.#now)
    } else if (act === 2) {
      engine.ping(this.#now)
    } else if (act < 8) {
      this.#transmit()
    } else if (this.#streams.length > 0) {
      this.#use(random.pick(this.#streams), act)
    }
  }

  #use (stream: StreamRecord, act: number): void {
    const engine = this.#engine
    const random = this.#random

    switch (act) {
      case 8: engine.accept(stream); break
      case 9: engine.end(stream, this.#now); break
      case 10: engine.closeRead(stream, this.#now); break
      case 11: engine.reset(stream, random.int(0, 3), undefined, this.#now); break
      case 12: engine.retain(stream); break
      case 13:
        if (stream.send === 'open') {
          engine.write(stream, SOME_BYTES.subarray(0, random.magnitude(1, SOME_BYTES.byteLength)), this.#now)
        }
        break
      default: engine.read(stream, random.magnitude(1, 1_000), this.#now)
    }
  }

  #open (): void {
    if (this.#engine.state !== 'open') {
      return
    }

    try {
      const stream = this.#engine.open(this.#now)

      if (stream !== undefined) {
        this.#streams.push(stream)
      }
    } catch (err: any) {
      // the peer has said that it takes no more
      must(err.name === 'MuxerClosedError', `opening a stream throws ${err.name}: ${err.message}`)
    }
  }

  #transmit (): void {
    this.#engine.pollTransmit(this.#random.magnitude(1_024, 65_536), this.#now)
  }

  #look (): void {
    for (let stream = this.#engine.pollStream(); stream !== undefined; stream = this.#engine.pollStream()) {
      takeEdges(stream)

      if (stream.inbound && !this.#streams.includes(stream)) {
        this.#streams.push(stream)
      }
    }

    while (this.#engine.pollEvent() !== undefined) {
      // told, and of no interest here
    }
  }

  #check (): void {
    const { inbound } = this.#engine.streamCount
    const broken = brokenInvariant(this.#engine)

    must(inbound <= 8, 'no more streams are open than may be')
    must(broken === undefined, broken ?? '')

    for (const { receiveQueue, limits } of this.#streams) {
      must(receiveQueue.byteLength <= limits.maxReadBufferLength, 'no more is kept than was granted')
    }
  }
}
