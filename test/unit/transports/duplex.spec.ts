import { once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { finished, pipeline } from 'node:stream/promises'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'aegir/chai'
import { toDuplex } from '../../../src/transports/node.ts'
import { eventOf, noUnhandledRejections, recordEvents, turn, until } from '../../support/waiting.ts'
import { pattern, receiveAll, sendAll } from './kit/bytes.ts'
import { duplexes, families, ours, streamPair } from './kit/duplexes.ts'
import type { Duplex } from 'node:stream'

/** Names of what a duplex emits. */
function record (duplex: Duplex): string[] {
  const events: string[] = []

  for (const name of ['end', 'finish', 'error', 'close']) {
    duplex.on(name, () => {
      events.push(name)
    })
  }

  return events
}

async function emitted (duplex: Duplex, name: string): Promise<any> {
  return new Promise(resolve => {
    duplex.once(name, resolve)
  })
}

for (const family of families) {
  describe(`a duplex over a stream of ${family.name}`, () => {
    noUnhandledRejections()

    it('echoes, and closes when both halves have ended', async () => {
      const { local, remote, outbound, inbound } = await duplexes(family)
      const bytes = pattern(3_000_000)
      const events = record(local)
      const echoing = pipeline(remote, remote)
      const answer = buffer(local)

      await pipeline(Readable.from([bytes.subarray(0, 1_000_000), bytes.subarray(1_000_000)]), new Writable({
        write (chunk, encoding, callback) {
          local.write(chunk, callback)
        }
      }))
      local.end()

      expect(Buffer.compare(await answer, bytes)).to.equal(0)
      await echoing
      await until(() => events.includes('close'))
      expect(events.toSorted()).to.deep.equal(['close', 'end', 'finish'])
      expect(outbound.status).to.equal('closed')
      expect(inbound.status).to.equal('closed')
    })

    it('gives what came before anybody read, and the end after it', async () => {
      const { outbound, inbound } = await streamPair(family)

      outbound.send(Uint8Array.of(1, 2, 3))
      await outbound.close()
      await until(() => inbound.readBufferLength === 3 && inbound.remoteWriteStatus === 'closed')

      const duplex = toDuplex(inbound)

      expect(await buffer(duplex)).to.equalBytes([1, 2, 3])
      // its own half is open, and would end in an error nobody hears, minutes later
      duplex.end()
      await finished(duplex)
    })

    it('keeps its own half after the end of the peer', async () => {
      const { local, remote } = await duplexes(family)

      remote.end()
      local.resume()
      await emitted(local, 'end')
      expect(local.writable).to.be.true()

      const received = buffer(remote)

      local.end(pattern(100_000))
      expect(await received).to.have.lengthOf(100_000)
      await finished(local)
    })

    it('keeps the half of the peer after its own end', async () => {
      const { local, remote } = await duplexes(family)
      const received = buffer(local)

      local.end()
      remote.resume()
      await emitted(remote, 'end')
      remote.end(pattern(100_000))
      expect(await received).to.have.lengthOf(100_000)
    })

    it('makes a writer wait for a reader', async () => {
      const { local, remote, inbound } = await duplexes(family)
      const piece = new Uint8Array(16_384)
      let written = 0

      remote.once('readable', () => {})

      for (let idle = 0; idle < 200 && written <= 4_000_000; idle++) {
        if (!local.writableNeedDrain) {
          local.write(piece)
          written += piece.byteLength
          idle = 0
        }

        await turn()
      }

      if (family.holds !== Infinity) {
        // mplex has no flow control: what is not read waits at the reader
        expect(written).to.be.below(family.holds)
      }

      expect(remote.readableLength).to.be.at.most(131_072)
      expect(inbound.status).to.equal('open')

      const received = buffer(remote)

      local.end()
      expect(await received).to.have.lengthOf(written)
    })

    it('emits the error of a reset, and closes', async () => {
      const { local, outbound, inbound } = await duplexes(family)
      const events = record(local)
      const error = emitted(local, 'error')
      const closed = emitted(local, 'close')

      local.resume()
      inbound.abort(new Error('enough'))

      expect(await error).to.have.property('name', 'StreamResetError')
      await closed
      expect(events).to.deep.equal(['error', 'close'])
      expect(outbound.status).to.equal('reset')
    })

    it('resets the stream with the error that destroys it', async () => {
      const { local, outbound, inbound } = await duplexes(family)
      const reason = new Error('enough')
      const closed = eventOf(outbound, 'close')
      const reset = eventOf(inbound, 'close')
      const error = emitted(local, 'error')

      local.destroy(reason)

      expect((await closed).error).to.equal(reason)
      expect((await reset).error).to.have.property('name', 'StreamResetError')
      expect(await error).to.equal(reason)
    })

    it('takes a connection that was cut for no end', async () => {
      const { local, link } = await duplexes(family)
      const events = record(local)

      local.resume()
      local.write(new Uint8Array(1))
      await turn()
      link.cut(new Error('the cable was cut'))
      await until(() => events.includes('close'))

      expect(events).to.deep.equal(['error', 'close'])
      expect(local.errored).to.have.property('name', 'ConnectionClosedError')
    })
  })
}

describe('a duplex over a stream', () => {
  noUnhandledRejections()

  it('writes what was gathered as one', async () => {
    const { local, outbound, inbound } = await duplexes()
    const sends: number[] = []
    const send = outbound.send.bind(outbound)

    outbound.send = data => {
      sends.push(data.byteLength)
      return send(data)
    }

    local.cork()

    for (let i = 0; i < 1_000; i++) {
      local.write(Uint8Array.of(i))
    }

    local.uncork()
    expect(sends).to.deep.equal([1_000])

    local.end()
    expect(await receiveAll(inbound)).to.have.lengthOf(1_000)
  })

  it('fails a write that waits when the stream is reset', async () => {
    const { local, inbound } = await duplexes()
    const outcome = new Promise(resolve => {
      local.on('error', () => {})
      local.write(new Uint8Array(4_000_000), resolve)
    })

    await turn()
    inbound.abort(new Error('enough'))
    expect(await outcome).to.have.property('name', 'StreamResetError')
  })

  it('fails a write, and the end of the writer, when the stream is over', async () => {
    const { local, outbound } = await duplexes()
    const error = emitted(local, 'error')

    await outbound.close()
    local.write(Uint8Array.of(1))
    expect(await error).to.have.property('name', 'StreamStateError')
  })

  it('says of a stream that was over before, how it ended', async () => {
    const { outbound, inbound } = await streamPair()

    outbound.abort(new Error('enough'))
    await until(() => inbound.status === 'reset')

    expect(await emitted(toDuplex(outbound), 'error')).to.include({ name: 'StreamResetError', origin: 'local' })
    expect(await emitted(toDuplex(inbound), 'error')).to.include({ name: 'StreamResetError', origin: 'remote' })
  })

  it('ends at once over a stream that ended before', async () => {
    const { outbound, inbound } = await streamPair()
    const nothing = Promise.all([receiveAll(outbound), receiveAll(inbound)])

    await Promise.all([outbound.close(), inbound.close()])
    await nothing
    await until(() => outbound.status === 'closed')

    const duplex = toDuplex(outbound)

    duplex.resume()
    duplex.end()
    await finished(duplex)
  })

  it('is destroyed by its signal, also by one that was aborted before', async () => {
    for (const early of [true, false]) {
      const { outbound } = await streamPair()
      const controller = new AbortController()

      if (early) {
        controller.abort()
      }

      const error = emitted(toDuplex(outbound, { signal: controller.signal }), 'error')

      controller.abort()
      expect(await error).to.have.property('name', 'AbortError')
      expect(outbound.status).to.equal('aborted')
    }
  })

  it('resets the stream when it is destroyed with bytes unsent', async () => {
    const { local, outbound, inbound } = await duplexes()
    const closed = eventOf(outbound, 'close')

    local.write(new Uint8Array(4_000_000))
    await turn()
    local.destroy()
    expect((await closed).error).to.have.property('name', 'StreamAbortedError')
    await until(() => inbound.status === 'reset')
  })

  it('ends the stream when it is destroyed with nothing unsent, and takes nothing back', async () => {
    const { local, remote } = await duplexes()

    local.write(Uint8Array.of(1, 2, 3))
    await turn()
    local.destroy()
    expect(await buffer(remote)).to.equalBytes([1, 2, 3])
  })

  it('loses nothing of what was written when it is destroyed after its end', async () => {
    const { local, remote } = await duplexes()
    const received = buffer(remote)

    local.write(pattern(1_000_000))
    local.destroySoon()
    await emitted(local, 'close')
    expect(await received).to.have.lengthOf(1_000_000)

    // nobody reads any more: a writer is told
    const error = emitted(remote, 'error')

    remote.write(Uint8Array.of(1))
    expect(await error).to.have.property('name', 'StreamResetError')
  })

  it('ends its own half after that of the peer where it is told to', async () => {
    const { local, remote } = await duplexes(ours, { allowHalfOpen: false })

    local.resume()
    remote.resume()
    remote.end()
    await Promise.all([emitted(local, 'close'), emitted(remote, 'close')])
    expect(local.writableFinished).to.be.true()
  })

  it('ends its own half when somebody ends that of the stream', async () => {
    const { local, remote, outbound } = await duplexes()

    local.resume()
    remote.resume()
    await outbound.close()
    remote.end()
    await emitted(local, 'close')
    expect(local.errored).to.be.null()
  })

  it('takes text for its bytes', async () => {
    const { local, inbound } = await duplexes()
    const events = recordEvents(inbound, ['message'], event => `${event.data.byteLength}`)

    local.write('ünïcode')
    await until(() => events.length > 0)
    expect(events).to.deep.equal(['9'])
    local.destroy()
  })

  it('holds bytes for a reader up to its high-water mark', async () => {
    const { outbound, remote } = await duplexes(ours, { readableHighWaterMark: 1_000 })

    remote.once('readable', () => {})
    sendAll(outbound, new Uint8Array(100_000), 500).catch(() => {})
    await until(() => remote.readableLength > 0)
    await turn()
    expect(remote.readableLength).to.be.below(70_000)
    remote.destroy()
  })

  it('emits a timeout when neither side does anything, and not before', async () => {
    const { local } = await duplexes()
    const timeouts: string[] = []
    const cancelled = (): void => {
      timeouts.push('cancelled')
    }

    local.setTimeout(1, cancelled)
    local.setTimeout(0, cancelled)
    expect(local.timeout).to.equal(0)

    const timeout = once(local, 'timeout')

    local.setTimeout(5, () => {
      timeouts.push('timeout')
    })
    expect(local.timeout).to.equal(5)
    await timeout
    expect(timeouts).to.deep.equal(['timeout'])
    expect(local.destroyed).to.be.false()
    local.destroy()
  })

  it('puts a timeout off with every read and write', async () => {
    const { local, remote } = await duplexes()
    const real = globalThis.setTimeout
    let refreshed = 0
    const timer = {
      refresh () {
        refreshed++
      },
      unref () {
        return timer
      }
    }

    globalThis.setTimeout = (() => timer) as any
    local.setTimeout(1_000)
    globalThis.setTimeout = real

    local.write(Uint8Array.of(1))
    expect(refreshed).to.be.above(0)
    refreshed = 0

    remote.write(Uint8Array.of(1))
    expect(await emitted(local, 'data')).to.have.lengthOf(1)
    expect(refreshed).to.equal(1)
    local.destroy()
  })

  it('has what code for sockets looks for', async () => {
    const { outbound } = await streamPair()
    const duplex = toDuplex(outbound, {
      remoteAddress: multiaddr('/ip4/10.0.0.1/tcp/4001'),
      localAddress: multiaddr('/ip6/::1/udp/4002')
    })

    expect(duplex).to.include({
      remoteAddress: '10.0.0.1', remotePort: 4001, remoteFamily: 'IPv4', localAddress: '::1', localPort: 4002, localFamily: 'IPv6', connecting: false
    })
    expect(duplex.setNoDelay(true).setKeepAlive(true, 1_000).ref().unref()).to.equal(duplex)
    duplex.destroy()

    const nameless = toDuplex((await streamPair()).outbound)

    expect(nameless.remoteAddress).to.be.undefined()
    nameless.destroy()
  })
})
