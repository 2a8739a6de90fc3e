/** What the README points to is there. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'aegir/chai'
import { readText, root } from '../support/repository.ts'

const readme = readText('README.md')

/** As GitHub makes them. */
function anchorOf (heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')
}

const targets = Array.from(readme.matchAll(/\]\(([^)\s]+)\)/g), match => match[1])
const headings = Array.from(readme.matchAll(/^#+ (.+)$/gm), match => anchorOf(match[1]))

/** What the reader is taken to have at hand. */
const AT_HAND = {
  stream: "import('libp2p-muxers/interface').MuxedStream",
  connection: "import('libp2p-muxers/interface').MuxedConnection",
  transform: "(source: AsyncIterable<import('libp2p-muxers/interface').Bytes>) => AsyncIterable<Uint8Array>",
  bytes: 'Uint8Array',
  question: 'Uint8Array',
  file: 'Blob',
  signal: 'AbortSignal'
}

function toModule (code: string): string {
  const declared = Object.entries(AT_HAND).filter(([name]) => !new RegExp(`^const ${name} `, 'm').test(code))

  return `${declared.map(([name, type]) => `declare const ${name}: ${type}\n`).join('')}${code}\nexport {}\n`
}

describe('README', () => {
  it('shows programs that compile', async function () {
    this.timeout(120_000)

    const blocks = Array.from(readme.matchAll(/```typescript\n(.*?)```/gs), match => toModule(match[1]))
    // within the package, whose own name they import
    const folder = await mkdtemp(path.join(root, 'dist', 'readme-'))

    expect(blocks).to.not.be.empty()

    try {
      await Promise.all(blocks.map(async (code, i) => writeFile(path.join(folder, `block-${i}.ts`), code)))
      await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify({
        extends: 'aegir/src/config/tsconfig.aegir.json',
        compilerOptions: { rootDir: root, noEmit: true, emitDeclarationOnly: false, composite: false, incremental: false, noUnusedLocals: false, skipLibCheck: true },
        include: ['*.ts']
      }))

      const { stdout } = await promisify(execFile)(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', folder])
        .catch(({ stdout }) => ({ stdout }))

      expect(stdout).to.equal('')
    } finally {
      await rm(folder, { recursive: true })
    }
  })

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
