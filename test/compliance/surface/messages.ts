/** Messages with their length in front. */
import { expect } from 'aegir/chai'
import { outcomeOf } from '../../support/waiting.ts'
import { bytesOf, encode, failureOf, pairs, readAll, streamPair, text } from './kit.ts'
import type { SurfaceSetup } from './kit.ts'

export function messages (setup: SurfaceSetup): void {
  const connect = pairs(setup)

  describe('length-prefixed messages', () => {
    for (const size of [0, 1, 127, 128, 16_384, 65_536]) {
      it(`of ${size} bytes arrive whole`, async () => {
        const [ours, theirs] = await streamPair(await connect())

        await ours.writeLengthPrefixed(bytesOf(size))
        await ours.writeLengthPrefixed(encode('next'))
        expect(Buffer.compare(await theirs.readLengthPrefixed() as Uint8Array, bytesOf(size))).to.equal(0)
        expect(text(await theirs.readLengthPrefixed())).to.equal('next')
      })
    }

    it('have their length in front of them as an unsigned varint', async () => {
      const [ours, theirs] = await streamPair(await connect())

      await ours.writeLengthPrefixed(bytesOf(300))
      expect([...await theirs.read({ bytes: 2 })]).to.deep.equal([0xac, 0x02])
      expect(await theirs.read({ bytes: 300 })).to.have.lengthOf(300)
    })

    it('that are too long are judged by their prefix, and can be read with more room', async () => {
      const [ours, theirs] = await streamPair(await connect())

      // the message itself is not sent yet
      await ours.write(Uint8Array.of(0x81, 0x80, 0x04))
      expect(await failureOf(theirs.readLengthPrefixed())).to.include({ name: 'InvalidDataLengthError', size: 65_537, maxSize: 65_536 })
      expect(await failureOf(theirs.readLengthPrefixed({ maxSize: 10 }))).to.include({ size: 65_537, maxSize: 10 })

      await ours.write(bytesOf(65_537))
      expect(await theirs.readLengthPrefixed({ maxSize: 65_537 })).to.deep.equal(bytesOf(65_537))
    })

    it('with a length of more than 53 bits, or not in its shortest form, are refused', async () => {
      for (const prefix of [[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f], [0x80, 0x00], [0x81, 0x80, 0x00]]) {
        const [ours, theirs] = await streamPair(await connect())

        await ours.write(Uint8Array.from(prefix))
        expect(await failureOf(theirs.readLengthPrefixed({ maxSize: Infinity }))).to.include({ name: 'InvalidDataLengthLengthError', scope: 'stream', origin: 'remote' })
      }
    })

    it('end with the stream, and may not end within it', async () => {
      const pair = await connect()

      for (const [bytes, error] of [[[], undefined], [[0x80], 'UnexpectedEOFError'], [[0x03, 1, 2], 'UnexpectedEOFError']] as const) {
        const [ours, theirs] = await streamPair(pair)

        await ours.write(encode(''))

        if (bytes.length > 0) {
          await ours.write(Uint8Array.from(bytes))
        }

        await ours.close()

        if (error === undefined) {
          expect(await theirs.readLengthPrefixed()).to.be.null()
        } else {
          expect(await failureOf(theirs.readLengthPrefixed())).to.have.property('name', error)
        }

        expect([...await readAll(theirs)]).to.deep.equal([...bytes])
      }
    })

    it('that are empty can be refused', async () => {
      const [ours, theirs] = await streamPair(await connect())

      await ours.writeLengthPrefixed(new Uint8Array(0))
      expect(await failureOf(theirs.readLengthPrefixed({ allowEmpty: false }))).to.have.property('name', 'InvalidMessageLengthError')
      expect(await theirs.readLengthPrefixed()).to.have.lengthOf(0)
    })

    it('are iterated over until the end of the stream', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const received: Array<string | undefined> = []

      for (const message of ['one', '', 'three']) {
        await ours.writeLengthPrefixed(encode(message))
      }

      await ours.close()

      for await (const message of theirs.lengthPrefixed()) {
        received.push(text(message))
      }

      expect(received).to.deep.equal(['one', '', 'three'])
    })

    it('are not torn by readers that wait at the same time', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const [first, second] = [theirs.readLengthPrefixed(), theirs.readLengthPrefixed()]

      for (const byte of [3, 97, 98, 99, 2, 100]) {
        await ours.write(Uint8Array.of(byte))
      }

      expect(text(await first)).to.equal('abc')
      expect(await outcomeOf(second)).to.equal('pending')
      await ours.write(encode('e'))
      expect(text(await second)).to.equal('de')
    })

    it('are whole for the next reader when one gives up within', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const controller = new AbortController()

      await ours.write(Uint8Array.of(4, 116, 101))

      const reading = failureOf(theirs.readLengthPrefixed({ signal: controller.signal }))

      await outcomeOf(reading)
      controller.abort(new Error('no time'))
      expect(await reading).to.have.property('message', 'no time')

      await ours.write(encode('xt'))
      expect(text(await theirs.readLengthPrefixed())).to.equal('text')
    })
  })
}
