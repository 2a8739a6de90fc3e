/**
 * Two applications that do whatever comes to their minds, over a link that is no better, for as long as one seed says.
 * What they see and what the engines hold is checked against the model at every step.
 *
 * What will be done is planned before anything is: a plan that fails can be made shorter.
 */
import { brokenInvariant } from '../../support/invariants.ts'
import { Endpoint } from './endpoint.ts'
import { createMplexPair } from './mplex.ts'
import { createPair } from './pair.ts'
import { isOverPieces } from './plain-model.ts'
import { PlainSide } from './plain-side.ts'
import { RandomSide } from './random-side.ts'
import { Random } from './random.ts'
import type { AnyEndpoint } from './endpoint.ts'
import type { AnyPair } from './pair.ts'
import type { PipeOptions } from './pipe.ts'
import type { SidePlan, Step } from './random-side.ts'
import type { GoAwayError } from '../../../src/interface/errors.ts'
import type { MplexOptions } from '../../../src/protocols/mplex/config.ts'
import type { YamuxOptions } from '../../../src/protocols/yamux/config.ts'

/** What a run did, so that somebody can see that all of it is done now and then. */
export interface Report {
  /** Of the clock. */
  steps: number

  /** Of the applications. */
  operations: number
  bytes: number
  streams: number
  ending: Ending
  counts: Record<string, number>
}

/** `cut`: the link dies at some byte, most often while both applications are at work. */
type Ending = 'finish' | 'drain' | 'close' | 'cut'

export type MuxerName = 'yamux' | 'mplex'

export interface Plan {
  muxer: MuxerName
  seed: number
  steps: Step[]
  ending: Ending

  /** If it is cut: whose bytes are, and within how many of them, however many steps are left out later. */
  death: { side: Step['side'], within: number }

  /** A link that does nothing of its own, and options as they are by default. */
  plainLink: boolean
  plainOptions: boolean
}

/** Longer than any run takes that makes progress. */
const PATIENCE_MILLIS = 86_400_000

const FEW_STEPS = 8_000

/** What is written for each operation, about: as far as it goes, runs are cut anywhere. */
const BYTES_PER_STEP = 10_000

// what is drawn for one thing does not change what is drawn for another
const SEEDS = { steps: 0x1000_0000, link: 0x2000_0000, options: 0x3000_0000, manners: 0x4000_0000, ending: 0x5000_0000, budgets: 0x6000_0000, pieces: 0x7000_0000, mortal: 0x0800_0000, death: 0x1800_0000, pins: 0x3800_0000 }

/** One application, as far as a run is concerned. */
interface Side {
  endpoint: AnyEndpoint

  /** Has done all that was planned; and then, that nothing is left to do. */
  idle: boolean
  finished: boolean
  streamsSeen: number
  check(): void
  finish(): void
  drain(): void
  checkComplete(): void
  checkEnd(): void
}

interface Run {
  pair: AnyPair<AnyEndpoint>
  sides: [Side, Side]
}

export function makePlan (seed: number, muxer: MuxerName = 'yamux'): Plan {
  const random = new Random(seed ^ SEEDS.steps)
  const steps: Step[] = []

  for (const side of ['client', 'server'] as const) {
    const pace = random.magnitude(1, 1_000) / 10
    let at = 0

    for (let left = random.magnitude(5, 300); left > 0; left--) {
      at += random.gap(pace)
      steps.push({ side, at, seed: random.int(0, 2 ** 32 - 1) })
    }
  }

  const mortal = new Random(seed ^ SEEDS.mortal).pick(['client', 'server'] as const)

  return {
    muxer,
    seed,
    steps: steps.sort((one, other) => one.at - other.at),
    death: { side: mortal, within: BYTES_PER_STEP * steps.filter(({ side }) => side === mortal).length },
    ending: random.pick<Ending>(['finish', 'finish', 'finish', 'finish', 'drain', 'close', 'cut', 'cut']),
    plainLink: false,
    plainOptions: false
  }
}

