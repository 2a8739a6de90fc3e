/**
 * A stream as one application has it: it writes a pattern, reads in one of many ways, and notes all that it is told. What
 * must be true of that in the end is here as well.
 */
import { pattern, isPattern } from './pattern.ts'
import type { Random } from './random.ts'
import type { MuxedStream } from '../../../src/connection/stream.ts'
import type { Bytes } from '../../../src/interface/muxer.ts'

export const READERS = ['listener', 'iterator', 'reads', 'exact reads', 'web stream', 'nobody'] as const

export type Reader = typeof READERS[number]

/** What an end needs of the run that it is part of. */
export interface Run {
  readonly random: Random

  /** Something that must not be. */
  problem(what: string): void

  /** Work that has to come to an end, one way or the other. */
  track(what: string, work: Promise<unknown>): void

  /** A signal that may be aborted at any time. */
  signal(): AbortSignal

  /** The application is being told of something, and may do anything meanwhile. */
  told(end: StreamEnd, event: string): void

  /** The application has ended the connection itself, and all that it sends with it. */
  isClosing(end: StreamEnd): boolean
  turn(): Promise<void>
}

export class StreamEnd {
  readonly stream: MuxedStream
  readonly name: string
  readonly #run: Run
  readonly #flows: { out: number, in: number }

  /** The same stream at the other end, once both applications have it. */
  peer: StreamEnd | undefined
  reader: Reader = 'nobody'
  sent = 0
  received = 0

  /** What our application did: ended its half, wants no more bytes, wants nothing any more. */
  ended = false
  leftUnread = false
  gaveUp = false

  /** What it was told. */
  endHeard = false
  readonly closings: Array<Error | undefined> = []

  /** A reader who pulls has come to the end, and was told of no error. */
  #readToTheEnd = false

  constructor (run: Run, stream: MuxedStream, name: string, flows: { out: number, in: number }) {
    this.#run = run
    this.stream = stream
    this.name = name
    this.#flows = flows

    // over before our application had it
    this.endHeard = stream.readableEnded

    if (stream.status !== 'open') {
      this.closings.push(stream.record.error)
    }

    stream.addEventListener('close', ({ error }) => { this.closings.push(error) })
    stream.addEventListener('end', () => { this.endHeard = true })

    for (const event of ['remoteCloseWrite', 'drain', 'idle', 'end', 'close']) {
      stream.addEventListener(event as 'drain', () => { run.told(this, event) })
    }
  }

  /** Nobody has said that it is over. */
  get believedOpen (): boolean {
    return this.closings.length === 0 && !this.gaveUp
  }

  /** An application may be thrown at for what it does to a stream that it knows to be over, and for nothing else. */
  attempt (what: string, mayThrow: boolean, act: () => void): void {
    try {
      act()
    } catch (err: any) {
      if (!mayThrow || err.name !== 'StreamStateError') {
        this.#run.problem(`${what} of ${this.name} threw ${err.stack.split('\n').slice(0, 6).join('\n')}`)
      }
    }
  }

  send (length: number): void {
    if (!this.ended && !this.gaveUp) {
      const data = pattern(this.#flows.out, this.sent, length)

      this.attempt('send()', !this.believedOpen || this.#run.isClosing(this), () => {
        this.stream.send(data)
        this.sent += length
      })
    }
  }

