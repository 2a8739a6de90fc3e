/** What the README points to is there. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { expect } from 'aegir/chai'
import { readText, root } from '../support/repository.ts'

const readme = readText('README.md')

/** As GitHub makes them. */
function anchorOf (heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')
}

const targets = Array.from(readme.matchAll(/\]\(([^)\s]+)\)/g), match => match[1])
const headings = Array.from(readme.matchAll(/^#+ (.+)$/gm), match => anchorOf(match[1]))

describe('README', () => {
  it('links to files that exist', () => {
    const files = targets.filter(target => !/^(https?:|#)/.test(target)).map(target => target.split('#')[0])

    expect(files).to.not.be.empty()
    expect(files.filter(file => !existsSync(path.join(root, file)))).to.deep.equal([])
  })

  it('names files and folders that exist', () => {
    const files = Array.from(readme.matchAll(/`((?:src|examples|scripts|test|benchmarks)\/[^`\s]*|\.[a-z-]+\.c?js)`/g), match => match[1])

    expect(files).to.not.be.empty()
    expect(files.filter(file => !existsSync(path.join(root, file)))).to.deep.equal([])
  })

  it('links to headings of its own that exist', () => {
    expect(targets.filter(target => target.startsWith('#') && !headings.includes(target.slice(1)))).to.deep.equal([])
  })

  it('links to every kind of example', () => {
    const examples = ['http-over-a-stream', 'it-pipe', 'length-prefixed', 'libp2p-node', 'priorities', 'statistics', 'web-streams', 'without-libp2p']

    expect(targets).to.include.members(examples.map(name => `examples/${name}.ts`))
  })

  it('imports what the package offers, by names that it exports', () => {
    const { name, exports } = JSON.parse(readText('package.json'))
    const imports = Array.from(readme.matchAll(/from '(libp2p-muxers[^']*)'/g), match => match[1])

    expect(imports).to.not.be.empty()
    expect(imports.filter(specifier => !Object.hasOwn(exports, specifier.replace(name, '.')))).to.deep.equal([])
  })
})
