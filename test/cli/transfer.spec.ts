import { createHash } from 'node:crypto'
import { appendFileSync, truncateSync } from 'node:fs'
import { mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { streamPair } from '@libp2p/utils'
import { expect } from 'aegir/chai'
import { ByteReader } from '../../src/cli/byte-reader.ts'
import { EchoLoad, handleEcho } from '../../src/cli/echo.ts'
import { decodeHeader, decodeReceipt, encodeHeader, encodeReceipt, MAX_HEADER_LENGTH, MAX_RECEIPT_LENGTH } from '../../src/cli/file-protocol.ts'
import { pseudoRandom } from '../../src/cli/generate.ts'
import { receiveFile, refuseFile } from '../../src/cli/receive-file.ts'
import { openSource, sendFile } from '../../src/cli/send-file.ts'
import { useDirectory } from './program.ts'
import type { Receipt } from '../../src/cli/file-protocol.ts'
import type { ReceivedFile, ReceiveOptions } from '../../src/cli/receive-file.ts'
import type { SendOptions, SentFile, Source } from '../../src/cli/send-file.ts'
import type { Stream } from '@libp2p/interface'

const SIZE = 3 * 1024 * 1024 + 7

describe('cli/transfer', () => {
  const directory = useDirectory()
  let contents: Buffer
  let sha256: string
  let path: string
  let out: string
  let source: Source
  let near: Stream
  let far: Stream

  before(() => {
    contents = Buffer.concat([...pseudoRandom(SIZE)])
    sha256 = createHash('sha256').update(contents).digest('hex')
  })

  beforeEach(async () => {
    path = join(directory(), 'big.bin')
    out = join(directory(), 'out')
    await writeFile(path, contents)
    await mkdir(out)
    source = await openSource(path)

    // the streams hold all of the file: what is tested here are the two ends
    const options = { maxReadBufferLength: 2 * SIZE }
    ;[near, far] = await streamPair({ inbound: options, outbound: options })
  })

  afterEach(async () => {
    await source.file.close()
    near.abort(new Error('over'))
    far.abort(new Error('over'))
  })

  async function both (sending: SendOptions = {}, receiving: Partial<ReceiveOptions> = {}): Promise<[PromiseSettledResult<SentFile>, PromiseSettledResult<ReceivedFile>]> {
    return Promise.allSettled([
      sendFile(near, source, sending),
      receiveFile(far, { directory: out, ...receiving })
    ])
  }

  function reasonOf (result: PromiseSettledResult<unknown>): Error {
    expect(result).to.have.property('status', 'rejected')

    return (result as PromiseRejectedResult).reason
  }

  async function receiptOn (stream: Stream): Promise<Receipt> {
    return decodeReceipt(await new ByteReader(stream).message(MAX_RECEIPT_LENGTH, 'receipt'))
  }

  async function nothingKept (): Promise<void> {
    await expect(readdir(out)).to.eventually.be.empty()
  }

  async function bringOver (rehash: boolean): Promise<void> {
    const sent: number[] = []
    const received: number[] = []
    const results = await both(
      { onProgress: bytes => { sent.push(bytes) } },
      { rehash, onProgress: bytes => { received.push(bytes) } }
    )

    expect(results[0]).to.have.nested.property('value.storedAs', 'big.bin')
    expect(results[0]).to.have.nested.property('value.sha256', sha256)
    expect(results[1]).to.have.nested.property('value.sha256', sha256)
    expect(results[1]).to.have.nested.property('value.size', SIZE)
    expect(sent.at(-1)).to.equal(SIZE)
    expect(received.at(-1)).to.equal(SIZE)
    await expect(readdir(out)).to.eventually.deep.equal(['big.bin'])
    expect((await readFile(join(out, 'big.bin'))).equals(contents)).to.be.true()
  }

  async function refuseHeader (header: Uint8Array): Promise<string> {
    near.send(header)

    const [receipt, received] = await Promise.allSettled([
      // a sender that is refused stops
      receiptOn(near).finally(() => { near.abort(new Error('refused')) }),
      receiveFile(far, { directory: out })
    ])

    expect(reasonOf(received)).to.have.property('name', 'FileProtocolError')
    expect(receipt).to.have.nested.property('value.ok', false)
    await nothingKept()
    await expect(readdir(directory())).to.eventually.have.members(['big.bin', 'out'])

    return (receipt as any).value.reason
  }

  it('brings a file over whole', async () => {
    await bringOver(false)
  })

  it('brings a file over whole, and reads it back from the disk', async () => {
    await bringOver(true)
  })

  it('brings an empty file over', async () => {
    await source.file.close()
    await writeFile(join(directory(), 'empty'), '')
    source = await openSource(join(directory(), 'empty'))

    const results = await both()

    expect(results[0]).to.have.nested.property('value.storedAs', 'empty')
    await expect(readFile(join(out, 'empty'), 'utf8')).to.eventually.equal('')
  })

  it('leaves a file of the same name alone', async () => {
    await writeFile(join(out, 'big.bin'), 'mine')

    const results = await both()

    expect(results[0]).to.have.nested.property('value.storedAs', 'big (1).bin')
    expect(results[1]).to.have.nested.property('value.name', 'big (1).bin')
    await expect(readFile(join(out, 'big.bin'), 'utf8')).to.eventually.equal('mine')
  })

  it('tells both sides when the disk is full, and keeps nothing', async () => {
    let room = SIZE / 2

    const [sent, received] = await both({}, {
      async open (path) {
        const file = await open(path, 'wx')

        return {
          async writev (views) {
            const length = views.reduce((sum, { byteLength }) => sum + byteLength, 0)

            if (length > room) {
              throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
            }

            room -= length

            return file.writev(views)
          },
          sync: async () => file.sync(),
          close: async () => file.close()
        }
      }
    })

    expect(reasonOf(received).message).to.equal(`cannot write to ${out}: the disk is full; free some space or choose another directory`)
    expect(reasonOf(sent).message).to.equal('the receiver did not keep the file: the disk of the receiver is full')
    await nothingKept()
  })

  it('tells both sides when the disk is full at the very end', async () => {
    const [sent, received] = await both({}, {
      async open (path) {
        const file = await open(path, 'wx')

        return {
          writev: async views => file.writev(views),
          async sync () {
            throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
          },
          close: async () => file.close()
        }
      }
    })

    expect(reasonOf(received).message).to.include('the disk is full')
    expect(reasonOf(sent).message).to.include('the disk of the receiver is full')
    await nothingKept()
  })

  it('refuses a file that cannot fit before it travels', async () => {
    near.send(encodeHeader({ name: 'huge', size: Number.MAX_SAFE_INTEGER }))

    const [receipt, received] = await Promise.allSettled([
      receiptOn(near).finally(() => { near.abort(new Error('refused')) }),
      receiveFile(far, { directory: out })
    ])

    expect(receipt).to.have.deep.property('value', { ok: false, reason: 'the disk of the receiver is full' })
    expect(reasonOf(received).message).to.include('8.0 PiB are needed')
    await nothingKept()
  })

  it('sends nothing from a file that grows meanwhile', async () => {
    let grown = false

    const [sent, received] = await both({
      onProgress: () => {
        if (!grown) {
          grown = true
          appendFileSync(path, 'more')
        }
      }
    })

    expect(reasonOf(sent).message).to.include(`cannot send ${path}: it changed while it was being sent (from ${SIZE} to ${SIZE + 4} bytes)`)
    expect(reasonOf(received)).to.have.property('name', 'PeerGoneError')
    await nothingKept()
  })

  it('sends nothing from a file that shrinks meanwhile', async () => {
    const [sent, received] = await both({ onProgress: () => { truncateSync(path, 10) } })

    expect(reasonOf(sent).message).to.include('it changed while it was being sent')
    expect(reasonOf(received)).to.have.property('name', 'PeerGoneError')
    await nothingKept()
  })

  it('keeps nothing when the sender goes away', async () => {
    const receiving = receiveFile(far, {
      directory: out,
      onProgress: () => { near.abort(new Error('gone')) }
    })

    near.send(encodeHeader({ name: 'f', size: 2 * SIZE }))
    near.send(contents)

    await expect(receiving).to.eventually.be.rejectedWith(/^the sender of f went away after .* of 6\.0 MiB; nothing was kept/)
    await nothingKept()
  })

  it('keeps nothing when the sender ends too early', async () => {
    near.send(encodeHeader({ name: 'f', size: 2 * SIZE }))
    near.send(contents)

    const [, received] = await Promise.allSettled([near.close(), receiveFile(far, { directory: out })])

    expect(reasonOf(received)).to.have.property('name', 'PeerGoneError')
    await nothingKept()
  })

  it('fails when the receiver goes away', async () => {
    const sending = sendFile(near, source)

    await new ByteReader(far).exactly(100_000)
    far.abort(new Error('gone'))

    await expect(sending).to.eventually.be.rejected.with.property('name', 'PeerGoneError')
  })

  it('does not call a file sent that was not confirmed', async () => {
    const sending = sendFile(near, source)
    const reader = new ByteReader(far)

    while (await reader.some(Infinity) != null) {
      // take all of it
    }

    await Promise.allSettled([
      far.close(),
      expect(sending).to.eventually.be.rejectedWith('the receiver went away before it confirmed the file')
    ])
  })

  it('gives up a sender that stalls', async () => {
    near.send(encodeHeader({ name: 'f', size: 10 }))

    await expect(receiveFile(far, { directory: out, idleMillis: 20 })).to.eventually.be.rejected.with.property('name', 'StalledError')
    await nothingKept()
  })

  it('gives up a sender that never says what it sends', async () => {
    await expect(receiveFile(far, { directory: out, headerMillis: 20 })).to.eventually.be.rejectedWith('it sent no header')
    await nothingKept()
  })

  it('gives up a receiver that never confirms', async () => {
    await expect(sendFile(near, source, { receiptMillis: 20 })).to.eventually.be.rejectedWith('it did not confirm the file')
  })

  it('stops on both sides when it is interrupted', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const [sent, received] = await both({}, {
      signal: controller.signal,
      onProgress: () => { controller.abort(reason) }
    })

    expect(reasonOf(received)).to.equal(reason)
    expect(reasonOf(sent)).to.have.property('name', 'PeerGoneError')
    await nothingKept()
  })

  it('does not begin when it is interrupted before', async () => {
    await expect(sendFile(near, source, { signal: AbortSignal.abort(new Error('enough')) })).to.eventually.be.rejectedWith('enough')
  })

  it('keeps nothing whose hash differs', async () => {
    for (const rehash of [false, true]) {
      const [near, far] = await streamPair()

      near.send(encodeHeader({ name: 'f', size: 3 }))
      near.send(new Uint8Array(3 + 32))
      void near.close()

      const [receipt, received] = await Promise.allSettled([receiptOn(near), receiveFile(far, { directory: out, rehash })])

      expect(receipt).to.have.nested.property('value.reason').that.includes('arrived damaged')
      expect(reasonOf(received).message).to.include('SHA-256 differs')
      await nothingKept()
    }
  })

  it('keeps nothing that is followed by more', async () => {
    near.send(encodeHeader({ name: 'f', size: 3 }))
    near.send(new Uint8Array(3))
    near.send(createHash('sha256').update(new Uint8Array(3)).digest())
    near.send(new Uint8Array(1))

    const [receipt, received] = await Promise.allSettled([
      receiptOn(near).finally(() => { near.abort(new Error('refused')) }),
      receiveFile(far, { directory: out })
    ])

    expect(receipt).to.have.nested.property('value.reason', 'the sender sent more than it announced')
    expect(reasonOf(received)).to.have.property('name', 'FileProtocolError')
    await nothingKept()
  })

  for (const name of ['../escape', '/etc/passwd', '..', '', '.npmrc', 'a\0b', 'a\x1b[2J', 'x'.repeat(300)]) {
    it(`refuses the name ${JSON.stringify(name.slice(0, 12))}`, async () => {
      const header = Buffer.from(JSON.stringify({ name, size: 0 }))

      await expect(refuseHeader(Buffer.concat([Buffer.from([header.byteLength >> 8, header.byteLength & 0xff]), header]))).to.eventually.match(/^the file name /)
    })
  }

  it('refuses a header that announces too much', async () => {
    await expect(refuseHeader(new Uint8Array([0xff, 0xff]))).to.eventually.include('announces 65535 bytes')
  })

  it('hears a refusal while it is still sending', async () => {
    const [sent] = await Promise.allSettled([sendFile(near, source), refuseFile(far, 'busy')])

    expect(reasonOf(sent)).to.have.property('message', 'the receiver did not keep the file: busy')
  })

  it('does not trust a receipt that is not one', async () => {
    const sending = sendFile(near, source)
    const reader = new ByteReader(far)

    expect(decodeHeader(await reader.message(MAX_HEADER_LENGTH, 'header'))).to.deep.equal({ name: 'big.bin', size: SIZE })
    far.send(new Uint8Array([0, 2, 0x7b, 0x7d]))

    while (await reader.some(Infinity).catch(() => {}) != null) {
      // take all of it
    }

    await expect(sending).to.eventually.be.rejectedWith('the receipt is not one of ours')
  })

  it('cannot be made to print escape sequences by the receiver', async () => {
    const [sent] = await Promise.allSettled([
      sendFile(near, source),
      (async () => {
        far.send(encodeReceipt({ ok: false, reason: 'x\x1b[31m\ny' }))
      })()
    ])

    expect(reasonOf(sent).message).to.equal('the receiver did not keep the file: x\ufffd[31m y')
  })

  describe('sources', () => {
    it('must exist', async () => {
      await expect(openSource(join(directory(), 'no'))).to.eventually.be.rejectedWith('it does not exist')
    })

    it('must not be directories', async () => {
      await expect(openSource(directory())).to.eventually.be.rejectedWith('it is a directory')
    })

    it('must not be devices', async () => {
      await expect(openSource('/dev/null')).to.eventually.be.rejectedWith('not a file')
    })

    it('must have a name that the receiver can use', async () => {
      await writeFile(join(directory(), '.hidden'), '')
      await expect(openSource(join(directory(), '.hidden'))).to.eventually.be.rejectedWith('begins with a dot')
    })
  })

  describe('echoes', () => {
    it('come back and are measured', async () => {
      const echoing = handleEcho(far)
      const load = new EchoLoad([near], new AbortController().signal, err => { throw err })
      load.measure(true)
      // the first answer comes in a later turn
      await new Promise<void>(resolve => {
        let answers = 0

        near.addEventListener('message', () => {
          if (++answers === 3) {
            resolve()
          }
        })
      })

      const result = await load.stop()

      expect(result.count).to.be.at.least(3)
      expect(result.measured).to.be.at.least(2)
      expect(result.p50).to.be.greaterThan(0)
      expect(result.p99).to.be.at.least(result.p50 ?? Infinity)
      await echoing
      expect(far.status).to.equal('closed')
    })

    it('are refused when they come back different', async () => {
      far.addEventListener('message', ({ data }) => {
        const bytes = data.subarray().slice()
        bytes[63] ^= 1
        far.send(bytes)
      })

      const failure = await new Promise<Error>(resolve => {
        // eslint-disable-next-line no-new
        new EchoLoad([near], new AbortController().signal, resolve)
      })

      expect(failure.message).to.equal('echo 0 on stream 0 came back different')
    })

    it('fail when the stream breaks', async () => {
      const failing = new Promise<Error>(resolve => {
        // eslint-disable-next-line no-new
        new EchoLoad([near], new AbortController().signal, resolve)
      })

      far.abort(new Error('gone'))

      expect(await failing).to.have.property('message', 'an echo stream broke off')
    })
  })
})
