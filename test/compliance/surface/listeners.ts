/** What those who listen are promised: every byte once and in order, the end behind the last, and nothing thrown at them. */
import { expect } from 'aegir/chai'
import { eventOf, turn, uncaughtDuring, until } from '../../support/waiting.ts'
import { bytesOf, encode, pairs, streamPair, text } from './kit.ts'
import type { SurfaceSetup } from './kit.ts'
import type { MuxedStream } from '../../../src/interface/muxer.ts'
import type { StreamCloseEvent } from '@libp2p/interface'

export function listeners (setup: SurfaceSetup): void {
  const connect = pairs(setup)

  describe('a listener', () => {
    it('that pauses again and again is handed all bytes in order', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const sent = bytesOf(2_000_000)
      const received: Uint8Array[] = []
      const ended = eventOf(theirs, 'end')

      theirs.addEventListener('message', event => {
        received.push(event.data.slice())
        theirs.pause()
        setImmediate(() => {
          theirs.resume()
        })
      })

      for (let at = 0; at < sent.byteLength; at += 10_000) {
        await ours.write(sent.subarray(at, at + 10_000))
      }

      await ours.closeWrite()
      await ended
      expect(Buffer.compare(Buffer.concat(received), sent)).to.equal(0)
    })

    for (const late of [false, true]) {
      it(`that is handed the last bytes${late ? ' after both ends were told' : ''} may pause the stream and push some of them back`, async () => {
        const [ours, theirs] = await streamPair(await connect())
        const ended = eventOf(theirs, 'end')
        const events: string[] = []

        await theirs.closeWrite()
        theirs.addEventListener('end', () => { events.push('end') })
        theirs.addEventListener('message', event => {
          const data = event.data.subarray()

          events.push(text(data.subarray(0, 1)) as string)
          theirs.pause()

          if (data.byteLength > 1) {
            theirs.unshift(data.subarray(1))
          }

          setImmediate(() => {
            if (theirs.readStatus === 'paused') {
              theirs.resume()
            }
          })
        })

        const errors = await uncaughtDuring(async () => {
          if (late) {
            theirs.pause()
          }

          await ours.write(encode('last'))
          await ours.closeWrite()

          if (late) {
            await until(() => theirs.remoteWriteStatus === 'closed')
            await turn()
            theirs.resume()
          }

          await ended
        })

        expect(errors).to.deep.equal([])
        expect(events).to.deep.equal(['l', 'a', 's', 't', 'end'])
        expect(theirs.readStatus).to.equal('closed')
      })
    }

    it('that pauses the stream and resumes it when its work is done is not thrown at, whatever became of the stream', async () => {
      for (const finish of [async (peer: MuxedStream) => peer.closeWrite(), async (peer: MuxedStream) => { peer.reset() }]) {
        const [ours, theirs] = await streamPair(await connect())
        const closed = eventOf(theirs, 'close')
        const worked = Promise.withResolvers<void>()

        await theirs.closeWrite()
        theirs.addEventListener('message', () => {
          theirs.pause()
          void closed.then(async () => {
            theirs.resume()
          }).then(worked.resolve, worked.reject)
        })
        await ours.write(encode('answer'))
        await until(() => theirs.readStatus === 'paused')
        await finish(ours)
        await worked.promise
        expect(theirs.readStatus).to.equal('closed')
      }
    })

    it('gets what a reader leaves behind, and the end behind it', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const ended = eventOf(theirs, 'end')
      const read = theirs.read({ bytes: 4 })
      let last = ''

      theirs.addEventListener('message', event => { last = text(event.data.subarray()) as string })
      await ours.write(encode('headbody'))
      await ours.closeWrite()
      expect(text(await read)).to.equal('head')
      await ended
      expect(last).to.equal('body')
      expect(theirs.readBufferLength).to.equal(0)
    })

    it('that pushes back more than may be has its stream reset, and is not thrown at for what it does then', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const closed = eventOf<StreamCloseEvent>(theirs, 'close')

      await theirs.write(encode('ready'))
      expect(text(await ours.read())).to.equal('ready')
      theirs.maxReadBufferLength = 200
      theirs.addEventListener('message', event => {
        theirs.unshift(event.data)
        theirs.unshift(bytesOf(150))
        theirs.pause()
        theirs.resume()
      })

      const errors = await uncaughtDuring(async () => {
        await ours.write(bytesOf(100))
        expect((await closed).error).to.have.property('name', 'StreamBufferError')
      })

      expect(errors).to.deep.equal([])
      expect(theirs.status).to.equal('aborted')
    })

    it('that pushes back more than may be of a stream that is over is told by a second close, as it has not had the whole', async () => {
      const connections = await connect()
      const [ours, theirs] = await streamPair(connections)
      let closings = 0

      theirs.addEventListener('close', () => { closings++ })

      const closed = eventOf<StreamCloseEvent>(theirs, 'close')

      await theirs.write(encode('ready'))
      expect(text(await ours.read())).to.equal('ready')
      theirs.maxReadBufferLength = 200
      theirs.pause()
      await theirs.closeWrite()
      await ours.write(bytesOf(100))
      await ours.closeWrite()
      expect((await closed).error).to.equal(undefined)
      expect(theirs.readBufferLength).to.equal(100)

      const lost = eventOf<StreamCloseEvent>(theirs, 'close')
      const ended = eventOf(theirs, 'end')

      const errors = await uncaughtDuring(async () => {
        theirs.addEventListener('message', event => {
          theirs.unshift(event.data)
          theirs.unshift(bytesOf(150))
          theirs.pause()
          theirs.resume()
        })
        theirs.resume()
        expect((await lost).error).to.have.property('name', 'StreamBufferError')
        await ended
      })

      expect(errors).to.deep.equal([])
      expect(closings).to.equal(2)
      expect(theirs.status).to.equal('aborted')
      expect(() => { theirs.pause() }).to.throw().with.property('name', 'StreamStateError')
      expect([connections.dialer, connections.listener].map(connection => connection.stats().streamsActive)).to.deep.equal(new Array(2).fill({ inbound: 0, outbound: 0 }))
    })

    it('that pushes back and aborts the stream is handed nothing more', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const closed = eventOf(theirs, 'close')
      const events: string[] = []

      theirs.addEventListener('end', () => { events.push('end') })
      theirs.addEventListener('close', () => { events.push('close') })
      theirs.addEventListener('message', ({ data }) => {
        events.push('message')
        theirs.unshift(data.subarray(1))
        theirs.abort(new Error('enough'))
      })
      await ours.write(encode('last'))
      await closed
      await turn()
      expect(events).to.deep.equal(['message', 'end', 'close'])
      await expect(theirs.read()).to.eventually.be.rejectedWith('enough')
    })

    it('that is handed the last bytes when the connection breaks hears of the end, and then of the close', async () => {
      const connections = await connect()
      const [ours, theirs] = await streamPair(connections)
      const closed = eventOf(theirs, 'close')
      const events: string[] = []

      theirs.addEventListener('end', () => { events.push('end') })
      theirs.addEventListener('close', () => { events.push('close') })
      theirs.pause()
      await ours.write(encode('last'))
      await ours.closeWrite()
      await until(() => theirs.readBufferLength === 4 && theirs.remoteWriteStatus === 'closed')
      theirs.addEventListener('message', () => { connections.cut() })
      theirs.resume()
      await closed
      expect(events).to.deep.equal(['end', 'close'])
    })

    it('that pauses the stream, resumes it and pushes some of the last bytes back gets them, and the end behind them', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const ended = eventOf(theirs, 'end')
      const events: string[] = []

      theirs.addEventListener('end', () => { events.push('end') })
      theirs.addEventListener('message', ({ data }) => {
        theirs.pause()
        theirs.resume()
        events.push(text(data.subarray(0, 4)) as string)

        if (data.byteLength > 4) {
          theirs.unshift(data.subarray(4))
        }
      })
      await theirs.closeWrite()
      theirs.pause()
      await ours.write(encode('headbody'))
      await ours.closeWrite()
      await until(() => theirs.readBufferLength === 8)
      theirs.resume()
      await ended
      expect(events).to.deep.equal(['head', 'body', 'end'])
    })

    it('that pushes back what it is handed, pauses the stream and resumes it has the event loop turn meanwhile', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const whole = Promise.withResolvers<void>()
      let messages = 0

      theirs.addEventListener('message', ({ data }) => {
        messages++

        if (data.byteLength < 20) {
          theirs.unshift(data)
          theirs.pause()
          theirs.resume()
        } else {
          whole.resolve()
        }
      })

      const errors = await uncaughtDuring(async () => {
        await ours.write(bytesOf(10))
        await until(() => messages > 3)
        await ours.write(bytesOf(10))
        await whole.promise
      })

      expect(errors).to.deep.equal([])
    })

    it('that answers when all has come is not thrown at, though the peer has reset the stream', async () => {
      const [ours, theirs] = await streamPair(await connect())
      const closed = eventOf(theirs, 'close')
      const answers: boolean[] = []

      theirs.addEventListener('message', () => {})
      theirs.addEventListener('end', () => {
        answers.push(theirs.send(encode('answer')))
        theirs.pause()
      })

      const errors = await uncaughtDuring(async () => {
        ours.reset()
        await closed
      })

      expect(errors).to.deep.equal([])
      expect(answers).to.deep.equal([false])
      expect(() => theirs.send(encode('late'))).to.throw().with.property('name', 'StreamStateError')
    })
  })
}
