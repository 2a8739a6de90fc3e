import { mkdir, open, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { checkSpace, PartFile } from '../../src/cli/part-file.ts'
import { useDirectory } from './program.ts'
import type { WritableFile } from '../../src/cli/part-file.ts'

const CONTENTS = new TextEncoder().encode('contents')

describe('cli/part-file', () => {
  const directory = useDirectory()

  async function store (name: string): Promise<string> {
    const part = await PartFile.create({ name, directory: directory(), size: CONTENTS.byteLength })
    await part.write(CONTENTS)
    await part.finish()

    return part.publish()
  }

  it('has its name only at the end', async () => {
    const part = await PartFile.create({ name: 'f.txt', directory: directory(), size: 8 })
    await part.write(CONTENTS)
    await part.finish()

    const [name, ...others] = await readdir(directory())
    expect(name).to.match(/^f\.txt\.[0-9a-f]{16}\.part$/)
    expect(others).to.be.empty()

    await expect(part.publish()).to.eventually.equal('f.txt')
    await expect(readdir(directory())).to.eventually.deep.equal(['f.txt'])
    await expect(readFile(join(directory(), 'f.txt'), 'utf8')).to.eventually.equal('contents')
  })

  it('never takes a name that is taken', async () => {
    await writeFile(join(directory(), 'f.txt'), 'mine')
    await mkdir(join(directory(), 'f (1).txt'))
    // a link that leads nowhere yet would lead out of the directory
    await symlink(join(directory(), '..', 'elsewhere'), join(directory(), 'f (2).txt'))

    await expect(store('f.txt')).to.eventually.equal('f (3).txt')
    await expect(readFile(join(directory(), 'f.txt'), 'utf8')).to.eventually.equal('mine')
    await expect(readdir(directory())).to.eventually.have.lengthOf(4)
  })

  it('gives each of many at once a name of its own', async () => {
    const names = await Promise.all(Array.from({ length: 20 }, async () => store('f')))

    expect(new Set(names)).to.have.property('size', 20)
    await expect(readdir(directory())).to.eventually.have.members(names)
  })

  it('takes the longest name', async () => {
    const name = '€'.repeat(85)

    await expect(store(name)).to.eventually.equal(name)
    await expect(store(name)).to.eventually.match(/^€+ \(1\)$/)
  })

  it('leaves nothing behind when it is discarded', async () => {
    const part = await PartFile.create({ name: 'f', directory: directory(), size: 8 })
    await part.write(CONTENTS)
    await part.discard()
    await part.discard()

    await expect(readdir(directory())).to.eventually.be.empty()
  })

  it('writes on where a disk took only a part', async () => {
    const pieces = Array.from({ length: 100 }, (_, index) => new Uint8Array(index).fill(index))
    const part = await PartFile.create({
      name: 'f',
      directory: directory(),
      size: 4_950,
      async open (path): Promise<WritableFile> {
        const file = await open(path, 'wx')

        return {
          writev: async views => file.writev([new Uint8Array(views[0].buffer, views[0].byteOffset, Math.min(7, views[0].byteLength))]),
          sync: async () => file.sync(),
          close: async () => file.close()
        }
      }
    })

    for (const piece of pieces) {
      await part.write(piece)
    }

    await part.finish()
    await part.publish()

    expect(Buffer.compare(await readFile(join(directory(), 'f')), Buffer.concat(pieces))).to.equal(0)
  })

  it('says that the directory does not exist', async () => {
    await expect(PartFile.create({ name: 'f', directory: join(directory(), 'no'), size: 8 })).to.eventually.be.rejectedWith('does not exist')
  })

  it('says so when it may not write', async () => {
    await expect(PartFile.create({
      name: 'f',
      directory: directory(),
      size: 8,
      async open () {
        throw Object.assign(new Error('no'), { code: 'EACCES' })
      }
    })).to.eventually.be.rejectedWith(`cannot write to ${directory()}: permission denied`)
  })

  it('says at once that the space will not do', async () => {
    await expect(checkSpace(directory(), Number.MAX_SAFE_INTEGER)).to.eventually.be.rejectedWith('8.0 PiB are needed')
  })
})
