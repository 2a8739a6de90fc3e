import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'aegir/chai'
import { ATTACKS } from '../../attacks/catalogue/index.ts'
import { faults, figures, inWords, write } from '../../attacks/report.ts'
import type { Attack, Outcome } from '../../attacks/types.ts'

const MIB = 1_048_576

function outcome (fields: Partial<Outcome> = {}): Outcome {
  return {
    attack: 'a',
    victim: 'v',
    end: 'closed',
    told: 'RST',
    unhandled: [],
    sentBytes: 1,
    liveGrowth: 2 * MIB,
    residentGrowth: 3 * MIB,
    heldMillis: 4,
    quietMillis: 1,
    seconds: 5,
    ...fields
  }
}

const ATTACK: Attack = { name: 'a', title: 'of all sorts', languages: ['yamux', 'mplex'], ends: 'closed', run: async () => {} }

describe('trials: what is said of an attack', () => {
  it('names the budget that ended it, or else the error', () => {
    expect(inWords(outcome({ error: { name: 'BudgetExceededError', message: '', budget: 'pings' } }))).to.equal('closed, budget `pings`')
    expect(inWords(outcome({ error: { name: 'ProtocolError', message: '' } }))).to.equal('closed, ProtocolError')
    expect(inWords(outcome())).to.equal('closed')
  })

  it('says what went wrong, in bold', () => {
    expect(inWords(outcome({ end: 'crashed' }))).to.equal('**crashed**')
    expect(inWords(outcome({ end: 'cut off', seconds: 20.2 }))).to.equal('**cut off** after 20 s')
    expect(inWords(outcome({ end: 'harmless', unhandled: ['rejection: x'] }))).to.equal('goes on; **unhandled**')
  })

  it('gives live memory, resident memory, and how long others were held up', () => {
    expect(figures(outcome())).to.equal('2.0 / 3 MiB · 4 ms')
    expect(figures(outcome({ liveGrowth: 0, residentGrowth: 900 * MIB }))).to.equal('? / 900 MiB · 4 ms')
  })

  it('finds nothing wrong with what ended as it should, and small', () => {
    expect(faults(ATTACK, outcome(), 'yamux')).to.deep.equal([])
  })

  it('finds fault with an end that is not the one of the language, closed or not', () => {
    const attack: Attack = { ...ATTACK, ends: { yamux: 'closed, ProtocolError', mplex: 'goes on' } }
    const closed = outcome({ error: { name: 'ProtocolError', message: '' } })
    const harmless = outcome({ end: 'harmless' })

    expect(faults(attack, closed, 'yamux')).to.deep.equal([])
    expect(faults(attack, harmless, 'mplex')).to.deep.equal([])
    expect(faults(attack, harmless, 'yamux')).to.deep.equal(['ended as "goes on", and not as "closed, ProtocolError"'])
    expect(faults(attack, closed, 'mplex')).to.have.lengthOf(1)
    expect(faults(attack, outcome(), 'yamux')).to.have.lengthOf(1)
  })

  it('finds fault with an end that the attacker was not told, or not so', () => {
    expect(faults(ATTACK, outcome({ told: 'GoAway 1' }), 'yamux')).to.deep.equal([])
    expect(faults(ATTACK, outcome({ told: 'GoAway 0' }), 'yamux')).to.deep.equal(['told the attacker "GoAway 0" at the end, and not "GoAway 1" or "RST"'])
    expect(faults(ATTACK, outcome({ told: 'FIN' }), 'yamux')).to.have.lengthOf(1)
    expect(faults(ATTACK, outcome({ told: 'FIN' }), 'mplex')).to.deep.equal([])
    expect(faults(ATTACK, outcome({ told: undefined }), 'mplex')).to.deep.equal(['told the attacker "nothing" at the end, and not "RST" or "FIN"'])
    expect(faults({ ...ATTACK, ends: 'goes on' }, outcome({ end: 'harmless', told: undefined }), 'yamux')).to.deep.equal([])
  })

  for (const [what, fields] of [
    ['a crash', { end: 'crashed' }],
    ['a connection left open by a muxer that is closed', { end: 'zombie' }],
    ['a victim that takes no more', { end: 'stalled' }],
    ['a rejection that nobody handled', { unhandled: ['rejection: x'] }],
    ['more memory than it may', { liveGrowth: 9 * MIB }],
    ['others held up for long', { heldMillis: 1_001 }]
  ] as Array<[string, Partial<Outcome>]>) {
    it(`finds fault with ${what}`, () => {
      expect(faults(ATTACK, outcome(fields), 'mplex')).to.have.lengthOf(1)
    })
  }

  it('replaces what was seen before of the same attack and victim, and says when each was seen', async () => {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'attacks-'))
    const [one, other] = ATTACKS
    const machine = { cores: 2, model: 'X', memoryGiB: 1, platform: 'p', node: 'v24' }

    try {
      write({ ...machine, date: '2026-01-01T00:00:00Z' }, [
        outcome({ attack: one.name, victim: 'ours', heldMillis: 11 }), outcome({ attack: other.name, victim: 'ours', heldMillis: 12 })
      ], directory)

      const [page] = write({ ...machine, date: '2026-02-02T00:00:00Z' }, [outcome({ attack: other.name, victim: 'ours', heldMillis: 13 })], directory)
      const text = await readFile(page, 'utf8')

      expect(text).to.include('2026-01-01').and.to.include('2026-02-02')
      expect(text).to.include('· 11 ms').and.to.include('· 13 ms').and.not.to.include('· 12 ms')
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  it('has a name of its own for each attack', () => {
    expect(new Set(ATTACKS.map(({ name }) => name)).size).to.equal(ATTACKS.length)
  })
})