/** @throws at the first step at which anything is not as the model says */
export function runPlan (plan: Plan, log: (line: string) => void = () => {}): Report {
  const link = plan.plainLink ? { options: {}, meanPiece: 65_536 } : randomLink(new Random(plan.seed ^ SEEDS.link))
  const counts: Record<string, number> = {}
  const manners = new Random(plan.seed ^ SEEDS.manners)
  const bytes = Math.floor(Math.min(4_194_304, FEW_STEPS * link.meanPiece) / 2)
  const planOf = (): SidePlan => ({ seed: manners.int(0, 2 ** 32 - 1), steps: plan.steps, bytes, pace: manners.magnitude(1, 1_000) / 10 })
  const { pair, sides } = (plan.muxer === 'yamux' ? startYamux : startMplex)(plan, link.options, planOf, counts, log)
  const [client, server] = sides

  if (plan.ending === 'cut') {
    planDeath(pair, plan, bytes, () => {
      count(counts, 'death')

      if (!client.idle || !server.idle) {
        count(counts, 'death at work')
      }

      if (sides.some(({ endpoint }) => [...endpoint.engine.streams].some(({ receiveQueue }) => receiveQueue.byteLength > 0))) {
        count(counts, 'death with bytes unread')
      }
    })
  }

  pair.clock.onStep = () => {
    for (const side of sides) {
      side.check()
      checkInvariants(side.endpoint)
    }
  }

  pair.clock.until('both applications have done what they wanted', () => client.idle && server.idle, PATIENCE_MILLIS)
  finish(pair, client, server, plan.ending, new Random(plan.seed ^ SEEDS.ending))

  for (const side of sides) {
    const { error } = side.endpoint

    if (isOverPieces(error)) {
      count(counts, `over ${error.budget}`)
    }

    side.check()
    side.checkEnd()
    checkStatistics(side.endpoint)
  }

  return {
    steps: pair.clock.steps,
    operations: plan.steps.length,
    bytes: client.endpoint.engine.statistics().bytesReceived + server.endpoint.engine.statistics().bytesReceived,
    streams: client.streamsSeen,
    ending: plan.ending,
    counts
  }
}

/** At some byte of those that such a run moves: the first few are as likely as all the others. */
function planDeath (pair: AnyPair<AnyEndpoint>, { seed, death: { side, within } }: Plan, bytes: number, onDeath: () => void): void {
  const random = new Random(seed ^ SEEDS.death)
  const most = Math.min(bytes, within)
  const pipe = pair[side === 'client' ? 'fromClient' : 'fromServer']

  pipe.lifetime = random.chance(0.5) ? random.magnitude(1, most) : random.int(1, most)
  pipe.onDeath = () => {
    onDeath()
    pair.cut()
  }
}

function count (counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}

/** What the connection counted is what went over the wire, and what all its streams have; each of them is known to be right. */
function checkStatistics ({ name, engine, recorder, streams, error }: AnyEndpoint): void {
  const counted = engine.statistics()
  const actual = { framesSent: recorder.framesSent, framesReceived: recorder.framesReceived, bytesSent: 0, bytesReceived: 0 }

  for (const stream of streams.values()) {
    const { bytesSent, bytesReceived } = engine.streamStatistics(stream)

    actual.bytesSent += bytesSent
    actual.bytesReceived += bytesReceived
  }

  if (isOverPieces(error)) {
    // the rest of what arrived was not looked at
    actual.framesReceived = Math.min(actual.framesReceived, counted.framesReceived)
  }

  for (const what of ['framesSent', 'framesReceived', 'bytesSent', 'bytesReceived'] as const) {
    if (counted[what] !== actual[what]) {
      throw new Error(`${name}: ${what} are ${counted[what]} by the statistics, ${actual[what]} in fact`)
    }
  }
}

function checkInvariants ({ name, engine }: AnyEndpoint): void {
  const broken = brokenInvariant(engine)

  if (broken !== undefined) {
    throw new Error(`${name}: ${broken}`)
  }
}

function startYamux (plan: Plan, link: PipeOptions, planOf: () => SidePlan, counts: Record<string, number>, log: (line: string) => void): Run {
  const random = new Random(plan.seed ^ SEEDS.options)
  const budgets = new Random(plan.seed ^ SEEDS.budgets)
  const [clientOptions, serverOptions] = plan.plainOptions ? [] : limitPins([yamuxOptions(random, budgets), yamuxOptions(random, budgets)], new Random(plan.seed ^ SEEDS.pins))
  const pieces = new Random(plan.seed ^ SEEDS.pieces)

  if (clientOptions !== undefined && serverOptions !== undefined && pieces.chance(0.25)) {
    // which stream has to go for its pieces depends on what was joined, which is more than the model knows
    limitPieces(clientOptions, pieces)
    limitPieces(serverOptions, pieces)

    return startPlain(createPair({ link, clientOptions, serverOptions }), true, planOf, counts, log)
  }

  const pair = createPair({ link, clientOptions, serverOptions })
  const client = new RandomSide(pair, pair.client, planOf(), counts, log)
  const server = new RandomSide(pair, pair.server, planOf(), counts, log)

  client.peer = server
  server.peer = client

  return { pair, sides: [client, server] }
}

