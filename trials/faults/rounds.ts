/** Many rounds with the same two nodes, and what is left behind by them. */
import { setMaxListeners } from 'node:events'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { generateFile } from '../../src/cli/generate.ts'
import { hashFile } from '../../src/cli/part-file.ts'
import { forgetTemporary, rememberTemporary } from '../../src/cli/temporary.ts'
import { Random } from '../../test/simulation/kit/random.ts'
import { collect } from './heap.ts'
import { countOfCarrier, countOfNode, countOfProcess, countOfSignal, more } from './listeners.ts'
import { createNodes } from './nodes.ts'
import { runRound, until } from './round.ts'
import { Timers } from './timers.ts'
import type { MuxerName } from '../command.ts'
import type { Nodes } from './nodes.ts'
import type { Cut } from './proxy.ts'
import type { RoundReport } from './round.ts'

export interface RoundsInit {
  muxer: MuxerName
  rounds: number
  from: number
  cuts: Cut[]

  /** Bytes of the file that is sent in each round. */
  size: number

  /** How long nothing happens before the heap is weighed (default: 0). */
  restMillis?: number

  /** Bytes of the heap, which is free of garbage (default: all that is used of it, which tells little but takes no time). */
  weigh?(): Promise<number>
  onRound?(report: RoundReport, round: number, nodes: Nodes): void
}

export interface Left {
  /** Bytes outside of the heap: what buffers hold. */
  external: number

  /** What keeps the process alive, timers of ours, and who listens to what stands for long, each kind with its number. */
  resources: Record<string, number>
}

export interface RoundsReport {
  rounds: number
  reached: Record<RoundReport['reached'], number>
  streams: number
  noticedMillis: number

  /**
   * After half of the rounds, when all is compiled and every cache is filled, but for timers of ours, which are those before the
   * first round; and after all of them.
   */
  before: Left
  after: Left

  /** Bytes of the heap, weighed `HEAP_SAMPLES` times from half of the rounds to all of them. */
  heap: number[]
}

/** What is cached comes and goes from look to look. */
const HEAP_SAMPLES = 12

/** What the last third of the samples is above the first third, as a part of that. */
export function growthOf (heap: number[]): number {
  const third = Math.floor(heap.length / 3)

  return medianOf(heap.slice(-third)) / medianOf(heap.slice(0, third)) - 1
}

function medianOf (values: number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = sorted.length >> 1

  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/**
 * The longest time limit of libp2p's dial is 10 s. What holds on to a connection until then, whatever became of it, would come
 * and go by twenty rounds with each look at a heap that had had no rest: looks differed by 3 %, and by half of that with it.
 */
export const DIAL_MILLIS = 12_000

/** What is closed may take so long to be gone from the lists of the platform. */
const SETTLE_MILLIS = 200

/** A connection that is over has ended its timers and its listening; the platform tells of it a turn later, and of sockets some more. */
const SETTLE_TURNS = 25
const TURN_MILLIS = 2

/** What keeps the process alive. */
function handles (): Record<string, number> {
  const counts: Record<string, number> = {}

  for (const name of process.getActiveResourcesInfo()) {
    counts[name] = (counts[name] ?? 0) + 1
  }

  return counts
}

function resources ({ listened }: Nodes): Record<string, number> {
  return Object.assign(handles(), countOfProcess(), ...Object.entries(listened).map(([what, node]) => countOfNode(what, node)))
}

async function look (nodes: Nodes, restMillis = 0): Promise<Left> {
  await delay(SETTLE_MILLIS + restMillis)

  // finalizers have their turn after each, and what they let go of is collected by the next
  for (let i = 0; i < 3; i++) {
    collect()
    await delay(SETTLE_MILLIS)
  }

  collect()

  return { external: process.memoryUsage().external, resources: resources(nodes) }
}

/** Kinds of which there are more than before, with how many. */
export function leftBehind ({ before, after }: Pick<RoundsReport, 'before' | 'after'>): string[] {
  return more(before.resources, after.resources)
}

/**
 * What must be gone when a connection is. At once, and not after all rounds: an alarm of a muxer that is dead rings within its
 * keep-alive, and is gone then.
 */
async function checkSettled (what: () => string[]): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS && what().length > 0; turn++) {
    await delay(TURN_MILLIS)
  }

  const left = what()

  if (left.length > 0) {
    throw new Error(`left behind: ${left.join('; ')}`)
  }
}

