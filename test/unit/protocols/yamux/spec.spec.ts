import { expect } from 'aegir/chai'
import { isMadeOf, missingTests, readRows, readTitles } from '../../../support/spec-rows.ts'

describe('yamux: SPEC.md', () => {
  const rows = readRows('yamux')

  it('has a row for every point that was ever in question', () => {
    expect(rows.length).to.be.at.least(130)
    expect(rows.filter(row => row.tests.length === 0)).to.deep.equal([])
  })

  it('names tests that exist', () => {
    expect(missingTests('yamux', rows)).to.deep.equal([])
  })

  it('finds a test that is not there', () => {
    // what looks for tests must not find just anything
    expect(readTitles('yamux', 'opening.spec.ts')).to.include('leaves no more than 256 streams unacknowledged')
    expect(isMadeOf('ends over $' + '{name}', 'ends over a flood', 'const names = [\'a flood\']')).to.be.true()
    expect(isMadeOf('ends over $' + '{name}', 'ends over a drought', 'const names = [\'a flood\']')).to.be.false()
    expect(isMadeOf('ends by $' + '{code}', 'ends by 2', 'of [1, 2, 3]')).to.be.true()
    expect(isMadeOf('ends by $' + '{code}', 'ends by 4', 'of [1, 2, 3]')).to.be.false()
    expect(isMadeOf('ends', 'ends over a flood', '')).to.be.false()
  })
})
