import { expect } from 'aegir/chai'
import { Token } from '../../src/core/decoder.ts'
import { Output } from '../../src/core/output.ts'
import { Decoder } from '../../src/protocols/yamux/decoder.ts'
import { writeHeader } from '../../src/protocols/yamux/encoder.ts'
import { frame, fromHex, hex, join, lineOf, parseFrames } from '../support/frames.ts'
import { readText } from '../support/repository.ts'
import type { Frame } from '../support/frames.ts'

interface Vector {
  name: string

  /** Who says so, or who sends it. */
  origin: string
  means: string
  hex: string

  /** Each frame as `lineOf` shows it, and its body in hex. */
  frames: Array<[string, string]>

  /** We send such bytes ourselves. */
  ours?: boolean
}

const VECTORS: Vector[] = JSON.parse(readText('test', 'vectors', 'yamux.json'))

/** What our decoder finds, given the bytes in these pieces. */
function decode (pieces: Uint8Array[]): Frame[] {
  const decoder = new Decoder()
  const frames: Frame[] = []

  for (const piece of pieces) {
    decoder.push(piece)

    for (let token = decoder.next(); token !== Token.needMore; token = decoder.next()) {
      if (token === Token.header) {
        const { version, type, flags, streamId, length } = decoder

        frames.push({ version, type, flags, streamId, length, body: new Uint8Array(0) })
      } else {
        const last = frames[frames.length - 1]

        last.body = join(last.body, decoder.payload)
      }
    }
  }

  expect(decoder.incomplete).to.be.false()

  return frames
}

function show (frames: Frame[]): Array<[string, string]> {
  return frames.map(frame => [lineOf(frame), hex(frame.body)])
}

describe('vectors: yamux', () => {
  for (const vector of VECTORS) {
    describe(vector.name, () => {
      const bytes = fromHex(vector.hex)

      it('is decoded whole', () => {
        expect(show(decode([bytes]))).to.deep.equal(vector.frames)
      })

      it('is decoded when it is cut at any byte', () => {
        for (let cut = 0; cut <= bytes.byteLength; cut++) {
          expect(show(decode([bytes.subarray(0, cut), bytes.subarray(cut)]))).to.deep.equal(vector.frames)
        }
      })

      it('is decoded byte by byte', () => {
        expect(show(decode(Array.from(bytes, byte => Uint8Array.of(byte))))).to.deep.equal(vector.frames)
      })

      it('is decoded with other frames before and after it', () => {
        const other = frame({ type: 0, streamId: 9, body: Uint8Array.of(1, 2, 3) })
        const line: [string, string] = ['data 9 3', '010203']

        expect(show(decode([join(other, bytes, other)]))).to.deep.equal([line, ...vector.frames, line])
      })

      it('is what the tests\' own reader and writer of frames make of it', () => {
        const frames = parseFrames(bytes)

        expect(show(frames)).to.deep.equal(vector.frames)
        expect(hex(join(...frames.map(frame)))).to.equal(hex(bytes))
      })

      if (vector.ours === true) {
        it('is made by our encoder, byte for byte', () => {
          const output = new Output()

          for (const { type, flags, streamId, length, body } of parseFrames(bytes)) {
            writeHeader(output, type, flags, streamId, length)
            output.append(body)
          }

          expect(hex(join(...output.take()))).to.equal(hex(bytes))
        })
      }
    })
  }
})
