/** The table: peers × scenarios, who dials in each cell, and the reason beside every cell that is not a pass. */
import { ABSENT } from './peers/index.ts'
import type { Result, Verdict } from './cell.ts'
import type { Peer } from './peers/index.ts'
import type { Scenario } from './scenarios/types.ts'

const SIGNS: Record<Verdict, string> = { pass: '✓', theirs: 'theirs', cannot: '–', missing: '?', failed: '**✗**' }

const LEGEND = [
  'Each cell says how it went when we dialled, and when the peer did.',
  '✓ as it should be. **theirs**: the peer does not do what it should, which the transcript shows; we end cleanly.',
  '– the peer has no way to do it. ? its toolchain was not there. **✗** ours.'
].join(' ')

export function summary (results: Result[]): string {
  const count = (verdict: Verdict): number => results.filter(result => result.verdict === verdict).length

  return `${count('pass')} passed, ${count('failed')} failed, ${count('theirs')} are the peer's fault, ${count('cannot')} cannot be, ${count('missing')} had no toolchain: ${results.length} cells`
}

export function markdown (peers: Peer[], scenarios: Scenario[], results: Result[]): string {
  return [
    '# Interoperability: results',
    '',
    'Written by `npm run interop`. ' + LEGEND,
    '',
    `${summary(results)}.`,
    '',
    ...divided(peers),
    ...(['yamux', 'mplex'] as const).flatMap(muxer => table(muxer, peers, scenarios, results)),
    '## What is not a pass',
    '',
    ...reasons(results),
    '',
    ...secondAttempts(results),
    '## Who is missing',
    '',
    ...ABSENT.map(({ name, reason }) => `- **${name}**: ${reason}.`),
    ''
  ].join('\n')
}

/** What a pass of theirs does not say. */
function divided (peers: Peer[]): string[] {
  return peers.flatMap(({ title, muxer, slowness }) => slowness === undefined
    ? []
    : [`For ${title} with ${muxer} bytes in bulk and streams in sequence are divided by ${slowness}: it takes so much longer.`, ''])
}

function table (muxer: string, peers: Peer[], scenarios: Scenario[], results: Result[]): string[] {
  const columns = peers.filter(peer => peer.muxer === muxer)

  if (columns.length === 0) {
    return []
  }

  const rows = scenarios.map(scenario => ({
    scenario,
    cells: columns.map(({ name }) => results.filter(result => result.peer === name && result.scenario === scenario.name))
  }))

  return [
    `## ${muxer}`,
    '',
    `| scenario | ${columns.map(({ title }) => title).join(' | ')} |`,
    `|---|${columns.map(() => ':---:|').join('')}`,
    ...rows.filter(({ cells }) => cells.some(cell => cell.length > 0)).map(({ scenario, cells }) =>
      `| \`${scenario.name}\`: ${scenario.title} | ${cells.map(sign).join(' | ')} |`),
    ''
  ]
}

function sign (cell: Result[]): string {
  const signs = cell.map(({ verdict }) => SIGNS[verdict])

  return new Set(signs).size === 1 ? signs[0] : signs.join(' / ')
}

/** Those that have the same reason are told together. */
function reasons (results: Result[]): string[] {
  const groups = new Map<string, Result[]>()

  for (const result of results.filter(({ verdict }) => verdict !== 'pass')) {
    const key = `${result.peer} ${result.verdict} ${result.reason}`

    groups.set(key, [...groups.get(key) ?? [], result])
  }

  return [...groups.values()].flatMap(group => {
    const [{ peer, verdict, reason, transcript }] = group
    const where = [...new Set(group.map(({ scenario }) => `\`${scenario}\``))].join(', ')

    return [
      `- **${peer}**, ${where} (${SIGNS[verdict].replaceAll('*', '')}): ${reason}`,
      ...(transcript === undefined || verdict !== 'theirs' ? [] : ['', '  ```', ...excerpt(transcript).map(line => `  ${line}`), '  ```', ''])
    ]
  })
}

/** A fault that comes and goes is one as well. */
function secondAttempts (results: Result[]): string[] {
  const again = results.filter(({ first, verdict }) => first !== undefined && verdict !== 'failed')

  return again.length === 0
    ? []
    : ['## What passed at the second attempt', '', ...again.map(({ peer, scenario, direction, first }) => `- **${peer}**, \`${scenario}\`, ${direction}: ${first}`), '']
}

const EXCERPT_LINES = 14

/** `>` is what we sent, `<` what the peer did, with the seconds. */
function excerpt (transcript: string[]): string[] {
  return transcript.length <= EXCERPT_LINES
    ? transcript
    : [...transcript.slice(0, 6), '…', ...transcript.slice(7 - EXCERPT_LINES)]
}
