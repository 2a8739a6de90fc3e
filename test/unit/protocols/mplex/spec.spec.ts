import { expect } from 'aegir/chai'
import { missingTests, readRows } from '../../../support/spec-rows.ts'

describe('mplex: SPEC.md', () => {
  const rows = readRows('mplex')

  it('has a row for every point of the specification, and for every case in which implementations differ', () => {
    expect(rows.length).to.be.at.least(50)
    expect(rows.filter(row => row.tests.length === 0)).to.deep.equal([])
  })

  it('names tests that exist', () => {
    expect(missingTests('mplex', rows)).to.deep.equal([])
  })
})
