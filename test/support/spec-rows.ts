/** The tables of a SPEC.md: every row names the tests that hold it in its last cell. */
import { expect } from 'aegir/chai'
import { readText } from './repository.ts'

const TEST = /^`([\w/.-]+\.spec\.ts)` (.+)$/

export interface Row {
  matter: string
  tests: Array<{ file: string, name: string }>
}

/** Of the language of that name, whose tests are in the folder of the same name unless a path says. */
export function readRows (protocol: string): Row[] {
  const rows: Row[] = []

  for (const line of readText('src', 'protocols', protocol, 'SPEC.md').split('\n')) {
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
export function readTitles (protocol: string, file: string): string[] {
  const source = readSource(protocol, file)

  return [...source.matchAll(/^\s*it\((['`])(.*)\1, /gm)].map(([, , title]) => title.replaceAll('\\\'', '\''))
}

/** Whether the parts of which a title is made stand in the same file, as strings or as numbers in a list. */
export function isMadeOf (title: string, name: string, source: string): boolean {
  const parts = title.split(/\$\{\w+\}/)
  const pattern = new RegExp(`^${parts.map(part => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('(.+)')}$`)
  const values = pattern.exec(name)?.slice(1)

  return values !== undefined && values.length > 0 && values.every(value =>
    source.includes(`'${value.replaceAll('\'', '\\\'')}'`) || (/^\w+$/.test(value) && new RegExp(`\\[(\\w+, )*${value}[,\\]]`).test(source)))
}

function readSource (protocol: string, file: string): string {
  return readText(...file.includes('/') ? file.split('/') : ['test', 'unit', 'protocols', protocol, file])
}

/** What rows name and there is not. */
export function missingTests (protocol: string, rows: Row[]): string[] {
  const missing: string[] = []

  for (const { matter, tests } of rows) {
    for (const { file, name } of tests) {
      if (file === undefined) {
        missing.push(`${matter}: no test is named`)
        continue
      }

      const titles = readTitles(protocol, file)
      const source = readSource(protocol, file)

      if (!titles.includes(name) && !titles.some(title => isMadeOf(title, name, source))) {
        missing.push(`${matter}: ${file} has no test "${name}"`)
      }
    }
  }

  return missing
}
