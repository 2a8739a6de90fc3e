/** The table and its figures: what a run saw replaces what an earlier one saw of the same attack and victim. */
import fs from 'node:fs'
import path from 'node:path'
import { describe } from '../benchmarks/harness/machine.ts'
import { ATTACKS } from './catalogue/index.ts'
import { VICTIMS } from './victims.ts'
import type { Attack, Language, Outcome } from './types.ts'
import type { Machine } from '../benchmarks/harness/machine.ts'

const MIB = 1_048_576
const DOCS = path.join(import.meta.dirname, '..', 'docs')
const BEGIN = '<!-- written by npm run attacks: begin -->'
const END = '<!-- written by npm run attacks: end -->'

/** Runs may be of some attacks only: each outcome says where and when it was seen. */
export interface Results {
  outcomes: Array<Outcome & { seen: string }>
}

/** What of ours is not as it should be, in words. */
export function faults (attack: Attack, outcome: Outcome, language: Language): string[] {
  const found: string[] = []
  const { ends } = attack
  const expected = [typeof ends === 'string' || Array.isArray(ends) ? ends : ends[language]].flat()
  const ended = inWords({ ...outcome, unhandled: [] })
  const growth = outcome.liveGrowth / MIB

  // a limit that nobody holds to any more is harmless for as long as it takes to look
  if (!expected.includes(ended)) {
    found.push(`ended as "${ended}", and not as "${expected.join('" or "')}"`)
  }

  if (outcome.unhandled.length > 0) {
    found.push(`left unhandled: ${outcome.unhandled.join('; ')}`)
  }

  if (outcome.end === 'closed' && !LAST_WORDS[language].includes(outcome.told ?? '')) {
    found.push(`told the attacker "${outcome.told ?? 'nothing'}" at the end, and not "${LAST_WORDS[language].join('" or "')}"`)
  }

  if (growth > MAX_GROWTH_MIB) {
    found.push(`grew by ${growth.toFixed(1)} MiB, of ${MAX_GROWTH_MIB}`)
  }

  if (outcome.heldMillis > MAX_HELD_MILLIS) {
    found.push(`held another connection up for ${outcome.heldMillis.toFixed(0)} ms`)
  }

  return found
}

/** A GoAway may be lost with the socket, which is reset where the attacker has sent what nobody took. Mplex has none. */
const LAST_WORDS: Record<Language, string[]> = { yamux: ['GoAway 1', 'RST'], mplex: ['RST', 'FIN'] }

/** Of live memory. */
const MAX_GROWTH_MIB = 8

/** A busy machine alone makes some tens of it. */
const MAX_HELD_MILLIS = 1_000

/** The outcome in a few words. */
export function inWords ({ end, error, unhandled, seconds }: Outcome): string {
  const why = error?.budget === undefined ? error?.name : `budget \`${error.budget}\``
  const words: Record<Outcome['end'], string> = {
    harmless: 'goes on',
    stalled: 'takes no more',
    closed: `closed${why === undefined ? '' : `, ${why}`}`,
    zombie: `muxer closed${why === undefined ? '' : `, ${why}`}, connection left open`,
    'cut off': `**cut off** after ${seconds.toFixed(0)} s`,
    crashed: '**crashed**',
    'out of memory': '**out of memory**'
  }

  return `${words[end]}${unhandled.length === 0 ? '' : '; **unhandled**'}`
}

export function figures ({ liveGrowth, residentGrowth, heldMillis }: Outcome): string {
  // who ran out of memory, or never let its timers run, could not say what was live
  const live = liveGrowth === 0 && residentGrowth > 64 * MIB ? '?' : (liveGrowth / MIB).toFixed(1)

  return `${live} / ${(residentGrowth / MIB).toFixed(0)} MiB · ${heldMillis.toFixed(0)} ms`
}

function table (language: Language, outcomes: Outcome[]): string[] {
  const victims = VICTIMS.filter(victim => victim.language === language && outcomes.some(outcome => outcome.victim === victim.name))

  if (victims.length === 0) {
    return []
  }

  const lines = [
    `### ${language}`,
    '',
    `| attack | ${victims.map(({ title, ours }) => ours ? `**${title}**` : title).join(' | ')} |`,
    `|---|${victims.map(() => '---|').join('')}`
  ]

  for (const attack of ATTACKS.filter(({ languages }) => languages.includes(language))) {
    const cells = victims.map(victim => {
      const outcome = outcomes.find(each => each.attack === attack.name && each.victim === victim.name)

      return outcome === undefined ? 'not run' : `${inWords(outcome)}<br>${figures(outcome)}`
    })

    lines.push(`| \`${attack.name}\`: ${attack.title} | ${cells.join(' | ')} |`)
  }

  return [...lines, '']
}

function read (file: string): Results | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

export function write (machine: Machine, outcomes: Outcome[], directory = DOCS): string[] {
  const json = path.join(directory, 'security.json')
  const page = path.join(directory, 'security.md')
  const others = read(json)?.outcomes.filter(old => !outcomes.some(each => each.attack === old.attack && each.victim === old.victim)) ?? []
  const seen = describe(machine)
  const order = (outcome: Outcome): number =>
    ATTACKS.findIndex(({ name }) => name === outcome.attack) * VICTIMS.length + VICTIMS.findIndex(({ name }) => name === outcome.victim)
  const all = [...others, ...outcomes.map(outcome => ({ ...outcome, seen }))].filter(outcome => order(outcome) >= 0).sort((one, other) => order(one) - order(other))

  fs.mkdirSync(directory, { recursive: true })
  fs.writeFileSync(json, JSON.stringify({ outcomes: all }, undefined, 2) + '\n')

  const text = fs.existsSync(page) ? fs.readFileSync(page, 'utf8') : `${BEGIN}\n${END}\n`
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END)

  if (begin === -1 || end < begin) {
    throw new Error(`${page} has no place for the tables: it is between the lines ${BEGIN} and ${END}`)
  }

  const tables = [...new Set(all.map(({ seen }) => `${seen}.`)), '', ...table('yamux', all), ...table('mplex', all)].join('\n')

  fs.writeFileSync(page, `${text.slice(0, begin)}${BEGIN}\n\n${tables}\n${text.slice(end)}`)

  return [page, json]
}