function startMplex (plan: Plan, link: PipeOptions, planOf: () => SidePlan, counts: Record<string, number>, log: (line: string) => void): Run {
  const random = new Random(plan.seed ^ SEEDS.options)
  const budgets = new Random(plan.seed ^ SEEDS.budgets)
  const [clientOptions, serverOptions] = plan.plainOptions ? [] : limitPins([mplexOptions(random, budgets), mplexOptions(random, budgets)], new Random(plan.seed ^ SEEDS.pins))

  return startPlain(createMplexPair({ link, clientOptions, serverOptions }), false, planOf, counts, log)
}

function startPlain (pair: AnyPair<any>, hasWindows: boolean, planOf: () => SidePlan, counts: Record<string, number>, log: (line: string) => void): Run {
  const client = new PlainSide(pair, pair.client, hasWindows, planOf(), counts, log)
  const server = new PlainSide(pair, pair.server, hasWindows, planOf(), counts, log)

  client.peer = server
  server.peer = client

  return { pair, sides: [client, server] }
}

function finish (pair: AnyPair<AnyEndpoint>, client: Side, server: Side, ending: Ending, random: Random): void {
  const [one, other] = random.chance(0.5) ? [client, server] : [server, client]

  if (endedOverPieces(pair)) {
    return
  }

  if (ending === 'close') {
    checkAlive(pair)
    closeWith(pair, one.endpoint, other.endpoint, random.int(0, 2))
    return
  }

  if (ending === 'drain') {
    one.drain()
  }

  client.finish()
  server.finish()
  pair.clock.until('every stream has ended', () => (client.finished && server.finished) || (pair.client.closed && pair.server.closed), PATIENCE_MILLIS)

  if (endedOverPieces(pair)) {
    return
  }

  if (ending === 'cut' && pair.client.closed && pair.server.closed) {
    checkCut(pair)
    return
  }

  checkAlive(pair)

  for (const side of [client, server]) {
    side.checkComplete()
  }

  // in good order, if the cut did not come in time
  pair.fromClient.lifetime = Infinity
  pair.fromServer.lifetime = Infinity
  other.endpoint.close()
  pair.clock.until('both ends are closed', () => pair.client.closed && pair.server.closed, PATIENCE_MILLIS)

  if (pair.client.error !== undefined || pair.server.error !== undefined) {
    throw new Error(`a connection that cut nothing ended with an error: ${pair.client.error ?? pair.server.error}`)
  }
}

/** One end has had more pieces than it keeps, and the other was told so, in a language that can. */
function endedOverPieces ({ clock, client, server }: AnyPair<AnyEndpoint>): boolean {
  const over = [client, server].filter(({ error }) => isOverPieces(error))

  if (over.length === 0) {
    return false
  }

  clock.until('the peer knows', () => client.closed && server.closed, PATIENCE_MILLIS)

  const other = over[0] === client ? server : client
  const { error } = other
  // in mplex the end of the link is all there is, and none that matters where nothing is open
  const isTold = other instanceof Endpoint ? error?.name === 'GoAwayError' && (error as GoAwayError).code === 1 : error === undefined || error.name === 'ConnectionClosedError'
  const wasCut = (error?.cause as Error | undefined)?.message === 'the link was cut'

  if (!isTold && !wasCut && !isOverPieces(error)) {
    throw new Error(`the ${over[0].name} has more pieces than it keeps, and the ${other.name} says: ${error}`)
  }

  return true
}

function checkAlive ({ client, server }: AnyPair<AnyEndpoint>): void {
  if (client.closed || server.closed) {
    throw new Error(`the connection ended by itself: ${client.error ?? server.error}`)
  }
}

/** Both ends know what it was. */
function checkCut ({ client, server }: AnyPair<AnyEndpoint>): void {
  for (const { name, error } of [client, server]) {
    if (error?.name !== 'ConnectionClosedError' || (error.cause as Error | undefined)?.message !== 'the link was cut') {
      throw new Error(`the link was cut, and the ${name} says: ${error}`)
    }
  }
}

