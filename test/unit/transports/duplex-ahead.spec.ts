/** What a duplex reads ahead of its reader, and what that costs. */
import { getDefaultHighWaterMark } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { StreamMessageEvent } from '@libp2p/interface'
import { expect } from 'aegir/chai'
import { Uint8ArrayList } from 'uint8arraylist'
import { toDuplex } from '../../../src/transports/node.ts'
import { noUnhandledRejections, turn, until } from '../../support/waiting.ts'
import { pattern } from './kit/bytes.ts'
import { duplexes, streamPair } from './kit/duplexes.ts'
import type { Stream } from '@libp2p/interface'
import type { Duplex } from 'node:stream'

/** A byte that a peer sent by itself: a part of all that came from its socket with it. */
function tiny (byte: number): Uint8Array {
  return new Uint8Array(65_536).fill(byte, 100, 101).subarray(100, 101)
}

function deliver (stream: Stream, data: Uint8Array | Uint8ArrayList): void {
  stream.dispatchEvent(new StreamMessageEvent(data))
}

/** The lengths of what Node is given from now on; the list grows. */
function recordPushes (duplex: Duplex): number[] {
  const pushes: number[] = []
  const push = duplex.push.bind(duplex)

  duplex.push = chunk => {
    pushes.push(chunk?.byteLength ?? 0)
    return push(chunk)
  }

  return pushes
}

function readAll (duplex: Duplex): Buffer[] {
  const chunks: Buffer[] = []

  for (let chunk = duplex.read(); chunk !== null; chunk = duplex.read()) {
    chunks.push(chunk)
  }

  return chunks
}

describe('what a duplex has read ahead', () => {
  noUnhandledRejections()

  it('costs no more memory than its bytes, and a few pieces, however it came', async () => {
    const { inbound, remote } = await duplexes()
    const pushes = recordPushes(remote)

    remote.on('readable', () => {})
    await turn()

    for (let i = 0; i < 1_000; i++) {
      deliver(inbound, tiny(i))
    }

    expect(remote.readableLength).to.equal(1_000)
    await turn()
    expect(pushes).to.deep.equal([1])

    const chunks = readAll(remote)
    const kept = new Set(chunks.map(chunk => chunk.buffer))

    expect(Buffer.concat(chunks)).to.equalBytes(Uint8Array.from({ length: 1_000 }, (_, i) => i))
    expect(chunks).to.have.lengthOf.below(20)
    expect(Array.from(kept).reduce((sum, { byteLength }) => sum + byteLength, 0)).to.be.below(4_000)
    remote.destroy()
  })

  it('stays joined while a reader waits for more bytes than there are', async () => {
    const { inbound, remote } = await duplexes()
    const pushes = recordPushes(remote)

    remote.on('readable', () => {})
    await turn()
    deliver(inbound, tiny(0))
    expect(remote.read(1_000)).to.be.null()

    for (let i = 1; i < 1_010; i++) {
      deliver(inbound, tiny(i))

      if (i % 100 === 0) {
        await turn()
      }
    }

    expect(remote.read(1_000)).to.equalBytes(Uint8Array.from({ length: 1_000 }, (_, i) => i))
    expect(pushes).to.have.lengthOf.below(50)
    expect(readAll(remote).reduce((sum, { byteLength }) => sum + byteLength, 0)).to.equal(10)
    remote.destroy()
  })

  it('is there for a reader that waited for more, and wants less', async () => {
    const { inbound, remote } = await duplexes()

    remote.on('readable', () => {})
    await turn()
    deliver(inbound, tiny(0))
    expect(remote.read(1_000)).to.be.null()
    deliver(inbound, tiny(1))
    deliver(inbound, tiny(2))
    expect(remote.readableLength).to.equal(3)
    expect(remote.read(2)).to.equalBytes([0, 1])
    expect(remote.read()).to.equalBytes([2])
    remote.destroy()
  })

  it('is there before the end, for a reader that waits for more', async () => {
    const { inbound, outbound, remote } = await duplexes()

    remote.on('readable', () => {})
    await turn()
    deliver(inbound, tiny(0))
    expect(remote.read(1_000)).to.be.null()
    deliver(inbound, tiny(1))
    deliver(inbound, tiny(2))
    await outbound.close()
    await until(() => remote.readableLength === 3 && inbound.remoteWriteStatus === 'closed')
    await turn()
    expect(remote.read(1_000)).to.equalBytes([0, 1, 2])
    remote.destroy()
  })

  it('goes to a reader that waits for more than the high-water mark', async () => {
    const { outbound, inbound } = await streamPair()
    const duplex = toDuplex(inbound, { readableHighWaterMark: 1_000 })
    const bytes = pattern(100_000)
    let got: Buffer | null = null

    duplex.on('readable', () => {
      got ??= duplex.read(bytes.byteLength)
    })
    outbound.send(bytes)
    await until(() => got !== null)
    expect(got).to.equalBytes(bytes)
    duplex.destroy()
  })

  it('goes on when what flowed was paused amid a piece', async () => {
    const { outbound, inbound } = await streamPair()
    const duplex = toDuplex(inbound, { readableHighWaterMark: 0 })
    const bytes = pattern(300_000)

    duplex.on('data', () => {
      duplex.pause()
      queueMicrotask(() => { duplex.resume() })
    })
    outbound.send(bytes)
    outbound.close().catch(() => {})
    expect(await buffer(duplex)).to.equalBytes(bytes)
    duplex.destroy()
  })

  it('flows joined, where many small pieces came together', async () => {
    const { inbound, remote } = await duplexes()
    const lengths: number[] = []

    remote.on('data', chunk => {
      lengths.push(chunk.byteLength)
    })
    await turn()
    deliver(inbound, Uint8ArrayList.fromUint8Arrays([...Array.from({ length: 1_000 }, (_, i) => tiny(i)), new Uint8Array(0)]))
    expect(lengths).to.have.lengthOf.below(20)
    expect(lengths.reduce((sum, length) => sum + length, 0)).to.equal(1_000)
    remote.destroy()
  })

  it('is let go of with the duplex', async () => {
    const { inbound, remote } = await duplexes()

    remote.on('readable', () => {})
    await turn()
    deliver(inbound, tiny(0))
    deliver(inbound, tiny(1))
    remote.destroy()
    expect(remote.readableLength).to.equal(1)
  })

  it('has the mark that was asked for, which must make sense', async () => {
    const { inbound } = await streamPair()
    const duplex = toDuplex(inbound)

    expect(duplex.readableHighWaterMark).to.equal(getDefaultHighWaterMark(false))
    duplex.destroy()

    const { outbound } = await streamPair()
    const other = toDuplex(outbound, { readableHighWaterMark: 1_000 })

    expect(other.readableHighWaterMark).to.equal(1_000)
    other.destroy()

    for (const readableHighWaterMark of [-1, NaN]) {
      expect(() => toDuplex(outbound, { readableHighWaterMark })).to.throw().with.property('code', 'ERR_INVALID_ARG_VALUE')
    }
  })
})
