import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { runs, sequence } from '../support/arbitraries.ts'
import { record } from '../unit/core/records.ts'
import type { StreamInput } from '../../src/core/stream-state.ts'

const input = fc.constantFrom<StreamInput>('end', 'fin-sent', 'fin-received', 'reset-sent', 'reset-received')

/** Every half only ever moves to the right. */
const ORDER = { open: 0, ending: 1, ended: 2, reset: 2 }

describe('property: stream state', () => {
  it('reopens no half, and changes for none how it ended, whatever happens in whatever order', () => {
    fc.assert(fc.property(sequence(input, 12), inputs => {
      const stream = record()

      for (const input of inputs) {
        const { send, receive, closed } = stream
        const allowed = stream.apply(input)

        for (const [before, after] of [[send, stream.send], [receive, stream.receive]] as const) {
          expect(ORDER[after]).to.be.at.least(ORDER[before])
          expect(after === before || allowed, 'changed by what was refused').to.be.true()
          expect(after === before || before === 'open' || before === 'ending', `${before} became ${after}`).to.be.true()
        }

        expect(stream.closed || !closed).to.be.true()
      }
    }), runs(150))
  })

  it('says of each half what first ended it', () => {
    fc.assert(fc.property(sequence(input, 12), inputs => {
      const stream = record()
      const isReset = (input: StreamInput): boolean => input === 'reset-sent' || input === 'reset-received'
      const ended = inputs.indexOf('end')
      const sends = inputs.find((input, i) => isReset(input) || (input === 'fin-sent' && ended !== -1 && ended < i))
      const receives = inputs.find(input => isReset(input) || input === 'fin-received')
      const unfinished = ended === -1 ? 'open' : 'ending'
      const nameOf = (end: StreamInput): string => isReset(end) ? 'reset' : 'ended'

      inputs.forEach(input => stream.apply(input))

      expect(stream.send).to.equal(sends === undefined ? unfinished : nameOf(sends))
      expect(stream.receive).to.equal(receives === undefined ? 'open' : nameOf(receives))
    }), runs(150))
  })
})
