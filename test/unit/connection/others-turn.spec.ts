import { expect } from 'aegir/chai'
import { muxedPair, openPair } from '../../support/muxers.ts'
import { noUnhandledRejections, turn } from '../../support/waiting.ts'
import type { MuxedStream } from '../../../src/connection/stream.ts'
import type { Bytes } from '../../../src/interface/muxer.ts'

const MESSAGE = 8
const MESSAGES = 20_000

/** Reads a message of what came, and puts back the rest, as libp2p invites to. */
function parse (stream: MuxedStream, data: Bytes): void {
  if (data.byteLength > MESSAGE) {
    stream.unshift(data.subarray(MESSAGE))
  }
}

describe('connection: the turn of others', () => {
  noUnhandledRejections()

  const readers: Array<[string, (stream: MuxedStream) => Promise<number>]> = [
    ['reads what is here', async stream => {
      let count = 0

      for (let data = await stream.read(); data !== null; data = await stream.read()) {
        parse(stream, data)
        count++
      }

      return count
    }],
    ['iterates over what is here', async stream => {
      let count = 0

      for await (const data of stream) {
        parse(stream, data)
        count++
      }

      return count
    }],
    ['reads so many bytes at a time', async stream => {
      let count = 0

      while (count < MESSAGES) {
        await stream.read({ bytes: MESSAGE })
        count++
      }

      return count
    }]
  ]

  for (const [what, read] of readers) {
    it(`comes again and again while an application ${what}`, async () => {
      const pair = muxedPair()
      const [outbound, inbound] = await openPair(pair)
      let turns = 0
      let reading = true

      outbound.send(new Uint8Array(MESSAGE * MESSAGES))
      await outbound.close()
      await turn()
      expect(inbound.readBufferLength).to.equal(MESSAGE * MESSAGES)

      const countTurns = (): void => {
        turns++

        if (reading) {
          setImmediate(countTurns)
        }
      }

      setImmediate(countTurns)
      // one may be torn between two pieces
      expect(await read(inbound)).to.be.at.least(MESSAGES)
      reading = false
      expect(turns).to.be.at.least(4)
      pair.dialer.abort(new Error('the test is over'))
    })
  }
})
