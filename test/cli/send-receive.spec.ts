import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { ByteReader } from '../../src/cli/byte-reader.ts'
import { encodeHeader, FILE_PROTOCOL, MAX_HEADER_LENGTH } from '../../src/cli/file-protocol.ts'
import { pseudoRandom } from '../../src/cli/generate.ts'
import { createNode, parsePeerAddress } from '../../src/cli/node.ts'
import { receiveFile } from '../../src/cli/receive-file.ts'
import { openSource, sendFile } from '../../src/cli/send-file.ts'
import { endPrograms, Program, run, useDirectory } from './program.ts'
import type { Node } from '../../src/cli/node.ts'
import type { Stream } from '@libp2p/interface'

const LOCAL = '/ip4/127.0.0.1/tcp/0'
const NOBODY = '12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5'

describe('cli/send and receive', function () {
  this.timeout(20_000)

  const directory = useDirectory()
  const nodes: Node[] = []
  let out: string

  beforeEach(async () => {
    out = join(directory(), 'out')
    await mkdir(out)
  })

  afterEach(async () => {
    await endPrograms()
    await Promise.all(nodes.splice(0).map(async node => node.stop()))
  })

  async function makeFile (name: string, size: number): Promise<string> {
    const path = join(directory(), name)
    await writeFile(path, Buffer.concat([...pseudoRandom(size)]))

    return path
  }

  async function startReceiver (...options: string[]): Promise<[Program, string]> {
    const receiver = new Program(['receive', '--listen', LOCAL, '--out', out, ...options])
    const [address] = await receiver.output('stdout', /\/ip4\/\S+\/p2p\/\S+/)

    // Ctrl-C is understood from here on
    await receiver.output('stdout', /stop with Ctrl-C\n/)

    return [receiver, address]
  }

  async function startNode (listen?: string): Promise<Node> {
    const node = await createNode(listen)
    nodes.push(node)

    return node
  }

  async function openTo (address: string): Promise<[Node, Stream]> {
    const node = await startNode()

    return [node, await node.libp2p.dialProtocol(parsePeerAddress(address), FILE_PROTOCOL)]
  }

  it('brings a file over mplex, and says what is wrong when the two ends have different muxers', async () => {
    const [receiver, address] = await startReceiver('--muxer', 'mplex')
    const path = await makeFile('over mplex.bin', 3_000_000)
    const other = await run(['send', path, address])

    expect(other.code).to.equal(1)
    expect(other.stderr).to.include('that both ends were started with the same --muxer\n')

    const sender = await run(['send', '--muxer', 'mplex', path, address])

    expect(sender.stderr).to.equal('')
    expect(sender.code).to.equal(0)
    await receiver.output('stdout', /received over mplex\.bin: 2\.9 MiB/)
  })

  it('brings files over, one after the other, until interrupted', async () => {
    const [receiver, address] = await startReceiver()
    const path = await makeFile('some file.bin', 2_000_003)
    const sha256 = createHash('sha256').update(await readFile(path)).digest('hex')

    for (const name of ['some file.bin', 'some file (1).bin']) {
      const sender = await run(['send', path, address])

      expect(sender.stderr).to.equal('')
      expect(sender.code).to.equal(0)
      expect(sender.stdout).to.match(/^sent some file\.bin: 1\.9 MiB, .*\/s, sha-256 /)
      expect(sender.stdout).to.include(`sha-256 ${sha256}, stored as ${name}\n`)

      const line = (await receiver.output('stdout', /received .*\n(?![^]*received)/))[0]
      expect(line).to.match(/^received some file.*: 1\.9 MiB, .*\/s, sha-256 /)
      expect(line).to.include(`received ${name}: `).and.to.include(sha256)
      expect((await readFile(join(out, name))).equals(await readFile(path))).to.be.true()
    }

    receiver.kill('SIGINT')
    await expect(receiver.ended).to.eventually.deep.equal({ code: 0, signal: null })
    expect(receiver.stderr).to.equal('')
    await expect(readdir(out)).to.eventually.have.members(['some file.bin', 'some file (1).bin'])
  })

  it('says what is wrong with the arguments of send', async () => {
    const path = await makeFile('f', 10)
    const address = `/ip4/127.0.0.1/tcp/1/p2p/${NOBODY}`
    const cases: Array<[string, string, number, string]> = [
      [join(directory(), 'no'), address, 1, 'it does not exist; check the path'],
      [directory(), address, 1, 'it is a directory'],
      [path, 'nonsense', 1, 'invalid address nonsense'],
      [path, '/ip4/127.0.0.1/tcp/1', 1, 'the peer id is missing'],
      [path, address.slice(0, -1), 1, 'the peer id is damaged'],
      [path, `/ip4/127.0.0.1/udp/1/quic-v1/p2p/${NOBODY}`, 1, 'only TCP addresses work here'],
      [path, address, 1, 'nothing listens there']
    ]

    for (const [file, to, code, message] of cases) {
      const sender = await run(['send', file, to])

      expect(sender.stderr).to.match(/^libp2p-muxers: .*\n$/).and.to.include(message)
      expect(sender.stdout).to.equal('')
      expect(sender.code).to.equal(code)
    }
  })

  it('says what is wrong with the arguments of receive', async () => {
    const taken = (await startNode(LOCAL)).libp2p.getMultiaddrs()[0].toString().replace(/\/p2p\/.*/, '')
    const cases: Array<[string[], number, string]> = [
      [['--out', join(directory(), 'no')], 1, 'it does not exist'],
      [['--out', await makeFile('f', 1)], 1, 'it is not a directory'],
      [['--listen', 'nonsense'], 1, 'invalid address nonsense'],
      [['--listen', taken], 1, 'another program uses this port'],
      [['--listen', '/ip4/127.0.0.1/udp/0'], 1, 'only TCP addresses work here'],
      [['--listne', 'x'], 2, '--listne']
    ]

    for (const [args, code, message] of cases) {
      const receiver = await run(['receive', ...args])

      expect(receiver.stderr).to.match(/^libp2p-muxers: .*\n$/).and.to.include(message)
      expect(receiver.stdout).to.equal('')
      expect(receiver.code).to.equal(code)
    }
  })

  it('notices that another peer answers', async () => {
    const node = await startNode(LOCAL)
    const address = node.libp2p.getMultiaddrs()[0].toString().replace(/\/p2p\/.*/, `/p2p/${NOBODY}`)
    const sender = await run(['send', await makeFile('f', 10), address])

    expect(sender.stderr).to.match(/^libp2p-muxers: wrong peer id: .*\n$/)
    expect(sender.code).to.equal(1)
  })

  it('notices that the peer does not take files', async () => {
    const node = await startNode(LOCAL)
    const sender = await run(['send', await makeFile('f', 10), node.libp2p.getMultiaddrs()[0].toString()])

    expect(sender.stderr).to.match(/^libp2p-muxers: .* does not speak our protocol; .*\n$/)
    expect(sender.code).to.equal(1)
  })

  it('fails when the receiver goes away in the middle', async () => {
    const node = await startNode(LOCAL)

    await node.libp2p.handle(FILE_PROTOCOL, async (stream, connection) => {
      const reader = new ByteReader(stream)
      await reader.message(MAX_HEADER_LENGTH, 'header')
      await reader.exactly(1_000)
      connection.abort(new Error('gone'))
    })

    const sender = await run(['send', await makeFile('f', 20_000_000), node.libp2p.getMultiaddrs()[0].toString()])

    expect(sender.stderr).to.match(/^libp2p-muxers: the receiver went away .*\n$/)
    expect(sender.stdout).to.not.include('sent')
    expect(sender.code).to.equal(1)
  })

  it('can be interrupted while it sends', async () => {
    const node = await startNode(LOCAL)
    const sender = new Program(['send', await makeFile('f', 100_000), node.libp2p.getMultiaddrs()[0].toString()])

    const reading = new Promise<void>((resolve, reject) => {
      void node.libp2p.handle(FILE_PROTOCOL, async stream => {
        await new ByteReader(stream).exactly(1_000).then(() => { resolve() }, reject)
      })
    })

    await reading
    sender.kill('SIGINT')

    await expect(sender.ended).to.eventually.deep.equal({ code: 130, signal: null })
    expect(sender.stderr).to.equal('libp2p-muxers: interrupted\n')
  })

  it('keeps nothing, and goes on, when the sender goes away in the middle', async () => {
    const [receiver, address] = await startReceiver()
    const [node, stream] = await openTo(address)

    stream.send(encodeHeader({ name: 'half', size: 2_000_000 }))
    stream.send(new Uint8Array(1_000_000))
    await receiver.output('stdout', /half: 50 %/)
    await node.stop()
    await receiver.output('stderr', /the sender of half went away after 976\.6 KiB of 1\.9 MiB; nothing was kept.*\n/)
    await expect(readdir(out)).to.eventually.be.empty()

    await expect(run(['send', await makeFile('whole', 100), address])).to.eventually.have.property('code', 0)
    await expect(readdir(out)).to.eventually.deep.equal(['whole'])

    receiver.kill('SIGTERM')
    await expect(receiver.ended).to.eventually.have.property('code', 0)
  })

  it('keeps nothing when it is interrupted in the middle', async () => {
    const [receiver, address] = await startReceiver()
    const [, stream] = await openTo(address)

    stream.send(encodeHeader({ name: 'half', size: 2_000_000 }))
    stream.send(new Uint8Array(1_000_000))
    await receiver.output('stdout', /half: 50 %/)
    receiver.kill('SIGINT')

    await expect(receiver.ended).to.eventually.deep.equal({ code: 130, signal: null })
    await expect(readdir(out)).to.eventually.be.empty()
  })

  it('leaves nothing that looks whole when it is killed in the middle', async () => {
    const [receiver, address] = await startReceiver()
    const [, stream] = await openTo(address)

    stream.send(encodeHeader({ name: 'half', size: 2_000_000 }))
    stream.send(new Uint8Array(1_000_000))
    await receiver.output('stdout', /half: 50 %/)
    receiver.kill('SIGKILL')
    await receiver.ended

    for (const name of await readdir(out)) {
      expect(name).to.match(/^half\.[0-9a-f]{16}\.part$/)
    }
  })

  it('reads the file no faster than the disk of the receiver takes it', async () => {
    const node = await startNode(LOCAL)
    const disk = Promise.withResolvers<never>()
    let written = 0

    const receiving = new Promise<unknown>(resolve => {
      void node.libp2p.handle(FILE_PROTOCOL, async stream => {
        resolve(await receiveFile(stream, {
          directory: out,
          async open (path) {
            const file = await open(path, 'wx')

            return {
              async writev () {
                written++

                return disk.promise
              },
              sync: async () => file.sync(),
              close: async () => file.close()
            }
          }
        }).catch((err: unknown) => err))
      })
    })

    const path = join(directory(), 'large')
    await writeFile(path, '')
    await truncate(path, 256 * 1024 * 1024)
    const source = await openSource(path)
    let sent = 0

    try {
      const [, stream] = await openTo(node.libp2p.getMultiaddrs()[0].toString())

      await expect(sendFile(stream, source, { idleMillis: 200, onProgress: bytes => { sent = bytes } })).to.eventually.be.rejectedWith('it took no data')
    } finally {
      await source.file.close()
    }

    // what the windows and the buffers of both sides hold, not the file
    expect(sent).to.be.lessThan(8 * 1024 * 1024)
    expect(written).to.equal(1)

    disk.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }))
    expect(await receiving).to.have.property('message').that.includes('the disk is full')
    await expect(readdir(out)).to.eventually.be.empty()
  })

  it('tells its usage and its version', async () => {
    const { version } = JSON.parse(await readFile(new URL(`${import.meta.url.includes('/dist/') ? '../' : ''}../../package.json`, import.meta.url), 'utf8'))

    await expect(run(['--version'])).to.eventually.include({ code: 0, stdout: `${version}\n`, stderr: '' })

    const help = await run(['--help'])
    expect(help.code).to.equal(0)
    expect(help.stdout).to.match(/^Usage: libp2p-muxers /).and.to.include('--listen MULTIADDR')

    const wrong = await run([])
    expect(wrong.code).to.equal(2)
    expect(wrong.stderr).to.match(/^libp2p-muxers: no command.*\n$/)
  })
})
