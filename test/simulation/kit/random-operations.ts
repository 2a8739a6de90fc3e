/**
 * Two applications that do whatever comes to their minds, over a link that is no better, for as long as one seed says.
 * What they see and what the engines hold is checked against the model at every step.
 */
import { checkErrors } from './model.ts'
import { createPair } from './pair.ts'
import { RandomSide } from './random-side.ts'
import type { Pair } from './pair.ts'
import type { PipeOptions } from './pipe.ts'
import type { Random } from './random.ts'
import type { YamuxOptions } from '../../../src/protocols/yamux/config.ts'

/** What a run did, so that somebody can see that all of it is done now and then. */
export interface Report {
  steps: number
  bytes: number
  streams: number
  ending: Ending
  counts: Record<string, number>
}

type Ending = 'finish' | 'drain' | 'close' | 'cut'

/** Longer than any run takes that makes progress. */
const PATIENCE_MILLIS = 86_400_000

const FEW_STEPS = 8_000

export function runRandomOperations (random: Random): Report {
  const link = randomLink(random)
  const pair = createPair({ link: link.options, clientOptions: randomOptions(random), serverOptions: randomOptions(random) })
  const counts: Record<string, number> = {}
  const bytes = Math.floor(Math.min(4_194_304, FEW_STEPS * link.meanPiece) / 2)
  const client = new RandomSide(pair, pair.client, random, bytes, counts)
  const server = new RandomSide(pair, pair.server, random, bytes, counts)
  const ending = random.pick<Ending>(['finish', 'finish', 'finish', 'drain', 'close', 'cut'])

  client.peer = server
  server.peer = client

  pair.clock.onStep = () => {
    client.model.check()
    server.model.check()
  }

  pair.clock.until('both applications have done what they wanted', () => client.idle && server.idle, PATIENCE_MILLIS)
  finish(pair, client, server, ending, random)

  for (const side of [client, server]) {
    side.model.check()
    side.checkEnd()
    checkErrors(side.model)
  }

  return {
    steps: pair.clock.steps,
    bytes: client.endpoint.engine.statistics().bytesReceived + server.endpoint.engine.statistics().bytesReceived,
    streams: client.model.streams.size,
    ending,
    counts
  }
}

function finish (pair: Pair, client: RandomSide, server: RandomSide, ending: Ending, random: Random): void {
  const [one, other] = random.chance(0.5) ? [client, server] : [server, client]

  if (ending === 'close') {
    const code = random.int(0, 2)

    one.endpoint.close(code, code === 0 ? undefined : new Error('enough'))
    pair.clock.until('the peer knows', () => pair.client.closed && pair.server.closed, PATIENCE_MILLIS)
    return
  }

  if (ending === 'cut') {
    pair.fromClient.lifetime = pair.fromClient.arrived + random.magnitude(1, 100_000)
  } else if (ending === 'drain') {
    one.endpoint.engine.drain()
    one.model.draining = true
  }

  client.finish()
  server.finish()
  pair.clock.until('every stream has ended', () => (client.finished && server.finished) || (pair.client.closed && pair.server.closed), PATIENCE_MILLIS)

  if (!pair.client.closed && !pair.server.closed) {
    for (const side of [client, server]) {
      side.checkComplete()
    }

    // in good order, if the cut did not come in time
    pair.fromClient.lifetime = Infinity
    other.endpoint.close()
    pair.clock.until('both ends are closed', () => pair.client.closed && pair.server.closed, PATIENCE_MILLIS)

    if (pair.client.error !== undefined || pair.server.error !== undefined) {
      throw new Error(`a connection that cut nothing ended with an error: ${pair.client.error ?? pair.server.error}`)
    }
  } else if (ending !== 'cut') {
    throw new Error(`the connection ended by itself: ${pair.client.error ?? pair.server.error}`)
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

function randomOptions (random: Random): YamuxOptions {
  const initialStreamWindowSize = random.pick([262_144, 262_144, random.int(262_145, 1_048_576)])

  return {
    enableKeepAlive: random.chance(0.7),
    // the link may be slower than any timeout, which is tested elsewhere
    keepAliveTimeout: PATIENCE_MILLIS,
    maxMessageSize: random.magnitude(1_024, 65_536),
    maxBatchLength: random.magnitude(1_024, 262_144),
    maxInboundStreams: random.pick([1_000, 1_000, random.int(1, 8)]),
    connectionWindowBudget: random.pick([67_108_864, random.magnitude(1, 1_048_576), 0]),
    streamOptions: {
      initialStreamWindowSize,
      maxStreamWindowSize: random.pick([16_777_216, initialStreamWindowSize, random.int(initialStreamWindowSize, 2_097_152)]),
      writeHighWaterMark: random.magnitude(1, 262_144),
      inactivityTimeout: Infinity,
      writeStallTimeout: Infinity
    }
  }
}
