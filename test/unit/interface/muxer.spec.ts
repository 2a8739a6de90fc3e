import { yamux as libp2pYamux } from '@libp2p/yamux'
import { expect } from 'aegir/chai'
import * as all from '../../../src/index.ts'
import * as surface from '../../../src/interface/index.ts'
import { memoryLink } from '../../support/memory-link.ts'
import { muxedPair, openPair } from '../../support/muxers.ts'

describe('the interface', () => {
  it('tells streams that have all of it from libp2p\'s', async () => {
    const [outbound, inbound] = await openPair(muxedPair())
    const link = memoryLink()
    const foreign = libp2pYamux({ enableKeepAlive: false })().createStreamMuxer(link.outbound)
    const stream = await foreign.createStream()

    expect(surface.isMuxedStream(outbound)).to.be.true()
    expect(surface.isMuxedStream(inbound)).to.be.true()
    expect(surface.isMuxedStream(stream)).to.be.false()
    foreign.abort(new Error('the test is over'))
  })

  it('is the same where the whole package is imported', () => {
    expect(Object.entries(all)).to.include.deep.members(Object.entries(surface))
    expect(new all.StreamResetError('reset', { origin: 'remote' })).to.be.an.instanceOf(surface.StreamResetError)
  })

  it('names every error class by the name that its errors have', () => {
    const classes = Object.entries<object>(surface).filter(([name]) => name.endsWith('Error'))

    expect(classes.length).to.be.at.least(15)
    expect(classes.map(([, value]) => 'name' in value && value.name)).to.deep.equal(classes.map(([name]) => name))
  })
})
