/**
 * Connections of an engine, its application, and a peer that sends anything. All of an episode follows from one number, and
 * what fails in it fast-check makes as small as it can.
 */
import fc from 'fast-check'
import { Token } from '../../src/core/decoder.ts'
import { takeEdges } from '../../src/core/stream-lanes.ts'
import { Random } from '../../test/simulation/kit/random.ts'
import { brokenInvariant } from '../../test/support/invariants.ts'
import { conversationOf } from './inputs.ts'
import type { Engine } from '../../src/core/engine.ts'
import type { StreamRecord } from '../../src/core/stream-record.ts'
import type { MuxerOptions } from '../../src/interface/options.ts'
import type { Language } from '../languages.ts'
import type { Conversation } from './inputs.ts'

/** Connections of an episode. */
export const EPISODE_CONNECTIONS = 50

/** Small, so that they are met. */
const BUDGETS: MuxerOptions['budgets'] = {
  pings: 20, replies: 5, resets: 20, provokedResets: 20, refusals: 20, unknownStreams: 20, emptyFrames: 20, tinyFrames: 40, unreadPieces: 40, streamPieces: 25
}

const SOME_BYTES = new Uint8Array(20_000)

/** What must hold whatever came. */
class BrokenError extends Error {}

function must (condition: boolean, what: string): void {
  if (!condition) {
    throw new BrokenError(what)
  }
}

/** Runs all connections of one number. Returns how many inputs they had. Throws what was found, with what it takes. */
export function runEpisode (language: Language, number: number, shrink = true): number {
  let inputs = 0

  const found = fc.check(fc.property(conversationOf(language), conversation => {
    const talk = new Talk(language, conversation)

    try {
      talk.run()
    } finally {
      inputs += talk.inputs
    }
  }), { seed: number, numRuns: EPISODE_CONNECTIONS, endOnFailure: !shrink })

  if (found.failed) {
    const [{ role, isBounded, steps, isCut }] = found.counterexample as [Conversation]

    const lines = steps.map(({ input, cut, act, choice }) => `  ${Buffer.from(input()).toString('hex')}${cut === undefined ? '' : `, cut at ${cut}`}; act ${act}, choice ${choice}`)

    throw new FuzzError(`${found.errorInstance}\nseed ${number}, path ${found.counterexamplePath}, ${role}${isBounded ? ', small budgets' : ''}${isCut ? ', cut at the end' : ''}:\n${lines.join('\n')}`, { cause: found.errorInstance })
  }

  return inputs
}

export class FuzzError extends Error {}

class Talk {
  inputs = 0
  readonly #language: Language
  readonly #conversation: Conversation
  readonly #engine: Engine
  readonly #streams: StreamRecord[] = []
  #random = new Random(0)
  #now = 0

  constructor (language: Language, conversation: Conversation) {
    this.#language = language
    this.#conversation = conversation
    this.#engine = language.createEngine(conversation.role, { maxInboundStreams: 8, budgets: conversation.isBounded ? BUDGETS : undefined }, 0)
  }

  run (): void {
    const engine = this.#engine
    const decoder = this.#language.createDecoder()
    let isWhole = true

    for (const { input, cut, act, choice } of this.#conversation.steps) {
      if (engine.state === 'closed') {
        break
      }

      const bytes = input()

      this.#random = new Random(choice)
      this.inputs++

      if (isWhole) {
        isWhole = this.#decode(decoder, bytes)
      }

      this.#receive(bytes, cut)
      this.#act(act)
      this.#look()
      this.#check()
    }

    engine.receiveEnd(this.#conversation.isCut ? new Error('cut') : undefined, this.#now)
    this.#look()
    must(engine.state === 'closed' && [...engine.streams].length === 0, 'the end of the connection is the end of its streams')
    this.#transmit()
    must(!engine.wantsTransmit && engine.pollTimeout() === undefined, 'a connection that is over wants nothing more')
  }

  /** A decoder by itself takes every byte once, and ends. */
  #decode (decoder: ReturnType<Language['createDecoder']>, input: Uint8Array): boolean {
    decoder.push(input)

    for (let tokens = 0; ; tokens++) {
      const token = decoder.next()

      if (token === Token.needMore || token === Token.malformed) {
        return token === Token.needMore
      }

      // a header or a part of a body for each byte at most
      must(tokens <= input.byteLength, 'a decoder ends')
      must(token !== Token.payload || (decoder.payload.byteLength > 0 && decoder.payload.byteLength <= input.byteLength), 'a body is cut from what came')
    }
  }

  #receive (input: Uint8Array, part = 1): void {
    const cut = Math.floor(part * input.byteLength)

    this.#engine.receive(input.subarray(0, cut), this.#now)

    if (cut < input.byteLength) {
      this.#look()
      this.#engine.receive(input.subarray(cut), this.#now)
    }

    this.#look()
  }

  #act (act: number): void {
    const engine = this.#engine
    const random = this.#random

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
