/** One cell of the table: one peer, one scenario, one direction, in processes and connections of its own. */
import { knownFault } from './known-faults.ts'
import { distanceTo } from './ours/distance.ts'
import { CARRIERS } from './ours/index.ts'
import { commandOf, whyNot } from './peers/index.ts'
import { Program } from './peers/program.ts'
import type { Distance } from './ours/distance.ts'
import type { Meeting, Ours } from './ours/index.ts'
import type { Peer } from './peers/index.ts'
import type { Piece } from './recorder/tape.ts'
import type { Cell, Direction, Scenario } from './scenarios/types.ts'

/**
 * `pass`; `theirs`: the peer does not do what it should, which the transcript shows, and we end cleanly; `cannot`: the
 * peer has no way to do it; `missing`: its toolchain is not here; `failed`: ours until somebody shows otherwise.
 */
export type Verdict = 'pass' | 'theirs' | 'cannot' | 'missing' | 'failed'

export interface Result {
  peer: string
  scenario: string
  direction: Direction
  verdict: Verdict

  /** Why it is not a pass. */
  reason?: string

  /** What is worth knowing of a pass. */
  note?: string

  /** Why the first attempt failed, if there was a second. */
  first?: string
  millis: number
  transcript?: string[]

  /** All bytes, where they are few. */
  tape?: Piece[]
}

const PATIENCE_SECONDS = 30

/** To end in good order. */
const CLOSE_MILLIS = 10_000

/** A slow peer may take so much longer. */
const SLOW_FACTOR = 2

/**
 * What fails is tried once more, as machines have their moments: the table says so, and why. A frame that we should not
 * have sent, or an end that was not clean, has nothing to do with moments.
 */
export async function runCell (peer: Peer, scenario: Scenario, direction: Direction): Promise<Result> {
  const { result, ours } = await attempt(peer, scenario, direction)

  if (result.verdict !== 'failed' || ours) {
    return result
  }

  return { ...(await attempt(peer, scenario, direction)).result, first: result.reason }
}

interface Tried {
  result: Result

  /** There was something that no fault of a peer's explains. */
  ours: boolean
}

async function attempt (peer: Peer, scenario: Scenario, direction: Direction): Promise<Tried> {
  const base = { peer: peer.name, scenario: scenario.name, direction }
  const cannot = scenario.needs?.map(ability => whyNot(peer, ability)).find(reason => reason !== undefined)

  if (cannot !== undefined) {
    return { result: { ...base, verdict: 'cannot', reason: cannot, millis: 0 }, ours: false }
  }

  const started = performance.now()
  const cell = new Attempt(peer, scenario, direction)
  const failures: string[] = []
  const rejections: string[] = []
  const onRejection = (reason: any): void => { rejections.push(`unhandled rejection: ${reason?.stack ?? reason}`) }
  let note: string | undefined

  process.on('unhandledRejection', onRejection)

  try {
    note = await cell.run()
  } catch (err: any) {
    failures.unshift(err.message)
    cell.note(err.message)
  }

  failures.push(...await cell.end())
  process.off('unhandledRejection', onRejection)
  failures.push(...rejections)

  const millis = Math.round(performance.now() - started)

  if (failures.length === 0) {
    return { result: { ...base, verdict: 'pass', note, millis, tape: cell.tape }, ours: false }
  }

  const transcript = cell.transcript
  const reason = failures.join('; ')
  const ours = [...cell.ourFaults, ...rejections]
  const theirs = knownFault(peer, scenario, { reason, transcript, ours, closing: cell.closing })
  const result: Result = {
    ...base,
    verdict: theirs === undefined ? 'failed' : 'theirs',
    reason: theirs ?? reason,
    millis,
    transcript,
    tape: theirs === undefined ? undefined : cell.tape
  }

  return { result, ours: ours.length > 0 }
}

class Attempt {
  /** What no fault of a peer's explains. */
  ourFaults: string[] = []

  /** Why we could not close in good order a connection that nobody had ended. */
  closing: string | undefined
  readonly #peer: Peer
  readonly #scenario: Scenario
  readonly #direction: Direction
  readonly #abort = new AbortController()
  readonly #timer: NodeJS.Timeout
  #meeting: Meeting | undefined
  #distance: Distance | undefined
  #program: Program | undefined
  #ours: Ours | undefined

