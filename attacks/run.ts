/** One attack on one victim: three processes, of which the victim and the attacker are new. */
import { fork } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Bystander } from './bystander.ts'
import type { Attack, FromAttacker, FromVictim, Look, Outcome, ToVictim } from './types.ts'
import type { Victim } from './victims.ts'
import type { ChildProcess } from 'node:child_process'

/** The machine must survive: a victim that has more resident memory is ended. */
const MAX_RESIDENT_BYTES = 1_610_612_736

/** V8's own limit is lower, so that it says itself what it died of where it can. */
const VICTIM_FLAGS = ['--expose-gc', '--max-old-space-size=1024']

const POLL_MILLIS = 50

/** As long as the victim took no more of what was sent, it will not. */
const STALL_MILLIS = 5_000

/** For the victim's last word to arrive. */
const TOLD_MILLIS = 2_000

/** Of echoes before the attack. */
const QUIET_MILLIS = 300

class Child<From extends { type: string }> {
  readonly process: ChildProcess
  readonly exited: Promise<string>
  exit: string | undefined
  readonly #heard: From[] = []

  constructor (script: string, args: string[], flags: string[] = [], stderr: 'ignore' | 'inherit' = 'ignore') {
    this.process = fork(path.join(import.meta.dirname, script), args, { execArgv: flags, stdio: ['ignore', 'ignore', stderr, 'ipc'] })
    this.process.on('message', message => {
      this.#heard.push(message as From)
    })
    this.exited = new Promise(resolve => {
      this.process.once('exit', (code, signal) => {
        this.exit = signal ?? `exit code ${code}`
        resolve(this.exit)
      })
    })
    // it may go while it is told something
    this.process.on('error', () => {})
  }

  tell (message: ToVictim): void {
    if (this.process.connected) {
      this.process.send(message, () => {})
    }
  }

  /** The last message of that type, which is then forgotten. */
  take<Type extends From['type']> (type: Type): Extract<From, { type: Type }> | undefined {
    const index = this.#heard.findLastIndex(message => message.type === type)

    return index === -1 ? undefined : this.#heard.splice(index, 1)[0] as Extract<From, { type: Type }>
  }

  /** Waits for a message of that type, for so long. */
  async hear<Type extends From['type']> (type: Type, millis: number): Promise<Extract<From, { type: Type }> | undefined> {
    const until = performance.now() + millis

    while (performance.now() < until && this.exit === undefined) {
      const message = this.take(type)

      if (message !== undefined) {
        return message
      }

      await delay(5)
    }

    return this.take(type)
  }

  async end (): Promise<void> {
    this.process.kill('SIGKILL')
    await this.exited
  }
}

/** Resident memory in bytes, now and at its highest, where the system shows it. */
function resident (pid: number | undefined): { now: number, highest: number } | undefined {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
    const read = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1_024

    return { now: read('VmRSS'), highest: read('VmHWM') }
  } catch {
    return undefined
  }
}

export async function runAttack (attack: Attack, victim: Victim, seconds: number): Promise<Outcome> {
  const child = new Child<FromVictim>('victim.ts', [victim.name], VICTIM_FLAGS)
  let attacker: Child<FromAttacker> | undefined
  let bystander: Bystander | undefined

  try {
    const listening = await child.hear('listening', 30_000)

    if (listening === undefined) {
      throw new Error(`the victim ${victim.name} did not start`)
    }

    bystander = await Bystander.connect(listening.port, victim.name)
    await bystander.warmUp()
    await bystander.start()
    await delay(QUIET_MILLIS)
    child.tell({ type: 'begin', app: attack.app ?? 'read' })

    if (await child.hear('begun', 30_000) === undefined) {
      throw new Error(`the victim ${victim.name} did not begin`)
    }

    const quietMillis = bystander.restart()
    const before = resident(child.process.pid)

    attacker = new Child<FromAttacker>('attacker.ts', [attack.name, victim.language, `${listening.port}`], [], 'inherit')

    const watch = new Watch(child, attacker)
    const end = await watch.run(seconds)
    // what was going on when it ended may take a moment to show
    const look = (end === 'out of memory' || end === 'crashed' ? undefined : await lastLook(child, seconds)) ?? watch.look

    const ended = ending(end, look)

    return {
      attack: attack.name,
      victim: victim.name,
      end: ended,
      error: look?.error,
      told: ended === 'closed' ? await lastWord(attacker) : undefined,
      unhandled: summary(look?.unhandled ?? []),
      sentBytes: watch.sentBytes,
      liveGrowth: look === undefined ? 0 : Math.max(0, look.livePeak - look.liveBefore),
      residentGrowth: Math.max(0, watch.highest - (before?.now ?? 0)),
      heldMillis: bystander.restart(),
      quietMillis,
      seconds: watch.seconds
    }
  } finally {
    bystander?.stop()
    await attacker?.end()
    await child.end()
  }
}

