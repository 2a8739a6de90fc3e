/**
 * Conversations with real peers, recorded: what they said is given to an engine, and it must say again what we said
 * then, to the byte, for each stream in the same order. Who reads bytes here shares nothing with `src`.
 */
import fs from 'node:fs'
import path from 'node:path'
import { expect } from 'aegir/chai'
import { StreamResetError } from '../../src/interface/errors.ts'
import { keyOf } from '../../src/protocols/mplex/stream.ts'
import { EngineDriver } from '../support/engine-pair.ts'
import { ACK, DATA, FIN, FrameReader, GO_AWAY, PING, RST, SYN, fromHex, hex, join, lineOf } from '../support/frames.ts'
import { MplexDriver } from '../support/mplex-engines.ts'
import { MessageReader, messageLine } from '../support/mplex-frames.ts'
import { root } from '../support/repository.ts'
import type { StreamRecord } from '../../src/core/stream-record.ts'
import type { AnyEngineDriver } from '../support/engine-driver.ts'

interface Conversation {
  scenario: string
  weAre: 'client' | 'server'

  /** In hex: `>` what we sent at once, `<` what came at once. */
  pieces: Array<['>' | '<', string]>
}

interface Golden {
  peer: string
  muxer: 'yamux' | 'mplex'
  conversations: Conversation[]
}

/** What a frame says, whatever the language. */
interface Said {
  /** All of it, so that two that are equal say the same. */
  line: string

  /** Of the stream, as the engine's table knows it. */
  key?: number | bigint
  body?: Uint8Array
  end?: boolean
  reset?: boolean

  /** Of the reset, where the language has codes. */
  code?: number

  /** The connection ends with it. */
  over?: boolean

  /** Has the engine say so, as an application would. */
  command(driver: AnyEngineDriver<any, any, any>): void
}

const RESET = new StreamResetError('reset by our side', { origin: 'local', code: 0 })

/** Yamux: what the frames of one side say. */
function yamuxReader (): (bytes: Uint8Array) => Said[] {
  const reader = new FrameReader()

  return bytes => reader.push(bytes).map(frame => {
    const { type, flags, streamId, length, body } = frame
    const said: Said = {
      line: `${lineOf(frame)} ${hex(body)}`,
      command (driver) {
        if (type === PING) {
          driver.engine.ping(driver.now)
        } else if (type === GO_AWAY) {
          driver.engine.close(length, undefined, driver.now)
        } else if (flags === SYN) {
          driver.open()
        } else if (flags === ACK) {
          driver.accept(streamId)
        } else if (flags === FIN) {
          driver.end(driver.stream(streamId))
        } else if (flags === RST) {
          driver.reset(driver.stream(streamId), length, RESET)
        } else {
          driver.write(driver.stream(streamId), body)
        }
      }
    }

    if (type > 1) {
      return { ...said, over: type === GO_AWAY && length > 0 }
    }

    return {
      ...said,
      key: streamId,
      body: type === DATA ? body : undefined,
      end: (flags & FIN) !== 0,
      reset: (flags & RST) !== 0,
      // data has none
      code: type === DATA ? 0 : length
    }
  })
}

/** Mplex: even flags are those of who opened the stream. */
function mplexReader (ours: boolean): (bytes: Uint8Array) => Said[] {
  const reader = new MessageReader()

  return bytes => reader.push(bytes).map(message => {
    const { flag, id, body } = message
    const inbound = (flag % 2 === 0) !== ours
    const key = keyOf(id, inbound)

    return {
      line: `${messageLine(message)} ${hex(body)}`,
      key,
      body: flag === 1 || flag === 2 ? body : undefined,
      end: flag === 3 || flag === 4,
      reset: flag === 5 || flag === 6,
      command (driver) {
        if (flag === 0) {
          driver.open()
        } else if (flag <= 2) {
          driver.write(driver.stream(key), body)
        } else if (flag <= 4) {
          driver.end(driver.stream(key))
        } else {
          driver.reset(driver.stream(key), 0, RESET)
        }
      }
    }
  })
}

interface Sides {
  driver: AnyEngineDriver<any, any, any>
  ours(bytes: Uint8Array): Said[]
  recorded(bytes: Uint8Array): Said[]
  theirs(bytes: Uint8Array): Said[]
}