/** What is only looked at would be weighed. */
function forget (nodes: Nodes): void {
  nodes.watched = []
  nodes.carriers.length = 0
}

/** @throws with the number of the round, for what must not be */
export async function runRounds (init: RoundsInit): Promise<RoundsReport> {
  const timers = new Timers()

  return timers.during(async () => runAll(init, timers))
}

async function runAll (init: RoundsInit, timers: Timers): Promise<RoundsReport> {
  const base = await fs.mkdtemp(path.join(os.tmpdir(), 'libp2p-muxers-faults-'))
  const directory = path.join(base, 'received')
  const file = path.join(base, 'file.bin')
  const controller = new AbortController()
  const { signal } = controller
  const weigh = init.weigh ?? (async () => process.memoryUsage().heapUsed)

  // the listener that this adds, once and for all, must not count as left behind by the first file
  rememberTemporary(base)
  setMaxListeners(Infinity, signal)
  await fs.mkdir(directory)
  await generateFile(file, init.size, signal)

  const sha256 = Buffer.from(await hashFile(file)).toString('hex')
  const nodes = await createNodes(init.muxer, directory, signal)
  const report = { rounds: 0, reached: { dialling: 0, transfer: 0, done: 0 }, streams: 0, noticedMillis: 0 }
  const heap: number[] = []
  const timersBefore = timers.counts()
  const listenersBefore = countOfSignal(signal)
  let before: Left | undefined

  const leftOfRound = (): string[] => [
    ...more(timersBefore, timers.counts(true)),
    ...more(listenersBefore, countOfSignal(signal)),
    ...nodes.carriers.flatMap(({ side, maConn, before }) => more(before, countOfCarrier(side, maConn)))
  ]

  try {
    for (let round = init.from; round < init.from + init.rounds; round++) {
      try {
        const one = await runRound({ nodes, muxer: init.muxer, file, size: init.size, sha256, directory, random: new Random(round), cuts: init.cuts, signal })

        await checkSettled(leftOfRound)
        report.rounds++
        report.reached[one.reached]++
        report.streams += one.streams
        report.noticedMillis = Math.max(report.noticedMillis, one.noticedMillis)
        init.onRound?.(one, round, nodes)
      } catch (err: any) {
        // the error of a signal has a message that cannot be changed
        throw new Error(`round ${round}: ${err.message}`, { cause: err })
      }

      if (report.rounds * 2 >= init.rounds * (1 + heap.length / HEAP_SAMPLES) && heap.length < HEAP_SAMPLES) {
        forget(nodes)

        const left = await look(nodes, init.restMillis)

        before ??= left
        heap.push(await weigh())
      }
    }

    forget(nodes)

    let after = await look(nodes)

    // before the wait below: the longest of ours would end within it
    const timersAfter = timers.counts()
    const { external, resources: resourcesBefore } = before as Left

    // timers of what was dialled last are libp2p's, and end by themselves
    await until(() => more(resourcesBefore, handles()).length === 0, DIAL_MILLIS)
    after = await look(nodes)

    return {
      ...report,
      before: { external, resources: { ...resourcesBefore, ...timersBefore } },
      after: { ...after, resources: { ...after.resources, ...timersAfter } },
      heap
    }
  } finally {
    await nodes.stop()
    await fs.rm(base, { recursive: true })
    forgetTemporary(base)
  }
}
