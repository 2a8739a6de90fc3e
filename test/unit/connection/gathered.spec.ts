import { expect } from 'aegir/chai'
import { Uint8ArrayList } from 'uint8arraylist'
import { Gathered } from '../../../src/connection/gathered.ts'
import { pattern } from '../../support/frames.ts'

describe('connection: what a reader has gathered', () => {
  it('is what came, in order, in however many pieces', () => {
    const bytes = pattern(5_000)
    const gathered = new Gathered()
    let at = 0

    for (let length = 1; at < bytes.byteLength; length = (length * 7) % 400 + 1) {
      const piece = bytes.subarray(at, at + length)

      gathered.append(length % 2 === 0 ? piece : new Uint8ArrayList(piece.subarray(0, 1), piece.subarray(1)))
      at += piece.byteLength
      expect(gathered.byteLength).to.equal(at)
    }

    expect(gathered.toList().subarray()).to.deep.equal(bytes)
  })

  it('costs no more than its bytes, whatever they are cut from', () => {
    const gathered = new Gathered()
    const reads: Uint8Array[] = []

    for (let i = 0; i < 1_000; i++) {
      const read = pattern(65_536)

      reads.push(read)
      gathered.append(read.subarray(i, i + 1))
    }

    const list = gathered.toList()
    const buffers = new Set(Array.from(list, ({ buffer }) => buffer))

    expect([...list].length).to.be.at.most(10)
    expect(reads.some(({ buffer }) => buffers.has(buffer))).to.be.false()
    expect([...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0)).to.be.at.most(4_096)
  })
})