function sidesOf ({ muxer }: Golden, { weAre }: Conversation): Sides {
  return muxer === 'yamux'
    // as the connection was made: the first ping comes from keep-alive
    ? { driver: new EngineDriver(weAre, { enableKeepAlive: true }), ours: yamuxReader(), recorded: yamuxReader(), theirs: yamuxReader() }
    : { driver: new MplexDriver(), ours: mplexReader(true), recorded: mplexReader(true), theirs: mplexReader(false) }
}

class Replay {
  readonly #sides: Sides
  readonly #received = new Map<number | bigint, Uint8Array[]>()
  readonly #expected = new Map<number | bigint, Uint8Array[]>()
  readonly #ends = new Map<number | bigint, Said>()
  readonly #resetByUs = new Set<number | bigint>()

  #over = false

  /** What the engine has said, and the recording has not. */
  #made: Said[] = []

  constructor (sides: Sides) {
    this.#sides = sides
  }

  play (pieces: Conversation['pieces']): void {
    for (const [direction, digits] of pieces) {
      if (direction === '<') {
        this.#hear(fromHex(digits))
      } else {
        this.#sides.recorded(fromHex(digits)).forEach(said => { this.#say(said) })
      }
    }

    this.#drain()
    expect(this.#made.map(({ line }) => line)).to.deep.equal([])
    this.#check()
  }

  #hear (bytes: Uint8Array): void {
    const { driver, theirs } = this.#sides

    for (const said of theirs(bytes)) {
      const { key, body, end, reset } = said

      this.#over ||= said.over === true

      if (this.#over) {
        // what comes behind it is not heard
        break
      }

      if (key !== undefined && body !== undefined && body.byteLength > 0) {
        this.#expected.set(key, [...this.#expected.get(key) ?? [], body])
      }

      if (key !== undefined && (end === true || reset === true) && !this.#ends.has(key)) {
        this.#ends.set(key, said)
      }
    }

    driver.give(bytes)

    // those that came and went meanwhile are told by their edges
    driver.edges()
    this.#drain()

    for (const stream of driver.engine.streams as Iterable<StreamRecord>) {
      this.#take(stream)
    }
  }

  #take (stream: StreamRecord): void {
    const bytes = this.#sides.driver.read(stream)

    if (bytes.byteLength > 0) {
      this.#received.set(stream.id, [...this.#received.get(stream.id) ?? [], bytes])
    }
  }

  #say (said: Said): void {
    this.#drain()

    if (!this.#taken(said)) {
      if (said.reset === true && said.key !== undefined) {
        this.#resetByUs.add(said.key)
      }

      said.command(this.#sides.driver)
      this.#drain()
      expect(this.#taken(said), `${said.line} was said then, and is not now`).to.be.true()
    }
  }

  #taken ({ line }: Said): boolean {
    const index = this.#made.findIndex(made => made.line === line)

    if (index === -1) {
      return false
    }

    this.#made.splice(index, 1)

    return true
  }

  #drain (): void {
    this.#made.push(...this.#sides.ours(this.#sides.driver.bytes()))
  }

  /** Streams that we have not reset brought all bytes, and ended as the peer said. */
  #check (): void {
    for (const [key, parts] of this.#expected) {
      const stream: StreamRecord | undefined = this.#known(key)

      if (stream !== undefined && !this.#resetByUs.has(key)) {
        this.#take(stream)
        expect(hex(join(...this.#received.get(key) ?? []))).to.equal(hex(join(...parts)))
      }
    }

    for (const [key, { reset, code }] of this.#ends) {
      const stream: StreamRecord | undefined = this.#known(key)

      if (stream !== undefined && !this.#resetByUs.has(key)) {
        expect(stream.receive).to.equal(reset === true ? 'reset' : 'ended')

        if (reset === true) {
          expect(stream.error).to.include({ name: 'StreamResetError', origin: 'remote', code })
        }
      }
    }
  }

  /** rust-yamux ends streams that it never announced. */
  #known (key: number | bigint): StreamRecord | undefined {
    try {
      return this.#sides.driver.stream(key)
    } catch {
      return undefined
    }
  }
}

describe('vectors: conversations with real peers', () => {
  const folder = path.join(root, 'test/vectors/interop')

  for (const file of fs.readdirSync(folder).filter(name => name.endsWith('.json'))) {
    const golden: Golden = JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'))

    describe(`${golden.muxer} of ${golden.peer}`, () => {
      for (const conversation of golden.conversations) {
        it(`${conversation.scenario}, as ${conversation.weAre}`, () => {
          new Replay(sidesOf(golden, conversation)).play(conversation.pieces)
        })
      }
    })
  }
})
