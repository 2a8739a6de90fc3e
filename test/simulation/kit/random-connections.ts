/**
 * Two connections of ours over a link in memory, and an application at either end that does whatever it may, also while it is
 * being told of something: engines by themselves, as the other trials drive them, never meet that. Everything random
 * comes from the seed.
 */
import { mplex } from '../../../src/mplex.ts'
import { yamux } from '../../../src/yamux.ts'
import { brokenInvariant } from '../../support/invariants.ts'
import { memoryLink } from '../../support/memory-link.ts'
import { turn, until } from '../../support/waiting.ts'
import { Random } from './random.ts'
import { READERS, StreamEnd } from './stream-end.ts'
import type { Run } from './stream-end.ts'
import type { MuxedConnection } from '../../../src/connection/connection.ts'
import type { MuxedStream } from '../../../src/connection/stream.ts'
import type { Urgency } from '../../../src/interface/muxer.ts'
import type { MemoryLink } from '../../support/memory-link.ts'

export type Language = 'yamux' | 'mplex'

/** How a run ends: by itself, or by what one side or both do, or the link. `amid`: done by a listener. */
export const FINALES = ['quiet', 'close', 'close of both', 'goAway', 'abort', 'cut', 'close amid', 'goAway amid', 'abort amid'] as const

type Finale = typeof FINALES[number]

export interface ConnectionReport {
  finale: Finale
  bytes: number
  counts: Record<string, number>
}

interface Side {
  name: string
  connection: MuxedConnection
}

/** Streams that one side keeps open at most: more only make everything rarer. */
const MOST_STREAMS = 12

class ConnectionRun implements Run {
  readonly random: Random
  readonly counts: Record<string, number> = {}
  readonly #language: Language
  readonly #finale: Finale
  readonly #link: MemoryLink
  readonly #sides: [Side, Side]
  readonly #ends: StreamEnd[] = []
  readonly #unpaired = new Map<string, StreamEnd>()
  readonly #pending = new Map<number, string>()
  readonly #controllers: AbortController[] = []
  readonly #problems: string[] = []
  #tracked = 0
  readonly #slow: boolean
  #held = false

  /** What a listener is to do to its connection, once. */
  #armed: Finale | undefined

  /** Nothing new is begun. */
  #settling = false

