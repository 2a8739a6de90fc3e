import { expect } from 'aegir/chai'
import { Token } from '../../src/core/decoder.ts'
import { Output } from '../../src/core/output.ts'
import { Decoder } from '../../src/protocols/mplex/decoder.ts'
import { writeHeader } from '../../src/protocols/mplex/encoder.ts'
import { fromHex, hex, join } from '../support/frames.ts'
import { MessageReader, message, messageLine } from '../support/mplex-frames.ts'
import { readText } from '../support/repository.ts'
import type { Message } from '../support/mplex-frames.ts'

interface Vector {
  name: string

  /** Who says so, or who sends it. */
  origin: string
  hex: string

  /** Each message as `messageLine` shows it. */
  messages: string[]

  /** We send such bytes ourselves. */
  ours?: boolean
}

const VECTORS: Vector[] = JSON.parse(readText('test', 'vectors', 'mplex.json'))

/** What our decoder finds, given the bytes in these pieces. */
function decode (pieces: Uint8Array[]): Message[] {
  const decoder = new Decoder()
  const messages: Message[] = []

  for (const piece of pieces) {
    decoder.push(piece)

    for (let token = decoder.next(); token !== Token.needMore; token = decoder.next()) {
      expect(token, decoder.fault).to.not.equal(Token.malformed)

      if (token === Token.header) {
        messages.push({ flag: decoder.flag, id: decoder.id, body: new Uint8Array(0) })
      } else {
        const last = messages[messages.length - 1]

        last.body = join(last.body, decoder.payload)
      }
    }
  }

  expect(decoder.incomplete).to.be.false()

  return messages
}

describe('vectors: mplex', () => {
  for (const vector of VECTORS) {
    describe(vector.name, () => {
      const bytes = fromHex(vector.hex)
      const messages = new MessageReader().push(bytes)

      it('is decoded whole', () => {
        expect(decode([bytes])).to.deep.equal(messages)
      })

      it('is decoded when it is cut at any byte', () => {
        for (let cut = 0; cut <= bytes.byteLength; cut++) {
          expect(decode([bytes.subarray(0, cut), bytes.subarray(cut)])).to.deep.equal(messages)
        }
      })

      it('is decoded byte by byte', () => {
        expect(decode(Array.from(bytes, byte => Uint8Array.of(byte)))).to.deep.equal(messages)
      })

      it('is decoded with other messages before and after it', () => {
        const other = message(1, 9, 3)
        const [read] = new MessageReader().push(other)

        expect(decode([join(other, bytes, other)])).to.deep.equal([read, ...messages, read])
      })

      it('is what the tests\' own reader and writer of messages make of it', () => {
        expect(messages.map(messageLine)).to.deep.equal(vector.messages)
        expect(hex(join(...messages.map(({ flag, id, body }) => message(flag, id, body))))).to.equal(hex(bytes))
      })

      if (vector.ours === true) {
        it('is made by our encoder, byte for byte', () => {
          const output = new Output()

          for (const { flag, id, body } of messages) {
            writeHeader(output, flag, id, body.byteLength)
            output.append(body)
          }

          expect(hex(join(...output.take()))).to.equal(hex(bytes))
        })
      }
    })
  }
})
