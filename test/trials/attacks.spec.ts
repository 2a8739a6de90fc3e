import { expect } from 'aegir/chai'
import { ATTACKS } from '../../attacks/catalogue/index.ts'
import { faults, figures, inWords } from '../../attacks/report.ts'
import type { Attack, Outcome } from '../../attacks/types.ts'

const MIB = 1_048_576

function outcome (fields: Partial<Outcome> = {}): Outcome {
  return {
    attack: 'a',
    victim: 'v',
    end: 'closed',
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

const [ATTACK] = ATTACKS as [Attack]

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

  it('finds nothing wrong with what was closed or harmless, and small', () => {
    for (const end of ['closed', 'harmless', 'stalled'] as const) {
      expect(faults(ATTACK, outcome({ end }))).to.deep.equal([])
    }
  })

  for (const [what, fields] of [
    ['a crash', { end: 'crashed' }],
    ['a connection left open by a muxer that is closed', { end: 'zombie' }],
    ['a rejection that nobody handled', { unhandled: ['rejection: x'] }],
    ['more memory than it may', { liveGrowth: 9 * MIB }],
    ['others held up for long', { heldMillis: 1_001 }]
  ] as Array<[string, Partial<Outcome>]>) {
    it(`finds fault with ${what}`, () => {
      expect(faults(ATTACK, outcome(fields))).to.have.lengthOf(1)
    })
  }

  it('has a name of its own for each attack', () => {
    expect(new Set(ATTACKS.map(({ name }) => name)).size).to.equal(ATTACKS.length)
  })
})
