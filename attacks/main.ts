/** Attacks on muxers, side by side: `npm run attacks -- --help`. */
import { machine } from '../benchmarks/harness/machine.ts'
import { UsageError, print, runCommand } from '../trials/command.ts'
import { ATTACKS } from './catalogue/index.ts'
import { faults, figures, inWords, write } from './report.ts'
import { runAttack } from './run.ts'
import { VICTIMS } from './victims.ts'
import type { Outcome } from './types.ts'

const HELP = `Usage: npm run attacks -- [options]

  --attack a,b    attacks (default: all)
  --victim x,y    victims, or ours for all of ours (default: all)
  --seconds N     what does not end by itself is cut off after so long (default: 20)
  --dry           print only, and leave docs/security.md as it is
  --list          attacks and victims
  --help

Each attack meets a victim in a process of its own, over TCP. What was seen goes to docs/security.md and
docs/security.json, in place of what was seen before of the same attack and victim. Ends with exit code 1 when one of
ours did not end as it should, left something unhandled, grew by more than it may or held up others for long.
`

function choose<T extends { name: string }> (all: T[], wanted: string | undefined, what: string, matches: (each: T, word: string) => boolean): T[] {
  const words = wanted?.split(',').map(word => word.trim()).filter(word => word !== '') ?? []

  for (const word of words) {
    if (!all.some(each => matches(each, word))) {
      throw new UsageError(`there is no ${what} ${word}; there are ${all.map(({ name }) => name).join(', ')}`)
    }
  }

  return words.length === 0 ? all : all.filter(each => words.some(word => matches(each, word)))
}

function list (): string {
  return [
    'Attacks:', ...ATTACKS.map(({ name, title, languages }) => `  ${name.padEnd(20)}${title} (${languages.join(', ')})`),
    'Victims:', ...VICTIMS.map(({ name, title, language }) => `  ${name.padEnd(20)}${title} (${language})`), ''
  ].join('\n')
}

await runCommand({
  help: HELP,
  names: ['attack', 'victim', 'seconds'],
  flags: ['dry', 'list'],

  run: async options => {
    if (options.has('list')) {
      print(list())
      return true
    }

    const seconds = options.positive('seconds', 20)
    const attacks = choose(ATTACKS, options.word('attack'), 'attack', ({ name }, word) => name === word)
    const victims = choose(VICTIMS, options.word('victim'), 'victim', ({ name, ours }, word) => name === word || (word === 'ours' && ours))
    const outcomes: Outcome[] = []
    let bad = 0

    for (const attack of attacks) {
      for (const victim of victims.filter(({ language }) => attack.languages.includes(language))) {
        const outcome = await runAttack(attack, victim, seconds)
        const wrong = victim.ours ? faults(attack, outcome, victim.language) : []

        outcomes.push(outcome)
        bad += wrong.length
        print(`${attack.name.padEnd(20)} ${victim.title.padEnd(26)} ${inWords(outcome)}; ${figures(outcome)}\n`)
        print(wrong.map(line => `  WRONG: ${line}\n`).join(''))
      }
    }

    if (!options.has('dry')) {
      print(`written: ${write(machine(), outcomes).join(', ')}\n`)
    }

    return bad === 0
  }
})
