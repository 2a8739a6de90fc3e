import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { Token } from '../../src/core/decoder.ts'
import { Output } from '../../src/core/output.ts'
import { Decoder } from '../../src/protocols/yamux/decoder.ts'
import { writeHeader } from '../../src/protocols/yamux/encoder.ts'
import { cut, cuts, piece, runs, sequence, u32 } from '../support/arbitraries.ts'
import { DATA, HEADER_BYTES, PING, WINDOW_UPDATE, GO_AWAY, join } from '../support/frames.ts'

interface AnyFrame {
  type: number
  flags: number
  streamId: number
  length: number
  body: Uint8Array
}

const flags = fc.integer({ min: 0, max: 0xffff })

const frame: fc.Arbitrary<AnyFrame> = fc.oneof(
  fc.record({ type: fc.constantFrom(WINDOW_UPDATE, PING, GO_AWAY), flags, streamId: u32, length: u32, body: fc.constant(new Uint8Array(0)) }),
  fc.record({ type: fc.constant(DATA), flags, streamId: u32, body: fc.oneof(piece, fc.constant(new Uint8Array(0))) })
    .map(fields => ({ ...fields, length: fields.body.byteLength }))
)

function encode (frames: AnyFrame[]): Uint8Array {
  const output = new Output()

  for (const { type, flags, streamId, length, body } of frames) {
    writeHeader(output, type, flags, streamId, length)
    output.append(body)
  }

  return join(...output.take())
}

describe('property: yamux decoder', () => {
  it('reads what the encoder wrote, wherever it is cut', () => {
    fc.assert(fc.property(sequence(frame, 20), cuts, (frames, lengths) => {
      const decoder = new Decoder()
      const bytes = encode(frames)
      const boundaries = new Set([0])
      const read: Array<Omit<AnyFrame, 'body'> & { pieces: Uint8Array[] }> = []
      let end = 0
      let given = 0

      for (const { body } of frames) {
        end += HEADER_BYTES + body.byteLength
        boundaries.add(end)
      }

      for (const bytesNow of cut(bytes, lengths)) {
        decoder.push(bytesNow)
        given += bytesNow.byteLength

        for (let token = decoder.next(); token !== Token.needMore; token = decoder.next()) {
          if (token === Token.header) {
            const { type, flags, streamId, length, version } = decoder

            expect(version).to.equal(0)
            read.push({ type, flags, streamId, length, pieces: [] })
          } else {
            expect(decoder.payload.buffer, 'copied').to.equal(bytes.buffer)
            read[read.length - 1].pieces.push(decoder.payload)
          }
        }

        expect(decoder.incomplete).to.equal(!boundaries.has(given))
      }

      expect(read.map(({ pieces, ...fields }) => ({ ...fields, body: join(...pieces) }))).to.deep.equal(frames)
    }), runs(150))
  })

  it('throws for no bytes at all, gives nothing that it was not given, and ends', () => {
    fc.assert(fc.property(sequence(fc.uint8Array({ maxLength: 200 }), 20), chunks => {
      const decoder = new Decoder()
      let given = 0
      let used = 0

      for (const chunk of chunks) {
        decoder.push(chunk)
        given += chunk.byteLength

        for (let token = decoder.next(); token !== Token.needMore; token = decoder.next()) {
          used += token === Token.header ? HEADER_BYTES : decoder.payload.byteLength
          expect(used).to.be.at.most(given)
          expect(decoder.payload.byteLength).to.be.at.most(chunk.byteLength)
          expect(decoder.streamId).to.be.within(0, 2 ** 32 - 1)
          expect(decoder.length).to.be.within(0, 2 ** 32 - 1)
        }

        // less than a header may be kept back
        expect(given - used).to.be.below(HEADER_BYTES)
        expect(decoder.incomplete).to.equal(given > used || decoder.bodyLeft > 0)
      }
    }), runs(150))
  })
})
