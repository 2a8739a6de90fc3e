import { expect } from 'aegir/chai'
import { isLocal } from '../../../src/connection/stream-view.ts'
import { ConnectionClosedError, GoAwayError, ProtocolError, StreamResetError, TimeoutError } from '../../../src/interface/errors.ts'
import { DATA } from '../../support/frames.ts'
import { muxerAndPeer } from '../../support/muxers.ts'
import { turn } from '../../support/waiting.ts'

describe('connection: what a stream shows', () => {
  it('is aborted for what our own side did, reset for what the peer or the path did', () => {
    expect(isLocal(new Error('of the application'))).to.be.true()
    expect(isLocal(new TimeoutError('idle', { scope: 'stream', origin: 'local' }))).to.be.true()
    expect(isLocal(new TimeoutError('dead', { scope: 'connection', origin: 'transport' }))).to.be.false()
    expect(isLocal(new StreamResetError('reset', { origin: 'remote' }))).to.be.false()
    expect(isLocal(new ConnectionClosedError('cut', { origin: 'transport' }))).to.be.false()
    expect(isLocal(new GoAwayError('gone', 1))).to.be.false()
    expect(isLocal(new ProtocolError('broken', 1))).to.be.false()
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
})
