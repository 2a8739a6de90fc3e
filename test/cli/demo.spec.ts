import { mkdir, open, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { endPrograms, Program, run, useDirectory } from './program.ts'

// never sent to its end: large enough for a signal to come in the middle
const LARGE = 768 * 1024 * 1024

describe('cli/demo', function () {
  this.timeout(30_000)

  const directory = useDirectory()
  let temporary: string

  beforeEach(async () => {
    temporary = join(directory(), 'temporary')
    await mkdir(temporary)
  })

  afterEach(async () => {
    await endPrograms()
  })

  function environment (): NodeJS.ProcessEnv {
    return { TMPDIR: temporary, TEMP: temporary }
  }

  async function nothingLeft (): Promise<void> {
    await expect(readdir(temporary)).to.eventually.be.empty()
  }

  /**
   * A file of zeros that takes no space, and a demo in the middle of sending it
   */
  async function startLarge (): Promise<[Program, number]> {
    const path = join(directory(), 'large')
    const file = await open(path, 'w')
    await file.truncate(LARGE)
    await file.close()

    const demo = new Program(['demo', '--file', path, '--streams', '2'], environment())
    const [, receiver] = await demo.output('stdout', /to process (\d+)/)
    await demo.output('stdout', /large: \d+ %/)

    return [demo, Number(receiver)]
  }

  it('sends what it made, and says how that went in plain lines', async () => {
    const demo = await run(['demo', '--size', '4', '--streams', '3'], environment())

    expect(demo.stderr).to.equal('')
    expect(demo.code).to.equal(0)
    // eslint-disable-next-line no-control-regex
    expect(demo.stdout).to.not.match(/[\x00-\x09\x0b-\x1f\x7f]/)
    expect(demo.stdout).to.match(/^sending 4MiB\.bin \(4\.0 MiB\) over one stream, with 3 streams echoing beside it\n/)

    for (const row of [
      /^ {2}throughput +[\d.]+ [KMG]iB\/s \(4\.0 MiB in [\d.]+ s\)$/m,
      /^ {2}SHA-256 sent +[0-9a-f]{64}$/m,
      /^ {2}SHA-256 on disk +the same$/m,
      /^ {2}echoes +[1-9]\d* on 3 streams, \d+ of them during the transfer$/m,
      /^ {2}echo p50 \/ p99 +([\d.]+ ms|-) \/ ([\d.]+ ms|-), during the transfer$/m,
      /^ {2}window reached +\S+/m,
      /^ {2}frames +\S+ sent, \S+ received$/m,
      /^ {2}bytes +\S+ sent, \S+ received$/m
    ]) {
      expect(demo.stdout).to.match(row)
    }

    expect(demo.stdout).to.match(/\nall is right\n$/)
    await nothingLeft()
  })

  it('does the same over mplex, of which it knows no window and no round trip', async () => {
    const demo = await run(['demo', '--muxer', 'mplex', '--size', '4', '--streams', '3'], environment())

    expect(demo.stderr).to.equal('')
    expect(demo.stdout).to.include('\nmplex over noise over TCP, ')
    expect(demo.stdout).to.match(/^ {2}window reached +-$/m)
    expect(demo.stdout).to.match(/^ {2}SHA-256 on disk +the same$/m)
    expect(demo.stdout).to.match(/\nall is right\n$/)
    await nothingLeft()
  })

  it('sends a file of the user, and leaves it in place', async () => {
    const path = join(directory(), 'mine')
    await writeFile(path, 'mine')
    const demo = await run(['demo', '--file', path, '--streams', '0'], environment())

    expect(demo.code).to.equal(0)
    expect(demo.stdout).to.include('sending mine (4 B)').and.to.include('0 on 0 streams')
    await nothingLeft()
    await expect(readdir(directory())).to.eventually.include('mine')
  })

  it('says so when the file does not exist', async () => {
    const demo = await run(['demo', '--file', join(directory(), 'no')], environment())

    expect(demo.code).to.equal(1)
    expect(demo.stderr).to.match(/^libp2p-muxers: cannot read .*no: it does not exist; .*\n$/)
    await nothingLeft()
  })

  it('says so when the disk is too small', async () => {
    const demo = await run(['demo', '--size', '1048576'], environment())

    expect(demo.code).to.equal(1)
    expect(demo.stderr).to.match(/^libp2p-muxers: .*the disk is full, 2\.0 TiB are needed .*\n$/)
    await nothingLeft()
  })

  it('cleans up on Ctrl-C', async () => {
    const [demo] = await startLarge()
    demo.kill('SIGINT')

    // it ends when the other process has ended too, both have the same stderr
    await expect(demo.ended).to.eventually.deep.equal({ code: 130, signal: null })
    expect(demo.stderr).to.equal('libp2p-muxers: interrupted\n')
    await nothingLeft()
  })

  it('fails when the other process dies', async () => {
    const [demo, receiver] = await startLarge()
    process.kill(receiver, 'SIGKILL')

    await expect(demo.ended).to.eventually.have.property('code', 1)
    expect(demo.stderr).to.equal('libp2p-muxers: the receiving process ended early (killed by SIGKILL); run the demo again\n')
    await nothingLeft()
  })

  it('leaves no process and no file behind when it is killed', async () => {
    const [demo] = await startLarge()
    demo.kill('SIGKILL')

    await expect(demo.ended).to.eventually.have.property('signal', 'SIGKILL')
    await nothingLeft()
  })
})