  constructor (seed: number, language: Language) {
    const random = new Random(seed)
    const pieces = random.chance(0.2) ? random.int(200, 2_200) : undefined

    this.random = random
    this.#language = language
    this.#finale = random.pick(FINALES)
    this.#slow = random.chance(0.2)
    this.#link = memoryLink({
      record: false,
      merge: !this.#slow && random.chance(0.5),
      chop: this.#slow ? random.int(1, 20) : pieces,
      capacity: random.chance(0.6) ? random.int(1, 20_000) : undefined
    })
    this.#sides = [
      { name: 'dialer', connection: this.#connect('outbound') },
      { name: 'listener', connection: this.#connect('inbound') }
    ]
  }

  async run (): Promise<ConnectionReport> {
    const { random } = this

    if (random.chance(0.4)) {
      this.#held = true
      this.#link.outbound.hold()
      this.#link.inbound.hold()
    }

    for (const side of this.#sides) {
      this.#accept(side)
    }

    const steps = random.int(20, 170)

    for (let step = 0; step < steps; step++) {
      if (step === steps >> 1 && this.#finale.endsWith('amid')) {
        this.#armed = this.#finale
      }

      this.#act()
      await this.#step()
    }

    await this.#end()

    for (const end of this.#ends) {
      end.verify(this.#finale === 'quiet')
    }

    if (this.#problems.length > 0) {
      throw new Error([`${this.#language}, ${this.#finale}`, ...this.#problems.slice(0, 6)].join('\n  '))
    }

    return { finale: this.#finale, bytes: this.#ends.reduce((sum, { received }) => sum + received, 0), counts: this.counts }
  }

  problem (what: string): void {
    this.#problems.push(what)
  }

  track (what: string, work: Promise<unknown>): void {
    const id = this.#tracked++
    const done = (): void => { this.#pending.delete(id) }

    this.#pending.set(id, what)
    work.then(done, done)
  }

  signal (): AbortSignal {
    const controller = new AbortController()

    this.#controllers.push(controller)

    return controller.signal
  }

  told (end: StreamEnd, event: string): void {
    if (this.#armed !== undefined && this.random.chance(0.3)) {
      const finale = this.#armed

      this.#armed = undefined
      this.#count(`${finale} in ${event}`)
      this.#endConnection(finale, this.#sideOf(end).connection)
    }

    if (!this.#settling && this.random.chance(0.2)) {
      this.#count(`in ${event}`)
      this.#act(end)
    }
  }

  isClosing (end: StreamEnd): boolean {
    return this.#sideOf(end).connection.status !== 'open'
  }

  async turn (): Promise<void> {
    await turn()
  }

  #connect (direction: 'outbound' | 'inbound'): MuxedConnection {
    const { random } = this
    const maybe = <Options>(probability: number, options: Options): Options | {} => random.chance(probability) ? options : {}
    const shared = {
      maxMessageSize: random.int(1_024, 10_000),
      acceptBacklog: random.int(1, 20),
      ...maybe(0.5, { maxBatchLength: random.int(1_024, 4_096) }),
      ...maybe(0.5, { streamOptions: { writeHighWaterMark: random.int(1, 3_000) } })
    }
    // more than streams have that are open, and less than those count for that are over: the connection is to stay
    const unread = { ...maybe(0.5, { unreadPieces: random.magnitude(300, 2_000) }), ...maybe(0.5, { pinnedBytes: random.magnitude(1, 100_000) }) }
    const factory = this.#language === 'yamux'
      ? yamux({
        ...shared,
        enableKeepAlive: random.chance(0.2),
        budgets: { ...unread, ...maybe(0.3, { unstartedBytes: 262_144 }) },
        ...maybe(0.5, { connectionWindowBudget: random.int(0, 500_000) })
      })
      : mplex({
        ...shared,
        budgets: unread,
        ...maybe(0.5, { maxStreamBufferSize: random.int(1, 30_000) })
      })

    return factory().createStreamMuxer(this.#link[direction])
  }

  #accept (side: Side): void {
    const { connection, name } = side
    const onStream = (stream: MuxedStream): void => {
      const end = this.#add(stream, side)

      for (let messages = this.random.int(0, 3); messages > 0; messages--) {
        end.send(this.#size())
      }

      this.told(end, 'stream')
    }

    if (this.random.chance(0.5)) {
      connection.addEventListener('stream', ({ detail }) => { onStream(detail) })
    } else {
      this.track(`streams of the ${name}`, (async () => {
        for await (const stream of connection.inboundStreams) {
          onStream(stream)

          if (this.random.chance(0.3)) {
            await turn()
          }
        }
      })())
    }
  }

  #add (stream: MuxedStream, side: Side): StreamEnd {
    const opened = stream.direction === 'outbound'
    const openedByDialer = opened === (side === this.#sides[0])
    const { id, wireId = id } = stream.record as { id: number, wireId?: number }
    const flow = 4 * wireId + (openedByDialer ? 0 : 2)
    const end = new StreamEnd(this, stream, `${stream.direction} stream ${stream.id} of the ${side.name}`, { out: flow + (opened ? 0 : 1), in: flow + (opened ? 1 : 0) })
    const key = `${flow}`
    const peer = this.#unpaired.get(key)

    if (peer === undefined) {
      this.#unpaired.set(key, end)
    } else if (peer.peer !== undefined || this.#sideOf(peer) === side) {
      this.problem(`${end.name} was told of twice`)
    } else {
      end.peer = peer
      peer.peer = end
    }

    this.#ends.push(end)
    end.read(this.random.pick(READERS))

    return end
  }

  #sideOf ({ name }: StreamEnd): Side {
    return this.#sides[name.endsWith('dialer') ? 0 : 1]
  }

  #count (what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }

  #size (): number {
    const { random } = this

    const most = this.#language === 'yamux' ? 60_000 : 20_000

    return random.chance(0.1) ? 0 : random.magnitude(1, this.#slow ? 300 : most)
  }

  /** One thing that an application does; of what it is just being told of, if it is. */
  #act (about?: StreamEnd): void {
    const { random } = this

    if (this.#ends.length === 0 || random.chance(0.12)) {
      this.#open()
      return
    }

    const open = this.#ends.filter(({ believedOpen }) => believedOpen)
    const end = about !== undefined && random.chance(0.5) ? about : random.pick(open.length > 0 && random.chance(0.9) ? open : this.#ends)
    const [name, act] = random.pick(this.#acts(end))

    this.#count(name)
    act()
  }

  /** As often as each is there it is chosen. */
  #acts (end: StreamEnd): Array<[string, () => void]> {
    const { random } = this
    const times = (count: number, name: string, act: () => void): Array<[string, () => void]> => Array.from({ length: count }, () => [name, act])

    return [
      ...times(34, 'send', () => {
        for (let messages = random.chance(0.1) ? 30 : random.int(1, 3); messages > 0; messages--) {
          end.send(this.#size())
        }
      }),
      ...times(5, 'write', () => { end.write(this.#size()) }),
      ...times(7, 'end', () => { end.end() }),
      ...times(2, 'abort', () => { end.giveUp(undefined) }),
      ...times(1, 'reset', () => { end.giveUp(random.int(0, 5)) }),
      ...times(3, 'closeRead', () => { end.leave() }),
      ...times(2, 'dispose', () => { end.dispose() }),
      ...times(5, 'pause', () => { end.pause() }),
      ...times(5, 'resume', () => { end.resume() }),
      ...times(5, 'read later', () => {
        if (end.reader === 'nobody') {
          end.read(random.pick(READERS))
        }
      }),
      ...times(3, 'priority', () => { end.stream.priority = { urgency: random.int(0, 7) as Urgency, incremental: random.chance(0.5) } }),
      ...times(1, 'limit', () => { end.stream.maxReadBufferLength = random.int(1, this.#language === 'yamux' ? 400_000 : 30_000) }),
      ...times(2, 'agree', () => { end.stream.protocol = '/agreed/1.0.0' }),
      ...times(5, 'drain', () => { this.track('onDrain()', end.stream.onDrain({ signal: this.signal() })) }),
      ...times(4, 'give up waiting', () => { random.pick([...this.#controllers, new AbortController()]).abort(new Error('too slow')) }),
      ...times(3, 'ping', () => { this.track('ping()', random.pick(this.#sides).connection.ping({ signal: this.signal() })) })
    ]
  }

  #open (): void {
    const { random } = this
    const side = random.pick(this.#sides)
    const { connection } = side

    if (connection.status !== 'open' || connection.streams.length >= MOST_STREAMS) {
      return
    }

    this.#count('open')
    this.track('newStream()', connection.newStream({
      signal: this.signal(),
      ...(random.chance(0.3) ? { priority: { urgency: random.int(0, 7) as Urgency } } : {})
    }).then(stream => {
      const end = this.#add(stream, side)

      if (random.chance(0.8)) {
        end.send(this.#size())
      }
    }))
  }

  async #step (): Promise<void> {
    const { random } = this

    for (const end of [this.#link.outbound, this.#link.inbound]) {
      if (this.#held && random.chance(0.6)) {
        end.step(random.magnitude(1, 40))
      }
    }

    if (random.chance(0.7)) {
      await turn()
    } else {
      await Promise.resolve()
    }

    for (const { connection, name } of this.#sides) {
      const broken = brokenInvariant(connection.engine, true)

      if (broken !== undefined) {
        this.problem(`the books of the ${name} are wrong: ${broken}`)
      }
    }
  }

  #endConnection (finale: Finale, connection: MuxedConnection): void {
    if (finale.startsWith('goAway')) {
      this.track('goAway()', connection.goAway())
    } else if (finale.startsWith('close')) {
      this.track('close() of the connection', connection.close(this.random.chance(0.3) ? { signal: this.signal() } : {}))
    } else {
      connection.abort(new Error('enough'))
    }
  }

  async #end (): Promise<void> {
    const { random } = this
    const [dialer, listener] = this.#sides.map(({ connection }) => connection)

    if (this.#finale === 'quiet') {
      await this.#settle(() => this.#isQuiet)
      this.#verifyBooks()
      this.#endConnection(random.pick(['close', 'goAway', 'abort']), dialer)
    } else if (this.#finale === 'cut') {
      this.#link.cut(random.chance(0.5) ? new Error('cut') : undefined)
    } else {
      this.#endConnection(this.#finale, dialer)

      if (this.#finale === 'close of both') {
        this.#endConnection(this.#finale, listener)
      }

      for (let step = random.int(0, 10); step > 0; step--) {
        this.#act()
        await this.#step()
      }
    }

    await this.#settle(() => this.#isOver)
  }

  /** Everybody reads and ends what it has, until it is so. */
  async #settle (isSo: () => boolean): Promise<void> {
    this.#settling = true
    this.#held = false
    this.#link.outbound.release()
    this.#link.inbound.release()

    await until(isSo, () => {
      for (const end of this.#ends) {
        if (end.reader === 'nobody') {
          end.read(this.random.pick(READERS))
        }

        if (end.stream.readStatus === 'paused') {
          end.resume()
        }

        if (!end.ended && !end.gaveUp) {
          end.end()
        }
      }
    }).catch(() => {
      this.problem(`never over: ${this.#describe()}`)
    })
  }

  get #isQuiet (): boolean {
    return this.#sides.every(({ connection }) => connection.streams.length === 0 && [...connection.engine.streams].length === 0) &&
      this.#ends.every(({ closings, endHeard }) => closings.length > 0 && endHeard) &&
      [...this.#pending.values()].every(what => what.startsWith('streams of'))
  }

  get #isOver (): boolean {
    return this.#pending.size === 0 && this.#link.outbound.listeners + this.#link.inbound.listeners === 0 &&
      this.#sides.every(({ connection }) => connection.status === 'closed') &&
      this.#ends.every(({ closings, endHeard }) => closings.length > 0 && endHeard)
  }

  #describe (): string {
    const sides = this.#sides.map(({ name, connection }) => `${name} ${connection.status} with ${[...connection.engine.streams].map(stream => `${stream.name} ${stream.send}/${stream.receive}`)}`)
    const untold = this.#ends.filter(({ closings, endHeard }) => closings.length === 0 || !endHeard).map(({ name, stream }) => `${name} ${stream.readStatus} with ${stream.readBufferLength} unread`)

    return [...sides, `waits: ${[...this.#pending.values()]}`, `not told: ${untold}`, `${this.#link.outbound.listeners + this.#link.inbound.listeners} listeners on the link`].join('; ')
  }

  /** Nothing is open, so that nothing may be owed, kept or counted. */
  #verifyBooks (): void {
    for (const { name, connection } of this.#sides) {
      const state = (connection.engine as any).connection
      const left = { queued: state.bytesQueued, resets: state.resetsOwed.length, unacknowledged: state.unacknowledged ?? 0, unread: state.kept.lingering.size === 0 ? state.kept.bytes + state.kept.pieces : 0 }

      if (connection.status !== 'open') {
        this.problem(`the ${name} is ${connection.status}, and nobody has closed it`)
      } else if (Object.values(left).some(amount => amount !== 0)) {
        this.problem(`the ${name} has something left: ${JSON.stringify(left)}`)
      }

      if (state.growth !== undefined && state.growth.left !== state.config.connectionWindowBudget) {
        this.problem(`the ${name} has ${state.growth.left} of ${state.config.connectionWindowBudget} bytes for windows to grow by`)
      }
    }
  }
}

export async function runConnections (seed: number, language: Language): Promise<ConnectionReport> {
  return new ConnectionRun(seed, language).run()
}
