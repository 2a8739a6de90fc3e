import { expect } from 'aegir/chai'
import { readText } from '../../../support/repository.ts'

const HERE = ['test', 'unit', 'protocols', 'yamux']
const TEST = /^`([\w/.-]+\.spec\.ts)` (.+)$/

interface Row {
  matter: string
  tests: Array<{ file: string, name: string }>
}

/** The tables of SPEC.md: every row names its tests in its last cell. */
function readRows (): Row[] {
  const rows: Row[] = []

  for (const line of readText('src', 'protocols', 'yamux', 'SPEC.md').split('\n')) {
    if (!line.startsWith('| ') || line.startsWith('| ---')) {
      continue
    }

    const cells = line.slice(2, -2).split(' | ')
    const last = cells[cells.length - 1]

    if (last === 'Test') {
      continue
    }

    expect(cells, line).to.have.lengthOf(4)
    rows.push({
      matter: cells[0],
      tests: last.split('<br>').map(cell => {
        const [, file, name] = TEST.exec(cell) ?? []

        return { file, name }
      })
    })
  }

  return rows
}

/** Test titles as the source has them, with `${…}` where a title is made of parts. */
function readTitles (file: string): string[] {
  const source = readText(...file.includes('/') ? file.split('/') : [...HERE, file])

  return [...source.matchAll(/^\s*it\((['`])(.*)\1, /gm)].map(([, , title]) => title.replaceAll('\\\'', '\''))
}

/** Whether the parts of which a title is made stand in the same file, as strings or as numbers in a list. */
function isMadeOf (title: string, name: string, source: string): boolean {
  const parts = title.split(/\$\{\w+\}/)
  const pattern = new RegExp(`^${parts.map(part => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('(.+)')}$`)
  const values = pattern.exec(name)?.slice(1)

  return values !== undefined && values.length > 0 && values.every(value =>
    source.includes(`'${value.replaceAll('\'', '\\\'')}'`) || (/^\w+$/.test(value) && new RegExp(`\\[(\\w+, )*${value}[,\\]]`).test(source)))
}

describe('yamux: SPEC.md', () => {
  const rows = readRows()

  it('has a row for every point that was ever in question', () => {
    expect(rows.length).to.be.at.least(130)
    expect(rows.filter(row => row.tests.length === 0)).to.deep.equal([])
  })

  it('names tests that exist', () => {
    const missing: string[] = []

    for (const { matter, tests } of rows) {
      for (const { file, name } of tests) {
        if (file === undefined) {
          missing.push(`${matter}: no test is named`)
          continue
        }

        const titles = readTitles(file)
        const source = readText(...file.includes('/') ? file.split('/') : [...HERE, file])

        if (!titles.includes(name) && !titles.some(title => isMadeOf(title, name, source))) {
          missing.push(`${matter}: ${file} has no test "${name}"`)
        }
      }
    }

    expect(missing).to.deep.equal([])
  })

  it('finds a test that is not there', () => {
    // what looks for tests must not find just anything
    expect(readTitles('opening.spec.ts')).to.include('leaves no more than 256 streams unacknowledged')
    expect(isMadeOf('ends over $' + '{name}', 'ends over a flood', 'const names = [\'a flood\']')).to.be.true()
    expect(isMadeOf('ends over $' + '{name}', 'ends over a drought', 'const names = [\'a flood\']')).to.be.false()
    expect(isMadeOf('ends by $' + '{code}', 'ends by 2', 'of [1, 2, 3]')).to.be.true()
    expect(isMadeOf('ends by $' + '{code}', 'ends by 4', 'of [1, 2, 3]')).to.be.false()
    expect(isMadeOf('ends', 'ends over a flood', '')).to.be.false()
  })
})
