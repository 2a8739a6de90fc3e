import { expect } from 'aegir/chai'
import all from 'it-all'
import { pipe } from 'it-pipe'
import { pushable } from 'it-pushable'
import { pattern } from '../../support/frames.ts'
import { muxedPair, openPair } from '../../support/muxers.ts'
import { noUnhandledRejections } from '../../support/waiting.ts'
import type { Bytes } from '../../../src/interface/muxer.ts'

function joined (chunks: Bytes[]): Buffer {
  return Buffer.concat(chunks.map(chunk => chunk.subarray()))
}

describe('a stream in it-pipe', () => {
  noUnhandledRejections()

  it('may stand at the beginning, in the middle and at the end', async () => {
    const [outbound, inbound] = await openPair(muxedPair())
    const echoing = pipe(inbound, inbound)
    const received = await pipe([pattern(100), pattern(300_000)], outbound, async source => all(source))

    await echoing
    expect(Buffer.compare(joined(received), Buffer.concat([pattern(100), pattern(300_000)]))).to.equal(0)
  })

  it('goes through a transform and back into itself', async () => {
    const [outbound, inbound] = await openPair(muxedPair())

    async function * halve (source: AsyncIterable<Bytes>): AsyncGenerator<Uint8Array> {
      for await (const chunk of source) {
        yield chunk.subarray(0, chunk.byteLength / 2)
      }
    }

    const serving = pipe(inbound, halve, inbound)
    const received = await pipe([pattern(1_000)], outbound, async source => all(source))

    await serving
    expect(joined(received).byteLength).to.equal(500)
  })

  it('sends what is pushed as it comes, and ends when the source is ended', async () => {
    const [outbound, inbound] = await openPair(muxedPair())
    const source = pushable<Uint8Array>()
    const piping = pipe(source, outbound)

    source.push(pattern(10))
    expect(await inbound.read({ bytes: 10 })).to.deep.equal(pattern(10))

    source.push(pattern(20))
    source.end()
    await piping
    expect(await inbound.read({ bytes: 20 })).to.deep.equal(pattern(20))
    expect(await inbound.read()).to.be.null()
  })

  it('is reset when what is piped into it fails', async () => {
    const [outbound, inbound] = await openPair(muxedPair())

    async function * broken (): AsyncGenerator<Uint8Array> {
      yield pattern(10)
      throw new Error('the disk is on fire')
    }

    await expect(pipe(broken, outbound)).to.eventually.be.rejectedWith('the disk is on fire')
    await expect(all(inbound.source)).to.eventually.be.rejected().with.property('name', 'StreamResetError')
    expect(outbound.status).to.equal('aborted')
  })
})