  constructor (peer: Peer, scenario: Scenario, direction: Direction) {
    const seconds = (scenario.seconds ?? PATIENCE_SECONDS) * (peer.slowness === undefined ? 1 : SLOW_FACTOR)

    this.#peer = peer
    this.#scenario = scenario
    this.#direction = direction
    this.#timer = setTimeout(() => {
      this.#abort.abort(new Error(`nothing came of it within ${seconds} s`))
    }, seconds * 1_000)
  }

  get transcript (): string[] {
    return this.#ours?.recorder.transcript.lines ?? []
  }

  get tape (): Piece[] | undefined {
    const tape = this.#ours?.recorder.tape

    return tape?.complete === true ? tape.pieces : undefined
  }

  async run (): Promise<string | undefined> {
    const { signal } = this.#abort
    const aborted = new Promise<never>((resolve, reject) => {
      signal.addEventListener('abort', () => { reject(signal.reason) })
    })

    aborted.catch(() => {})

    this.#ours = await Promise.race([this.#meet(), aborted])

    return Promise.race([this.#scenario.run(this.#cell(this.#ours)), aborted])
  }

  /** Something that the transcript should have the time of. */
  note (text: string): void {
    this.#ours?.recorder.transcript.add('!', text)
  }

  /** Ends everything, and says what should not be. */
  async end (): Promise<string[]> {
    clearTimeout(this.#timer)

    const ours = this.#ours
    const faults: string[] = []

    if (ours !== undefined) {
      const problem = await closeWithin(ours, CLOSE_MILLIS)

      if (problem !== undefined && this.#scenario.ends !== true) {
        this.closing = problem
        faults.push(problem)
      }

      this.ourFaults = [...ours.recorder.violations.slice(0, 3).map(violation => `our discipline: ${violation}`)]

      if (problem === undefined && this.#scenario.ends !== true && ours.recorder.pongsOwed > 0) {
        this.ourFaults.push(`our discipline: ${ours.recorder.pongsOwed} pings have no pong`)
      }

      if (ours.muxer.status !== 'closed' || ours.muxer.streams.length > 0) {
        this.ourFaults.push(`our muxer is ${ours.muxer.status} and has ${ours.muxer.streams.length} streams`)
      }
    }

    await ours?.stop()
    await this.#meeting?.stop()
    this.#distance?.stop()

    const wrong = await this.#program?.end()

    return [...faults, ...this.ourFaults, ...(wrong === undefined ? [] : [wrong])]
  }

  async #meet (): Promise<Ours> {
    const { mode, number, options = {} } = this.#scenario
    const { muxer, carrier } = this.#peer
    const args = [mode, `${typeof number === 'function' ? Math.round(number(this.#peer)) : number ?? 0}`]

    if (this.#direction === 'dial') {
      this.#program = new Program(commandOf(this.#peer, args))
      this.#meeting = await CARRIERS[carrier]({ muxer, options, dial: await this.#wayTo(await this.#program.address) })
    } else {
      this.#meeting = await CARRIERS[carrier]({ muxer, options })
      this.#program = new Program(commandOf(this.#peer, [...args, await this.#wayTo(this.#meeting.address as string)]))
    }

    const program = this.#program
    const [ours] = await Promise.all([
      this.#meeting.connected,
      program.event(({ event }) => event === 'connected')
    ])

    return ours
  }

  /** The address of a listener, by a way as long as the scenario has it. */
  async #wayTo (listener: string): Promise<string> {
    if (this.#scenario.distance === undefined) {
      return listener
    }

    this.#distance = await distanceTo(listener, this.#scenario.distance)

    return this.#distance.address
  }

  #cell (ours: Ours): Cell {
    const slowness = this.#peer.slowness ?? 1

    return {
      ...ours,
      peer: this.#peer,
      program: this.#program as Program,
      direction: this.#direction,
      signal: this.#abort.signal,
      bulk: bytes => Math.round(bytes / slowness),
      times: count => Math.round(count / slowness)
    }
  }
}

/** Closes in good order if that is possible within the time, and at once otherwise. */
async function closeWithin (ours: Ours, millis: number): Promise<string | undefined> {
  try {
    await ours.muxer.close({ signal: AbortSignal.timeout(millis) })
  } catch (err: any) {
    ours.muxer.abort(err)

    return `closing: ${err.message}`
  }

  return undefined
}