  write (length: number): void {
    // whether a write that waits was accepted or given up its writer cannot know
    if (!this.ended && !this.gaveUp && this.stream.writeStatus === 'writable' && !this.stream.writableNeedsDrain) {
      const data = pattern(this.#flows.out, this.sent, length)

      this.sent += length
      this.#run.track(`write() of ${this.name}`, this.stream.write(data))
    }
  }

  end (): void {
    this.ended = true
    this.#run.track(`close() of ${this.name}`, this.stream.close())
  }

  leave (): void {
    this.leftUnread = true

    this.#run.track(`closeRead() of ${this.name}`, this.stream.closeRead())
  }

  giveUp (code: number | undefined): void {
    this.gaveUp = true

    if (code === undefined) {
      this.stream.abort(new Error('given up'))
    } else {
      this.stream.reset(code)
    }
  }

  dispose (): void {
    this.ended = true
    this.leftUnread = true
    this.#run.track(`disposal of ${this.name}`, this.stream[Symbol.asyncDispose]())
  }

  pause (): void {
    this.attempt('pause()', this.#knowsReadIsOver, () => { this.stream.pause() })
  }

  resume (): void {
    this.attempt('resume()', this.leftUnread, () => { this.stream.resume() })
  }

  read (reader: Reader): void {
    this.reader = reader

    if (reader === 'listener') {
      this.#listen()
    } else if (reader !== 'nobody') {
      this.#run.track(`${reader} of ${this.name}`, this.#pull(reader).then(() => {
        this.#readToTheEnd = true
      }))
    }
  }

  get #knowsReadIsOver (): boolean {
    return this.leftUnread || this.endHeard || !this.believedOpen
  }

  #listen (): void {
    const { stream } = this
    const { random } = this.#run

    stream.addEventListener('message', ({ data }) => {
      if (this.gaveUp) {
        this.#run.problem(`${this.name} was handed bytes after it was given up`)
      }

      this.#check(data)

      if (random.chance(0.1) && data.byteLength > 1 && !this.leftUnread) {
        const left = random.int(1, data.byteLength - 1)

        this.received -= left
        this.attempt('unshift()', false, () => { stream.unshift(data.subarray(data.byteLength - left)) })
      }

      if (random.chance(0.2) && !this.leftUnread) {
        this.attempt('pause()', false, () => { stream.pause() })
        setImmediate(() => {
          this.resume()
        })
      }

      this.#run.told(this, 'message')
    })
  }

  async #pull (reader: Reader): Promise<void> {
    const { stream } = this

    if (reader === 'exact reads') {
      return this.#pullExactly()
    }

    if (reader === 'reads') {
      for (let data = await stream.read(); data !== null; data = await stream.read()) {
        await this.#take(data)
      }

      return
    }

    for await (const data of reader === 'iterator' ? stream : stream.readable) {
      await this.#take(data)
    }
  }

  async #pullExactly (): Promise<void> {
    const { random } = this.#run

    while (true) {
      const signal = random.chance(0.3) ? this.#run.signal() : undefined

      try {
        await this.#take(await this.stream.read({ bytes: random.int(1, 3_000), signal }))
      } catch (err: any) {
        if (err.name === 'UnexpectedEOFError') {
          // what there is less than was asked for is there to be read
          return this.#pull('reads')
        }

        if (err !== signal?.reason) {
          throw err
        }

        await this.#run.turn()
      }
    }
  }

  async #take (data: Bytes): Promise<void> {
    this.#check(data)

    if (this.#run.random.chance(0.2)) {
      await this.#run.turn()
    }
  }

  #check (data: Bytes): void {
    if (!isPattern(this.#flows.in, this.received, data.subarray())) {
      this.#run.problem(`${this.name} was handed other bytes at ${this.received} than were written`)
    }

    this.received += data.byteLength
  }

  /** When nothing moves any more. `quiet`: because all was read to its end, and nothing broke. */
  verify (quiet: boolean): void {
    const { received, peer } = this
    const sent = peer?.sent ?? 0

    if (this.closings.length === 0) {
      this.#problem('was never told to be closed')
    }

    if (!this.endHeard) {
      this.#problem('was never told of the end of what it reads')
    }

    if (received > sent) {
      this.#problem(`was handed ${received} bytes of ${sent}`)
    }

    if (this.#believesToHaveAll && !(peer === undefined ? received === 0 : peer.#hasEnded && received === sent)) {
      this.#problem(`has taken ${received} bytes of ${sent} for the whole`)
    }

    if (quiet && !this.#isExcused) {
      this.#verifyQuiet()
    }
  }

  #verifyQuiet (): void {
    const { received, peer } = this

    if (peer === undefined) {
      this.#problem('was never told to the peer, and nobody says why')
    } else if (!this.leftUnread && !peer.gaveUp && received !== peer.sent) {
      this.#problem(`was handed ${received} bytes of ${peer.sent}`)
    }
  }

  get #hasEnded (): boolean {
    return this.ended || this.stream.record.send === 'ended'
  }

  /** What is missing is known to be. */
  get #isExcused (): boolean {
    return this.gaveUp || this.closings.some(error => error !== undefined)
  }

  get #believesToHaveAll (): boolean {
    const listenedToTheEnd = this.reader === 'listener' && this.endHeard && !this.#isExcused

    return (this.#readToTheEnd || listenedToTheEnd) && !this.leftUnread && !this.gaveUp
  }

  #problem (what: string): void {
    this.#run.problem(`${this.name} (${this.reader}) ${what}`)
  }
}
