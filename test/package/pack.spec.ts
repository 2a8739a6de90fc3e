import { execFile } from 'node:child_process'
import fs from 'node:fs/promises'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'aegir/chai'

const run = promisify(execFile)

interface Manifest {
  name: string
  exports: Record<string, unknown>
  bin: Record<string, string>
}

/**
 * What each entry point must offer. An entry point that is missing here fails the test: whoever
 * adds one says what it is for
 */
const OFFERED: Record<string, string[]> = {
  '.': ['mplex', 'yamux', 'isMuxedStream', 'StreamErrorCode', 'StreamResetError'],
  './interface': ['ConnectionErrorCode', 'GoAwayError', 'StreamErrorCode', 'StreamResetError', 'errorCodeName', 'isMuxedStream'],
  './mplex': ['mplex'],
  './node': ['toDuplex', 'toMessageStream'],
  './web': ['toMessageStream'],
  './yamux': ['yamux']
}

const CONSUMER = `import { yamux } from 'libp2p-muxers'
import { isMuxedStream } from 'libp2p-muxers/interface'
import { mplex } from 'libp2p-muxers/mplex'
import { toMessageStream } from 'libp2p-muxers/web'
import { yamux as direct } from 'libp2p-muxers/yamux'
import type { MessageStream, Stream, StreamMuxerFactory } from '@libp2p/interface'
import type { MuxedConnection, Muxer } from 'libp2p-muxers/interface'
export const pair: MessageStream = toMessageStream(new TransformStream<Uint8Array, Uint8Array>())
export const factories: StreamMuxerFactory[] = [yamux()(), direct()(), mplex()()]
export const muxers: Muxer[] = [yamux()(), direct()(), mplex()()]
export const connection: Promise<MuxedConnection> = yamux()().multiplex(pair)
export const guard: (stream: Stream) => boolean = isMuxedStream
`

const CONSUMER_CONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2024',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: []
  },
  files: ['consumer.ts']
}

/**
 * npm hands the settings of the run around this test down to its children, the folder it works in
 * among them
 */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => {
  return !/^(npm_package_|npm_lifecycle_|npm_config_(local_)?prefix$|INIT_CWD$)/i.test(name)
}))

async function npm (args: string[], cwd: string): Promise<string> {
  const cli = process.env.npm_execpath ?? ''
  const { stdout } = cli.endsWith('npm-cli.js')
    ? await run(process.execPath, [cli, ...args], { cwd, env })
    : await run('npm', args, { cwd, env })

  return stdout
}

async function node (args: string[], cwd: string): Promise<string> {
  const { stdout } = await run(process.execPath, args, { cwd, env })

  return stdout
}

describe('the package as it is published', function () {
  this.timeout(240_000)

  let folder: string
  let consumer: string
  let installed: string
  let packed: string[]
  let manifest: Manifest

  before(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), 'libp2p-muxers-'))
    consumer = path.join(folder, 'consumer')
    await fs.mkdir(consumer)
    await fs.writeFile(path.join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))

    const [tarball] = JSON.parse(await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], process.cwd()))
    packed = tarball.files.map((file: { path: string }) => file.path)

    await npm([
      'install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock',
      path.join(folder, tarball.filename)
    ], consumer)

    installed = path.join(consumer, 'node_modules', tarball.name)
    manifest = JSON.parse(await fs.readFile(path.join(installed, 'package.json'), 'utf8'))
  })

  after(async () => {
    await fs.rm(folder, { recursive: true, force: true })
  })

  it('holds what a user needs and nothing of the house', () => {
    expect(packed).to.include.members(['README.md', 'LICENSE', 'LICENSE-APACHE', 'LICENSE-MIT', 'src/index.ts', 'dist/src/index.js', 'dist/src/index.d.ts'])

    const strangers = packed.filter(file => !/^(src|dist\/src)\//.test(file))
    expect(strangers).to.have.members(['README.md', 'LICENSE', 'LICENSE-APACHE', 'LICENSE-MIT', 'package.json'])

    expect(packed.filter(file => /(^|\/)test\/|\.spec\.|\.tsbuildinfo$/.test(file))).to.be.empty()
  })

  it('says of every entry point what it offers', () => {
    expect(Object.keys(manifest.exports)).to.have.members(Object.keys(OFFERED))
  })

  it('offers it where it is installed', async () => {
    for (const [entry, names] of Object.entries(OFFERED)) {
      const specifier = path.posix.join(manifest.name, entry)
      const script = `import * as entry from '${specifier}'; console.info(JSON.stringify(Object.keys(entry)))`
      const offered = JSON.parse(await node(['--input-type=module', '--eval', script], consumer))

      expect(offered, `names at '${entry}'`).to.include.members(names)
    }
  })

  it('runs its command', async () => {
    for (const [name, file] of Object.entries(manifest.bin)) {
      // a link on most platforms, a script on others, but npm makes one only for a file that exists
      await fs.lstat(path.join(consumer, 'node_modules', '.bin', name))

      expect(await fs.readFile(path.join(installed, file), 'utf8')).to.match(/^#!\/usr\/bin\/env node\n/)
      expect(await node([path.join(installed, file), '--help'], consumer)).to.include(name)
    }
  })

  it('compiles in a consumer', async () => {
    const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')

    await fs.writeFile(path.join(consumer, 'consumer.ts'), CONSUMER)
    await fs.writeFile(path.join(consumer, 'tsconfig.json'), JSON.stringify(CONSUMER_CONFIG))
    await node([tsc, '-p', consumer], consumer).catch(err => {
      // the compiler reports on stdout, which the error of a failed process leaves out
      throw new Error(err.stdout)
    })
  })
})
