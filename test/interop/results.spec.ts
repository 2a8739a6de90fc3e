/** What is told of meeting real peers is what came of it, and what they said is there to be replayed. */
import { expect } from 'aegir/chai'
import { readText } from '../support/repository.ts'

interface Results {
  peers: Array<{ name: string, title: string }>
  results: Array<{ peer: string, scenario: string, direction: string, verdict: string, reason?: string, transcript?: string[] }>
}

describe('results of interoperability', () => {
  const { peers, results }: Results = JSON.parse(readText('interop/results.json'))
  const count = (verdict: string): number => results.filter(result => result.verdict === verdict).length

  it('are the same in the table, in the file for programs and in the README', () => {
    expect(readText('interop/RESULTS.md')).to.include(
      `${count('pass')} passed, ${count('failed')} failed, ${count('theirs')} are the peer's fault, ${count('cannot')} cannot be, ${count('missing')} had no toolchain: ${results.length} cells.`)
    expect(readText('README.md').replaceAll(/\s+/g, ' ')).to.include(
      `${results.length} cells, with the reason beside each that is not a pass: ${count('theirs')} are faults of peers`)
  })

  it('have a cell for each peer, scenario and direction, none that failed, and none that was left out', () => {
    expect(count('failed') + count('missing')).to.equal(0)

    for (const { name } of peers) {
      const cells = results.filter(({ peer }) => peer === name).map(({ scenario, direction }) => `${scenario} ${direction}`)

      expect(cells.length, name).to.be.at.least(2 * 25)
      expect(new Set(cells).size, name).to.equal(cells.length)
    }
  })

  it('say why where it is not a pass, and show the frames where it is the peer\'s fault', () => {
    for (const { verdict, reason, transcript } of results.filter(({ verdict }) => verdict !== 'pass')) {
      expect(reason).to.be.a('string').that.is.not.empty()
      expect(verdict !== 'theirs' || (transcript?.length ?? 0) > 0).to.be.true()
    }
  })

  for (const { name, title } of peers) {
    it(`are of the version of ${name} that was recorded for replay`, () => {
      const golden = JSON.parse(readText('test/vectors/interop', `${name}.json`))

      expect(golden.peer).to.equal(title)
      expect(golden.conversations).to.be.an('array').that.is.not.empty()
    })
  }
})