/** Looks at both processes until it is clear how the attack ended. */
class Watch {
  look: Look | undefined
  sentBytes = 0
  highest = 0
  seconds = 0

  readonly #child: Child<FromVictim>
  readonly #attacker: Child<FromAttacker>
  readonly #started = performance.now()
  #done = false
  #progress = { bytes: -1, at: 0 }

  constructor (child: Child<FromVictim>, attacker: Child<FromAttacker>) {
    this.#child = child
    this.#attacker = attacker
  }

  async run (seconds: number): Promise<Outcome['end']> {
    this.#child.tell({ type: 'look' })

    while (true) {
      await delay(POLL_MILLIS)
      this.#ask()

      const end = this.#endOfVictim() ?? this.#endOfAttack() ?? (this.seconds > seconds ? 'cut off' : undefined)

      if (end !== undefined) {
        return end
      }
    }
  }

  #ask (): void {
    const sent = this.#attacker.take('sent')
    const finished = this.#attacker.take('done')
    const looked = this.#child.take('look')
    const now = performance.now()

    this.seconds = (now - this.#started) / 1_000
    this.#done ||= finished !== undefined

    if (this.#attacker.exit !== undefined) {
      // it stays until it is told to go: what it did not do is no merit of the victim's
      throw new Error(`the attack broke off: ${this.#attacker.exit}`)
    }

    this.sentBytes = Math.max(this.sentBytes, sent?.bytes ?? 0, finished?.bytes ?? 0)
    this.highest = Math.max(this.highest, resident(this.#child.process.pid)?.highest ?? 0)

    if (looked !== undefined) {
      this.look = looked.look
      this.#child.tell({ type: 'look' })
    }

    const bytes = this.look?.receivedBytes ?? 0

    if (bytes !== this.#progress.bytes) {
      this.#progress = { bytes, at: now }
    }
  }

  #endOfVictim (): Outcome['end'] | undefined {
    if (this.highest > MAX_RESIDENT_BYTES) {
      return 'out of memory'
    }

    if (this.#child.exit !== undefined) {
      // V8 ends a process whose heap is full
      return this.highest > MAX_RESIDENT_BYTES / 2 ? 'out of memory' : 'crashed'
    }
  }

  #endOfAttack (): Outcome['end'] | undefined {
    if (!this.#done || this.look === undefined) {
      return undefined
    }

    if (this.look.muxer === 'closed') {
      return this.look.connection === 'open' ? 'zombie' : 'closed'
    }

    if (this.sentBytes > 0 && this.look.receivedBytes >= this.sentBytes) {
      return 'harmless'
    }

    return performance.now() - this.#progress.at > STALL_MILLIS ? 'stalled' : undefined
  }
}

async function lastLook (child: Child<FromVictim>, seconds: number): Promise<Look | undefined> {
  await delay(POLL_MILLIS * 4)
  child.take('look')
  child.tell({ type: 'look' })

  return (await child.hear('look', Math.min(5, seconds) * 1_000))?.look
}

/** What reached the attacker of the end. */
async function lastWord (attacker: Child<FromAttacker>): Promise<string | undefined> {
  attacker.tell({ type: 'look' })

  return (await attacker.hear('told', TOLD_MILLIS))?.what
}

function ending (end: Outcome['end'], look: Look | undefined): Outcome['end'] {
  if (look?.muxer === 'closed' && end !== 'out of memory') {
    return look.connection === 'open' ? 'zombie' : 'closed'
  }

  return end
}

/** Each once, with how often. */
function summary (lines: string[]): string[] {
  const counts = new Map<string, number>()

  for (const line of lines) {
    counts.set(line, (counts.get(line) ?? 0) + 1)
  }

  return [...counts].map(([line, count]) => count === 1 ? line : `${line} (${count} times)`)
}
