/** Runs what was asked for: case by case, peers in turn within a round, so that a noisy machine hits all alike. */
import { NativePair, build } from './native.ts'
import { Pair } from './pair.ts'
import { ShapedLink } from './shaped-link.ts'
import type { Runner } from './pair.ts'
import type { Series } from './statistics.ts'
import type { BenchCase, Parameters } from '../cases/types.ts'
import type { Language, LinkName, PeerInfo } from '../peers/index.ts'
import type { Address } from '../peers/types.ts'

export interface Plan {
  cases: BenchCase[]
  peers: PeerInfo[]
  links: LinkName[]
  rounds: number
  parameters: Parameters
}

export interface Group {
  benchCase: BenchCase
  link: LinkName
  peers: PeerInfo[]
}

/** Warms up and is not counted. */
const WARM_UP = 0

/**
 * V8 compiles what runs often for the connection that it runs for, and again once there are others: a process is warm
 * after so many, however long each of them lasts. Bulk had 60 % of its rate on the second connection after 6 s on the
 * first, and all of it on the tenth; that of @libp2p/mplex 80 %. A node has hundreds of them, for days. Over noise a GiB
 * takes five times as long, and whoever had had 3 s of it had the heap marked twice as often as after 7. Cases that take
 * their time have fewer.
 */
const WARM_UPS: Record<LinkName, { connections: number, seconds: number }> = {
  bare: { connections: 10, seconds: 5 },
  noise: { connections: 18, seconds: 7.5 }
}
const WARM_UP_MILLIS = 300

/** Starting two processes, loading the peer. */
const START_SECONDS = 1.2

export function groupsOf (plan: Plan): Group[] {
  return plan.links.flatMap(link => plan.cases
    .filter(({ links }) => links.includes(link))
    .map(benchCase => ({
      benchCase,
      link,
      peers: plan.peers.filter(peer => canRun(peer, benchCase, link))
    }))
    .filter(({ peers }) => peers.length > 0))
}

function canRun (peer: PeerInfo, benchCase: BenchCase, link: LinkName): boolean {
  return peer.links.includes(link) &&
    (peer.cases?.test(benchCase.name) ?? true) &&
    (peer.native === undefined || benchCase.native !== undefined)
}

/** Without the peers of a language that cannot be built here, which is said aloud. */
function withoutMissing (plan: Plan, progress: (line: string) => void): Plan {
  const missing = new Set<Language>()

  // those that have nothing to run are not built
  for (const language of new Set(groupsOf(plan).flatMap(({ peers }) => peers.flatMap(({ native }) => native?.language ?? [])))) {
    progress(`building the peers in ${language}`)

    const reason = build(language)

    if (reason !== undefined) {
      progress(`!!! ${reason}`)
      missing.add(language)
    }
  }

  return { ...plan, peers: plan.peers.filter(({ native }) => native === undefined || !missing.has(native.language)) }
}

function secondsOf (group: Group, plan: Plan): number {
  const seconds = group.benchCase.seconds(plan.parameters) * plan.rounds

  return group.peers.reduce((sum, peer) => sum + START_SECONDS + warmUpsOf(peer, group, plan) * group.benchCase.seconds(warmUpParameters(plan)) + seconds, 0)
}

function warmUpParameters ({ parameters }: Plan): Parameters {
  return { ...parameters, millis: Math.min(parameters.millis, WARM_UP_MILLIS) }
}

/** What was compiled ahead of time is warm at once. */
function warmUpsOf ({ native }: PeerInfo, { benchCase, link }: Group, plan: Plan): number {
  const { connections, seconds } = WARM_UPS[link]

  return native !== undefined ? 1 : Math.max(1, Math.min(connections, Math.floor(seconds / benchCase.seconds(warmUpParameters(plan)))))
}

export async function runPlan (wanted: Plan, progress: (line: string) => void): Promise<Series[]> {
  const plan = withoutMissing(wanted, progress)
  const groups = groupsOf(plan)
  const all: Series[] = []
  let left = groups.reduce((sum, group) => sum + secondsOf(group, plan), 0)

  for (const [index, group] of groups.entries()) {
    const { benchCase, link } = group

    progress(`[${index + 1}/${groups.length}] ${benchCase.name} (${link}): ${group.peers.map(({ name }) => name).join(', ')}; ${clock(left)} left`)
    all.push(...await runGroup(group, plan, progress))
    left -= secondsOf(group, plan)
  }

  return all
}

async function runGroup (group: Group, plan: Plan, progress: (line: string) => void): Promise<Series[]> {
  const { benchCase, link } = group
  const series: Series[] = []
  const runners = new Map<string, Runner>()

  for (const { name } of group.peers) {
    series.push({ case: benchCase.name, link, peer: name, samples: [] })
  }

  const via = benchCase.shape === undefined ? undefined : new ShapedLink(benchCase.shape)

  try {
    for (const [index, one] of series.entries()) {
      for (let i = warmUpsOf(group.peers[index], group, plan); i > 0; i--) {
        await runSample(one, WARM_UP)
      }
    }

    for (let round = 1; round <= plan.rounds; round++) {
      for (const one of series) {
        await runSample(one, round)
      }
    }

    if (via !== undefined) {
      const { lateMean, lateMax } = await via.precision()

      progress(`    the link let bytes out ${lateMean.toFixed(2)} ms late on average, ${lateMax.toFixed(1)} ms at most`)
    }
  } finally {
    for (const runner of runners.values()) {
      runner.stop()
    }

    via?.stop()
  }

  return series

  async function runSample (one: Series, round: number): Promise<void> {
    let runner = runners.get(one.peer)

    if (runner === undefined) {
      const native = group.peers.find(({ name }) => name === one.peer)?.native

      runner = native === undefined ? new Pair(one.peer, link) : new NativePair(native.language, native.muxer)
      runners.set(one.peer, runner)
    }

    const parameters = round === WARM_UP ? warmUpParameters(plan) : plan.parameters

    try {
      const figures = await runner.run(benchCase, parameters, via === undefined ? undefined : async (address: Address) => via.to(address))

      if (round !== WARM_UP) {
        one.samples.push({ round, figures })
      }
    } catch (err: any) {
      progress(`    ${one.peer}, round ${round}: ${err.message}`)
      one.samples.push({ round, failure: err.message })
      // what is left of it is in no state to go on with
      runner.stop()
      runners.delete(one.peer)
    }
  }
}

export function clock (seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))

  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}
