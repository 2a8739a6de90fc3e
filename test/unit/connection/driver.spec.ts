import { StreamMessageEvent } from '@libp2p/interface'
import { expect } from 'aegir/chai'
import { Uint8ArrayList } from 'uint8arraylist'
import { mplex } from '../../../src/mplex.ts'
import { data, lineOf, parseFrames, pattern } from '../../support/frames.ts'
import { memoryLink } from '../../support/memory-link.ts'
import { muxedPair, openPair } from '../../support/muxers.ts'
import { noUnhandledRejections, turn } from '../../support/waiting.ts'
import type { MemoryEnd } from '../../support/memory-link.ts'

/** The frames of each call of `send()` from the `first` on. */
function sent (end: MemoryEnd, first: number): string[][] {
  return end.sends.slice(first).map(buffers => parseFrames(...buffers).map(lineOf))
}

describe('connection: when frames are made', () => {
  noUnhandledRejections()

  it('sends what listeners answer to a delivery before the delivery returns', async () => {
    const pair = muxedPair()
    const end = pair.link.inbound
    const [outbound, inbound] = await openPair(pair)

    inbound.addEventListener('message', event => {
      inbound.send(event.data)
      inbound.send(event.data)
    })
    await turn()

    const before = end.sendCalls

    end.dispatchEvent(new StreamMessageEvent(data(Number(outbound.id), pattern(3))))
    expect(sent(end, before)).to.have.lengthOf(1)
  })

  it('sends what is answered to further deliveries of the same turn together, a microtask later', async () => {
    const pair = muxedPair()
    const end = pair.link.inbound
    const [outbound, inbound] = await openPair(pair)
    const message = data(Number(outbound.id), pattern(3))

    inbound.addEventListener('message', event => { inbound.send(event.data) })
    await turn()

    const before = end.sendCalls

    for (let i = 0; i < 5; i++) {
      end.dispatchEvent(new StreamMessageEvent(message))
    }

    expect(sent(end, before)).to.have.lengthOf(1)
    await turn()
    expect(sent(end, before).map(frames => frames.length)).to.deep.equal([1, 4])
  })

  it('hands over nothing of a large buffer, which whoever keeps a slice of it would keep', async () => {
    const pair = muxedPair()
    const [outbound, inbound] = await openPair(pair)
    const frame = data(Number(outbound.id), pattern(40_000))
    const received: Array<Uint8Array | Uint8ArrayList> = []

    inbound.addEventListener('message', event => { received.push(event.data) })
    await turn()

    // in part of a large message, and in one that is a slice of a large buffer
    const message = new Uint8Array(524_288)

    message.set(frame)
    message.set(data(999, pattern(message.byteLength - frame.byteLength - 12)), frame.byteLength)
    pair.link.inbound.dispatchEvent(new StreamMessageEvent(message))
    pair.link.inbound.dispatchEvent(new StreamMessageEvent(message.subarray(0, frame.byteLength)))
    expect(new Uint8ArrayList(...received).subarray()).to.equalBytes(new Uint8ArrayList(pattern(40_000), pattern(40_000)).subarray())

    for (const bytes of received) {
      expect((bytes as Uint8Array).buffer.byteLength).to.be.at.most(131_072)
    }
  })

  it('lets others have their turn while an application writes whenever it may, over a connection that takes all at once', async () => {
    const muxer = mplex()().createStreamMuxer(memoryLink({ record: false, manual: true }).outbound)
    const stream = await muxer.createStream()
    const message = new Uint8Array(65_536)
    const test = { over: false }
    let writes = 0

    const write = (): void => {
      let more = true

      // a test that no longer gets its turn cannot fail by itself: there is an end to it
      while (more && !test.over && writes < 5_000) {
        more = stream.send(message)
        writes++
      }
    }

    stream.addEventListener('drain', write)
    write()
    await new Promise(resolve => { setTimeout(resolve, 0) })
    test.over = true
    expect(writes).to.be.greaterThan(64)
    expect(writes).to.be.lessThan(5_000)
    muxer.abort(new Error('the test is over'))
  })
})