/** One end has had enough, and the other is told by which code, in a language that has codes. */
function closeWith (pair: AnyPair<AnyEndpoint>, one: AnyEndpoint, other: AnyEndpoint, code: number): void {
  one.close(code, code === 0 ? undefined : new Error('enough'))
  pair.clock.until('the peer knows', () => pair.client.closed && pair.server.closed, PATIENCE_MILLIS)

  if (other instanceof Endpoint && !isOverPieces(other.error)) {
    const told = other.error?.name === 'GoAwayError' ? (other.error as GoAwayError).code : 0

    if (other.recorder.goAwayReceived !== code || told !== code) {
      throw new Error(`the ${one.name} closed the connection with code ${code}, on the wire it is ${other.recorder.goAwayReceived}, and the ${other.name} says ${told}`)
    }
  }
}

function randomLink (random: Random): { options: PipeOptions, meanPiece: number } {
  const chop = random.pick([() => 65_536, () => random.int(1, 30), () => random.magnitude(1, 100_000)])
  const isStalling = random.chance(0.3)
  let sum = 0

  for (let i = 0; i < 20; i++) {
    sum += chop()
  }

  return {
    options: {
      latency: random.pick([0, random.magnitude(1, 1_000) / 10, 100]),
      rate: random.pick([Infinity, random.magnitude(10, 1_000_000)]),
      capacity: random.magnitude(1, 262_144),
      chop,
      stall: () => isStalling && random.chance(0.01) ? random.int(1, 1_000) : 0
    },
    meanPiece: sum / 20
  }
}

function yamuxOptions (random: Random, budgets: Random): YamuxOptions {
  const initialStreamWindowSize = random.pick([262_144, 262_144, random.int(262_145, 1_048_576)])
  const options: YamuxOptions = {
    enableKeepAlive: random.chance(0.7),
    // the link may be slower than any timeout, which is tested elsewhere
    keepAliveTimeout: PATIENCE_MILLIS,
    maxMessageSize: random.magnitude(1_024, 65_536),
    maxBatchLength: random.magnitude(1_024, 262_144),
    maxInboundStreams: random.pick([1_000, 1_000, random.int(1, 8)])
  }
  const connectionWindowBudget = random.pick([67_108_864, random.magnitude(1, 1_048_576), 0])
  const connectionWriteHighWaterMark = budgets.magnitude(1, 4_194_304)

  return {
    ...options,
    connectionWindowBudget,
    connectionWriteHighWaterMark,
    // as little as may be: what is granted must have room
    budgets: {
      unstartedBytes: budgets.chance(0.5) ? initialStreamWindowSize : undefined,
      unreadBytes: budgets.chance(0.5) ? connectionWindowBudget + initialStreamWindowSize : undefined
    },
    streamOptions: {
      initialStreamWindowSize,
      maxStreamWindowSize: random.pick([16_777_216, initialStreamWindowSize, random.int(initialStreamWindowSize, 2_097_152)]),
      writeHighWaterMark: random.magnitude(1, 262_144),
      inactivityTimeout: Infinity,
      writeStallTimeout: Infinity
    }
  }
}

function limitPieces (options: YamuxOptions | MplexOptions, random: Random): void {
  options.budgets = { ...options.budgets, unreadPieces: random.magnitude(4, 2_000), streamPieces: random.magnitude(1, 100) }
}

/** What may be pinned shows nowhere but in memory, so that the model need not know of it. */
function limitPins<Options extends YamuxOptions | MplexOptions> (ends: Options[], random: Random): Options[] {
  return ends.map(options => ({ ...options, budgets: { ...options.budgets, pinnedBytes: random.pick([undefined, 1, random.magnitude(1, 1_048_576)]) } }))
}

function mplexOptions (random: Random, budgets: Random): MplexOptions {
  const maxStreamBufferSize = random.pick([4_194_304, 4_194_304, random.magnitude(1_000, 1_048_576)])
  const options: MplexOptions = {
    maxMessageSize: random.magnitude(1_024, 65_536),
    maxBatchLength: random.magnitude(1_024, 262_144),
    maxInboundStreams: random.pick([1_000, 1_000, random.int(1, 8)]),
    maxStreamBufferSize,
    streamOptions: {
      writeHighWaterMark: random.magnitude(1, 262_144),
      inactivityTimeout: Infinity
    },
    connectionWriteHighWaterMark: random.magnitude(1, 4_194_304),
    // as little as may be: what one stream may keep must have room
    budgets: {
      unstartedBytes: budgets.chance(0.5) ? maxStreamBufferSize : undefined,
      unreadBytes: budgets.chance(0.5) ? maxStreamBufferSize : undefined
    }
  }

  if (budgets.chance(0.5)) {
    limitPieces(options, budgets)
  }

  return options
}
