import { expect } from 'aegir/chai'
import { VarintDecoder, encodeVarint } from '../../../src/core/varint.ts'
import type { VarintState } from '../../../src/core/varint.ts'

/** What each byte made of it, and the value. */
function decode (bytes: Iterable<number>): { states: VarintState[], value: number } {
  const decoder = new VarintDecoder()
  const states: VarintState[] = []

  for (const byte of bytes) {
    states.push(decoder.push(byte))
  }

  return { states, value: decoder.value }
}

/** The last value that fits into so many bytes, and the first that does not. */
const BOUNDARIES = [7, 14, 21, 28, 35, 42, 49].flatMap((bits, i) => [[2 ** bits - 1, i + 1], [2 ** bits, i + 2]] as const)

describe('core/varint', () => {
  it('writes the examples of the unsigned-varint specification', () => {
    const examples: Array<[number, number[]]> = [
      [1, [0x01]], [127, [0x7f]], [128, [0x80, 0x01]], [255, [0xff, 0x01]], [300, [0xac, 0x02]], [16_384, [0x80, 0x80, 0x01]]
    ]

    for (const [value, bytes] of examples) {
      expect([...encodeVarint(value)]).to.deep.equal(bytes)
      expect(decode(bytes).value).to.equal(value)
    }
  })

  for (const [value, length] of [[0, 1], [1, 1], ...BOUNDARIES, [2 ** 32 - 1, 5], [2 ** 32, 5], [Number.MAX_SAFE_INTEGER, 8]] as const) {
    it(`writes ${value} in ${length} bytes and reads it again`, () => {
      const bytes = encodeVarint(value)

      expect(bytes).to.have.lengthOf(length)
      expect(decode(bytes)).to.deep.equal({
        states: [...new Array(length - 1).fill('more'), 'done'],
        value
      })
    })
  }

  it('refuses the first number of more than 53 bits', () => {
    expect(decode([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]).states.at(-1)).to.equal('too-long')
  })

  it('refuses the largest number of eight bytes', () => {
    expect(decode(new Array(8).fill(0xff)).states).to.deep.equal([...new Array(7).fill('more'), 'too-long'])
  })

  it('waits for no ninth byte, even where all before are empty', () => {
    expect(decode(new Array(8).fill(0x80)).states).to.deep.equal([...new Array(7).fill('more'), 'too-long'])
  })

  it('refuses every number that is longer than it need be', () => {
    for (let length = 2; length <= 8; length++) {
      for (const first of [0x80, 0x81, 0xff]) {
        const bytes = [first, ...new Array(length - 2).fill(0x80), 0x00]

        expect(decode(bytes).states.at(-1), `${bytes}`).to.equal('not-minimal')
      }
    }
  })

  it('takes zero in one byte only', () => {
    expect(decode([0])).to.deep.equal({ states: ['done'], value: 0 })
    expect(decode([0x80, 0]).states).to.deep.equal(['more', 'not-minimal'])
  })
})
