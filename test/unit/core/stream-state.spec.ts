import { expect } from 'aegir/chai'
import { RECEIVE, SEND } from '../../../src/core/stream-state.ts'
import { record } from './records.ts'
import type { ReceiveHalf, SendHalf, StreamInput } from '../../../src/core/stream-state.ts'

type Half = `${SendHalf}/${ReceiveHalf}`

const SEND_HALVES: SendHalf[] = ['open', 'ending', 'ended', 'reset']
const RECEIVE_HALVES: ReceiveHalf[] = ['open', 'ended', 'reset']

/** Every pair of halves and what each input makes of it; what is not written is refused. */
const EXPECTED: Record<StreamInput, Partial<Record<Half, Half>>> = {
  end: {
    'open/open': 'ending/open',
    'open/ended': 'ending/ended',
    'open/reset': 'ending/reset'
  },
  'fin-sent': {
    'ending/open': 'ended/open',
    'ending/ended': 'ended/ended',
    'ending/reset': 'ended/reset'
  },
  'fin-received': {
    'open/open': 'open/ended',
    'ending/open': 'ending/ended',
    'ended/open': 'ended/ended',
    'reset/open': 'reset/ended'
  },
  'reset-sent': {
    'open/open': 'reset/reset',
    'open/ended': 'reset/ended',
    'open/reset': 'reset/reset',
    'ending/open': 'reset/reset',
    'ending/ended': 'reset/ended',
    'ending/reset': 'reset/reset',
    'ended/open': 'ended/reset',
    'ended/ended': 'ended/ended',
    'ended/reset': 'ended/reset',
    'reset/open': 'reset/reset',
    'reset/ended': 'reset/ended',
    'reset/reset': 'reset/reset'
  },
  'reset-received': {
    'open/open': 'reset/reset',
    'open/ended': 'reset/ended',
    'open/reset': 'reset/reset',
    'ending/open': 'reset/reset',
    'ending/ended': 'reset/ended',
    'ending/reset': 'reset/reset',
    'ended/open': 'ended/reset',
    'ended/ended': 'ended/ended',
    'ended/reset': 'ended/reset',
    'reset/open': 'reset/reset',
    'reset/ended': 'reset/ended',
    'reset/reset': 'reset/reset'
  }
}

const INPUTS = Object.keys(EXPECTED) as StreamInput[]

describe('core/stream-state', () => {
  it('has an answer for every input in every state', () => {
    for (const input of INPUTS) {
      expect(Object.keys(SEND[input])).to.deep.equal(SEND_HALVES)
      expect(Object.keys(RECEIVE[input])).to.deep.equal(RECEIVE_HALVES)
    }

    expect(Object.keys(SEND)).to.deep.equal(INPUTS)
    expect(Object.keys(RECEIVE)).to.deep.equal(INPUTS)
  })

  for (const input of INPUTS) {
    for (const send of SEND_HALVES) {
      for (const receive of RECEIVE_HALVES) {
        const before: Half = `${send}/${receive}`
        const after = EXPECTED[input][before]

        it(`${after === undefined ? 'refuses' : 'allows'} ${input} in ${before}${after === undefined ? '' : `, which makes it ${after}`}`, () => {
          const stream = record()

          stream.send = send
          stream.receive = receive

          expect(stream.apply(input)).to.equal(after !== undefined)
          expect(`${stream.send}/${stream.receive}`).to.equal(after ?? before)
        })
      }
    }
  }

  it('calls a stream closed when both halves are over, and not while an end is on its way', () => {
    for (const send of SEND_HALVES) {
      for (const receive of RECEIVE_HALVES) {
        const stream = record()

        stream.send = send
        stream.receive = receive

        expect(stream.closed, `${send}/${receive}`).to.equal(send !== 'open' && send !== 'ending' && receive !== 'open')
      }
    }
  })
})
