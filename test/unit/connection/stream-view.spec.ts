import { yamux as foreignYamux } from '@libp2p/yamux'
import { expect } from 'aegir/chai'
import { isLocal } from '../../../src/connection/stream-view.ts'
import { muxedConnection } from '../../../src/index.ts'
import { ConnectionClosedError, GoAwayError, ProtocolError, StreamResetError, TimeoutError } from '../../../src/interface/errors.ts'
import { mplex } from '../../../src/mplex.ts'
import { yamux } from '../../../src/yamux.ts'
import { DATA } from '../../support/frames.ts'
import { memoryLink } from '../../support/memory-link.ts'
import { muxerAndPeer } from '../../support/muxers.ts'
import { turn } from '../../support/waiting.ts'

describe('connection: what a stream shows', () => {
  it('is aborted for what our own side did, reset for what the peer or the path did', () => {
    const stream = {}

    expect(isLocal(new Error('of the application'), stream)).to.be.true()
    expect(isLocal(new TimeoutError('idle', { scope: 'stream', origin: 'local' }), stream)).to.be.true()
    expect(isLocal(new TimeoutError('dead', { scope: 'connection', origin: 'transport' }), stream)).to.be.false()
    expect(isLocal(new StreamResetError('reset', { origin: 'remote' }), stream)).to.be.false()
    expect(isLocal(new ConnectionClosedError('cut', { origin: 'transport' }), stream)).to.be.false()
    expect(isLocal(new GoAwayError('gone', 1), stream)).to.be.false()
    expect(isLocal(new ProtocolError('broken', 1), stream)).to.be.false()
  })

  it('has a logger of its own, made when it is first asked for', async () => {
    const { muxer } = muxerAndPeer()
    const scopes: string[] = []
    const { log } = muxer

    Object.defineProperty(muxer, 'log', {
      value: Object.assign(() => {}, { ...log, newScope (name: string) { scopes.push(name); return log } })
    })

    const stream = await muxer.createStream()

    expect(scopes).to.deep.equal([])
    expect(stream.log).to.equal(stream.log)
    expect(scopes).to.deep.equal(['outbound:1'])
  })

  it('has limits that hold from when they are set', async () => {
    const { muxer, peer } = muxerAndPeer()
    const stream = await muxer.createStream()
    const other = await muxer.createStream()

    expect(stream.maxMessageSize).to.equal(65_536)
    stream.maxMessageSize = 1_000
    stream.send(new Uint8Array(5_000))
    expect(stream.writeBuffer.byteLength).to.equal(5_000)
    await turn()
    expect(peer.of(1).filter(frame => frame.type === DATA).map(frame => frame.length)).to.deep.equal([1_000, 1_000, 1_000, 1_000, 1_000])
    expect(other.maxMessageSize).to.equal(65_536)
    expect(stream.maxReadBufferLength).to.equal(16_777_216)
    stream.maxReadBufferLength = 1_000_000
    expect(stream.maxReadBufferLength).to.equal(1_000_000)
    expect(other.maxReadBufferLength).to.equal(16_777_216)
  })

  for (const [name, factory] of Object.entries({ yamux: yamux({ enableKeepAlive: false })(), mplex: mplex()(), '@libp2p/yamux': foreignYamux({ enableKeepAlive: false })() })) {
    it(`refuses limits that make no sense, and keeps those that it has: ${name}`, async () => {
      const muxer = factory.createStreamMuxer(memoryLink().outbound)
      const stream: any = await (name.startsWith('@') ? muxedConnection(muxer).newStream() : muxer.createStream())
      const limits = {
        inactivityTimeout: [NaN, -1, '1'],
        maxReadBufferLength: [NaN, -1, 0, 1.5, '1'],
        maxWriteBufferLength: [NaN, -1, 1.5, '1'],
        ...(name.startsWith('@') ? {} : { maxMessageSize: [NaN, -1, 0, 1.5, undefined] })
      }

      for (const [limit, values] of Object.entries(limits)) {
        const before = stream[limit]

        for (const value of values) {
          expect(() => { stream[limit] = value }).to.throw(`${limit} must be `).with.property('name', 'InvalidParametersError')
          expect(() => { stream[limit] = value }).to.throw(`was ${value}`)
          expect(stream[limit]).to.equal(before)
        }
      }

      muxer.abort(new Error('the test is over'))
    })

    it(`takes limits that libp2p takes: ${name}`, async () => {
      const muxer = factory.createStreamMuxer(memoryLink().outbound)
      const stream: any = await (name.startsWith('@') ? muxedConnection(muxer).newStream() : muxer.createStream())

      for (const [limit, values] of Object.entries({ inactivityTimeout: [0.5, Infinity], maxReadBufferLength: [1, Infinity], maxWriteBufferLength: [0, Infinity] })) {
        for (const value of values) {
          stream[limit] = value
          expect(stream[limit]).to.equal(value)
        }
      }

      stream.inactivityTimeout = 0
      stream.maxWriteBufferLength = undefined
      expect([0, Infinity]).to.include(stream.inactivityTimeout)
      expect([undefined, Infinity]).to.include(stream.maxWriteBufferLength)

      if (!name.startsWith('@')) {
        stream.maxMessageSize = 1
        expect(stream.maxMessageSize).to.equal(1)
        stream.maxMessageSize = Infinity
        expect(stream.maxMessageSize).to.equal(1_048_576)
      }

      muxer.abort(new Error('the test is over'))
    })
  }
})
