import { StreamStateError } from '@libp2p/interface'
import { expect } from 'aegir/chai'
import { Uint8ArrayList } from 'uint8arraylist'
import { eventOf, noUnhandledRejections, outcomeOf, recordEvents, turn } from '../../support/waiting.ts'
import { echo, fill, pattern, receiveAll, sendAll } from './kit/bytes.ts'
import { carriers } from './kit/carriers.ts'
import type { Connected } from './kit/carriers.ts'
import type { AdapterOptions } from '../../../src/transports/node.ts'
import type { StreamCloseEvent } from '@libp2p/interface'

/** More than the buffers of two sockets hold. */
const FAR_TOO_MUCH = 64 * 1024 * 1024

for (const carrier of carriers) {
  describe(`a message stream over ${carrier.name}`, () => {
    noUnhandledRejections()

    let open: Connected[]

    async function connect (options?: AdapterOptions): Promise<Connected> {
      const connected = await carrier.connect(options)

      open.push(connected)

      return connected
    }

    beforeEach(() => {
      open = []
    })

    afterEach(() => {
      for (const { outbound, inbound } of open) {
        outbound.abort(new Error('the test is over'))
        inbound.abort(new Error('the test is over'))
      }
    })

    it('carries bytes both ways, and ends both ways', async () => {
      const { outbound, inbound } = await connect()
      const bytes = pattern(3_000_000)
      const closed = Promise.all([eventOf<StreamCloseEvent>(outbound, 'close'), eventOf<StreamCloseEvent>(inbound, 'close')])
      const echoed = echo(inbound)
      const answer = receiveAll(outbound)

      await sendAll(outbound, bytes)
      await outbound.close()

      expect(Buffer.compare(await answer, bytes)).to.equal(0)
      await echoed

      for (const event of await closed) {
        expect(event.error).to.be.undefined()
      }

      expect(outbound.status).to.equal('closed')
      expect(inbound.status).to.equal('closed')
    })

    it('sends all buffers of a list', async () => {
      const { outbound, inbound } = await connect()

      const received = receiveAll(inbound)

      outbound.send(new Uint8ArrayList(Uint8Array.of(1), Uint8Array.of(2, 3), Uint8Array.of(4)))
      await outbound.close()

      expect(await received).to.equalBytes([1, 2, 3, 4])
    })

    it('gives bytes that are no Buffers', async () => {
      const { outbound, inbound } = await connect()
      const message = eventOf(inbound, 'message')

      outbound.send(Uint8Array.of(1, 2, 3))

      const { data } = await message

      for (const bytes of data instanceof Uint8Array ? [data] : data) {
        expect(bytes).to.be.an.instanceOf(Uint8Array)
        expect(bytes).to.not.be.an.instanceOf(Buffer)
      }
    })

    it('goes on sending after the peer has ended', async () => {
      const { outbound, inbound } = await connect()
      const remoteEnd = eventOf(outbound, 'remoteCloseWrite')

      inbound.addEventListener('message', () => {})
      outbound.addEventListener('message', () => {})
      await inbound.close()
      await remoteEnd

      expect(outbound.status).to.equal('open')

      const received = receiveAll(inbound)

      await sendAll(outbound, pattern(500_000))
      await outbound.close()
      expect((await received).byteLength).to.equal(500_000)
    })

    it('goes on receiving after its own end', async () => {
      const { outbound, inbound } = await connect()
      const received = receiveAll(outbound)
      const nothing = receiveAll(inbound)

      await outbound.close()
      expect(outbound.status).to.equal('closing')
      expect(await nothing).to.have.lengthOf(0)

      await sendAll(inbound, pattern(500_000))
      await inbound.close()
      expect((await received).byteLength).to.equal(500_000)
      expect(outbound.status).to.equal('closed')
    })

    it('says in order what happens', async () => {
      const { outbound, inbound } = await connect()
      const events = recordEvents(inbound, ['message', 'remoteCloseWrite', 'end', 'close'])
      const closed = eventOf(inbound, 'close')
      const remoteEnd = eventOf(inbound, 'remoteCloseWrite')

      outbound.send(Uint8Array.of(1))
      await outbound.close()
      await remoteEnd
      await inbound.close()
      await closed

      expect(events).to.deep.equal(['message', 'remoteCloseWrite', 'end', 'close'])
      expect(inbound.readableEnded).to.be.true()
      expect(inbound.timeline.close).to.be.a('number')
    })

    it('delivers, once somebody listens, what came before', async () => {
      const { outbound, inbound } = await connect()

      outbound.send(Uint8Array.of(1, 2, 3))

      const closing = outbound.close()

      await turn()
      expect(await receiveAll(inbound)).to.equalBytes([1, 2, 3])
      await closing
    })

    it('notices that the peer has ended when nobody listens after its own end', async () => {
      const { outbound, inbound } = await connect()
      const closed = eventOf<StreamCloseEvent>(outbound, 'close')
      const received = receiveAll(inbound)

      await outbound.close()
      await received
      inbound.send(Uint8Array.of(1, 2, 3))
      await inbound.close()

      expect((await closed).error).to.be.undefined()
      expect(await receiveAll(outbound), 'what was not read yet').to.equalBytes([1, 2, 3])
    })

    it('makes the sender wait while nobody reads', async () => {
      const { outbound, inbound } = await connect()
      const sent = await fill(outbound, FAR_TOO_MUCH)

      expect(outbound.send(new Uint8Array(1))).to.be.false()
      expect(inbound.readBufferLength).to.equal(0)

      const drain = outbound.onDrain()
      const received = receiveAll(inbound)

      await drain
      await outbound.close()
      expect((await received).byteLength).to.equal(sent + 1)
    })

    it('makes the sender wait while it is paused', async () => {
      const { outbound, inbound } = await connect()
      let received = 0

      inbound.addEventListener('message', ({ data }) => {
        received += data.byteLength
      })
      inbound.pause()

      const sent = await fill(outbound, FAR_TOO_MUCH)

      expect(received).to.equal(0)
      // a read may have been under way
      expect(inbound.readBufferLength).to.be.at.most(65_536)

      const ended = eventOf(inbound, 'end')

      inbound.resume()
      await outbound.close()
      await ended
      expect(received).to.equal(sent)
    })

    it('makes the sender wait while a loop does not ask for more', async () => {
      const { outbound, inbound } = await connect()
      const iterator = inbound[Symbol.asyncIterator]()

      outbound.send(new Uint8Array(65_536))

      const { value: first } = await iterator.next()
      const sent = await fill(outbound, FAR_TOO_MUCH)

      // a chunk that was on its way from the transport
      expect(inbound.readBufferLength).to.be.at.most(65_536)

      const rest = receiveAll({ [Symbol.asyncIterator]: () => iterator })

      await outbound.close()
      expect(first.byteLength + (await rest).byteLength).to.equal(65_536 + sent)
    })

    it('waits for a drain as often as it is asked to', async () => {
      const { outbound, inbound } = await connect()
      const received = receiveAll(inbound)

      for (let i = 0; i < 3; i++) {
        while (outbound.send(new Uint8Array(65_536))) {
          expect(outbound.writableNeedsDrain).to.be.false()
        }

        const drain = outbound.onDrain()

        expect(outbound.writableNeedsDrain).to.be.true()
        await drain
        expect(outbound.writableNeedsDrain).to.be.false()
      }

      await outbound.close()
      await received
    })

    it('ends after everything that was queued', async () => {
      const { outbound, inbound } = await connect()

      for (let i = 0; i < 100; i++) {
        outbound.send(new Uint8Array(65_536).fill(i))
      }

      const closing = outbound.close()

      expect(() => outbound.send(Uint8Array.of(1))).to.throw(StreamStateError)

      const received = await receiveAll(inbound)

      expect(received).to.have.lengthOf(6_553_600)
      expect(received.filter((_, index) => index % 65_536 === 0)).to.equalBytes(Array.from({ length: 100 }, (_, i) => i))
      await closing
    })

    it('closes no sooner than the bytes were taken, and gives up when the signal says so', async () => {
      const { outbound } = await connect()
      const controller = new AbortController()
      const reason = new Error('no time left')

      await fill(outbound, FAR_TOO_MUCH)

      const closing = outbound.close({ signal: controller.signal })

      expect(await outcomeOf(closing)).to.equal('pending')
      controller.abort(reason)
      await expect(closing).to.eventually.be.rejected().and.equal(reason)
    })

    it('aborts with its error, and breaks every wait', async () => {
      const { outbound, inbound } = await connect()
      const reason = new Error('enough')
      const closed = eventOf<StreamCloseEvent>(outbound, 'close')
      const remoteOver = carrier.tellsAborts ? eventOf<StreamCloseEvent>(inbound, 'close') : eventOf(inbound, 'remoteCloseWrite')

      inbound.addEventListener('message', () => {})
      inbound.pause()
      await fill(outbound, FAR_TOO_MUCH)

      const waits = [outbound.onDrain(), outbound.close(), receiveAll(outbound)]

      for (const wait of waits) {
        wait.catch(() => {})
      }

      await turn()
      outbound.abort(reason)

      const event = await closed

      expect(event).to.deep.include({ error: reason, local: true })
      expect(outbound.status).to.equal('aborted')
      expect(outbound.writeBufferLength).to.equal(0)

      for (const wait of waits.slice(1)) {
        await expect(wait).to.eventually.be.rejected().and.equal(reason)
      }

      await expect(waits[0]).to.eventually.be.rejected()

      inbound.resume()

      const over = await remoteOver

      if (carrier.tellsAborts) {
        expect((over as StreamCloseEvent).error).to.be.an('error')
        expect(inbound.status).to.equal('reset')
      }
    })

    it('gives the error of a connection that broke to the close event, to loops and to writers', async () => {
      const { outbound, inbound, cut } = await connect()
      const closed = [outbound, inbound].map(async stream => eventOf<StreamCloseEvent>(stream, 'close'))
      const reading = receiveAll(outbound)
      const alsoReading = receiveAll(inbound)

      reading.catch(() => {})
      alsoReading.catch(() => {})
      outbound.send(Uint8Array.of(1))
      await turn()
      cut()

      const [{ error, local }] = await Promise.all(closed)

      expect(error).to.be.an('error')
      expect(local).to.be.false()
      expect(outbound.status).to.equal('reset')
      await expect(reading).to.eventually.be.rejected().and.equal(error)
      await expect(alsoReading).to.eventually.be.rejected()
      await expect(outbound.onDrain()).to.eventually.be.rejected().and.equal(error)
      expect(() => outbound.send(Uint8Array.of(1))).to.throw(StreamStateError)
    })

    it('is aborted by its signal', async () => {
      const controller = new AbortController()
      const reason = new Error('the signal')
      const { outbound, inbound } = await connect({ signal: controller.signal })
      const closed = eventOf<StreamCloseEvent>(outbound, 'close')

      controller.abort(reason)

      expect((await closed).error).to.equal(reason)
      expect(inbound.status).to.equal('aborted')
    })

    it('ends its own half after that of the peer where it is told to', async () => {
      const { outbound, inbound } = await connect({ allowHalfOpen: false })
      const received = receiveAll(outbound)

      inbound.addEventListener('message', () => {})
      inbound.addEventListener('remoteCloseWrite', () => {
        // there is still time for it
        inbound.send(Uint8Array.of(1, 2, 3))
      })
      await outbound.close()

      expect(await received).to.equalBytes([1, 2, 3])
      expect(outbound.status).to.equal('closed')
    })
  })
}
