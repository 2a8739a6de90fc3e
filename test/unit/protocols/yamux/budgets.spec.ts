import { expect } from 'aegir/chai'
import { EngineDriver } from '../../../support/engine-pair.ts'
import { ACK, FIN, RST, SYN, data, goAway, pattern, ping, pong, windowUpdate } from '../../../support/frames.ts'
import { brokenInvariant } from '../../../support/invariants.ts'
import type { RateName } from '../../../../src/core/budgets.ts'

interface Case {
  budget: RateName
  name: string
  maxInboundStreams?: number

  /** Opens what the frames are for. */
  before?(link: EngineDriver): void

  /** The frames of one offence, the `i`th. */
  offend(i: number): Uint8Array[]
}

const CASES: Case[] = [
  { budget: 'pings', name: 'pings', offend: i => [ping(i)] },
  { budget: 'pings', name: 'pings on a stream', offend: i => [ping(i, SYN, 2)] },
  { budget: 'resets', name: 'streams opened and reset', offend: i => [windowUpdate(2 + 2 * i, 0, SYN), windowUpdate(2 + 2 * i, 0, RST)] },
  { budget: 'resets', name: 'streams opened and reset in one frame', offend: i => [data(2 + 2 * i, 0, SYN | RST)] },
  { budget: 'refusals', name: 'streams refused', maxInboundStreams: 0, offend: i => [windowUpdate(2 + 2 * i, 0, SYN)] },
  { budget: 'tinyFrames', name: 'data that is shorter than its header, on a stream of which many pieces wait', before: link => { link.inbound(2); for (let i = 0; i < 17; i++) { link.give(data(2, 12)) } }, offend: () => [data(2, 11)] },
  { budget: 'tinyFrames', name: 'credit that is less than its header', before: link => link.inbound(2), offend: () => [windowUpdate(2, 11)] },
  { budget: 'unknownStreams', name: 'credit for streams that were never open', offend: i => [windowUpdate(2 + 2 * i, 1)] },
  { budget: 'unknownStreams', name: 'data for streams that were never open', offend: i => [data(2 + 2 * i, 1)] },
  { budget: 'unknownStreams', name: 'data after a FIN', before: link => { link.inbound(2); link.give(windowUpdate(2, 0, FIN)) }, offend: () => [data(2, 1)] },
  { budget: 'emptyFrames', name: 'empty data', before: link => link.inbound(2), offend: () => [data(2)] },
  { budget: 'emptyFrames', name: 'credit of zero', before: link => link.inbound(2), offend: () => [windowUpdate(2)] },
  { budget: 'emptyFrames', name: 'credit of zero after its FIN', before: link => { link.inbound(2); link.give(windowUpdate(2, 0, FIN)) }, offend: () => [windowUpdate(2)] },
  { budget: 'emptyFrames', name: 'repeated ACKs on window updates', before: link => link.outbound(), offend: () => [windowUpdate(1, 0, ACK)] },
  { budget: 'emptyFrames', name: 'repeated ACKs on empty data', before: link => link.outbound(), offend: () => [data(1, 0, ACK)] },
  { budget: 'emptyFrames', name: 'ACKs for streams of its own', before: link => link.inbound(2), offend: () => [windowUpdate(2, 0, ACK)] },
  { budget: 'emptyFrames', name: 'repeated FINs on window updates', before: link => { link.inbound(2); link.give(windowUpdate(2, 0, FIN)) }, offend: () => [windowUpdate(2, 0, FIN)] },
  { budget: 'emptyFrames', name: 'repeated FINs on credit', before: link => { link.inbound(2); link.give(windowUpdate(2, 0, FIN)) }, offend: () => [windowUpdate(2, 1, FIN)] },
  { budget: 'emptyFrames', name: 'repeated FINs on empty data', before: link => { link.inbound(2); link.give(windowUpdate(2, 0, FIN)) }, offend: () => [data(2, 0, FIN)] },
  { budget: 'emptyFrames', name: 'credit after our FIN', before: link => { link.end(link.inbound(2)); link.sent(); link.give(windowUpdate(2, 262_144)) }, offend: () => [windowUpdate(2, 262_144)] },
  { budget: 'emptyFrames', name: 'repeated GoAways', before: link => { link.inbound(2); link.give(goAway()) }, offend: () => [goAway()] },
  { budget: 'emptyFrames', name: 'pongs that nobody asked for', offend: i => [pong(i)] },
  { budget: 'emptyFrames', name: 'pings that are neither question nor answer', offend: i => [ping(i, 0)] }
]

const LIMIT = 20

/** 10,000 streams on which we answer in so many frames and end; the peer reads it afterwards. */
function answer (frames: number, credit: (id: number) => Uint8Array[]): void {
  const link = new EngineDriver('server', { budgets: { emptyFrames: 1, unknownStreams: 1 } })

  for (let i = 0; i < 10_000; i++) {
    const stream = link.inbound(1 + 2 * i)

    for (let frame = 0; frame < frames; frame++) {
      link.write(stream, pattern(100))
    }

    link.end(stream)
    link.sent()
    // half of them before the peer ends its half, and half of them after
    link.give(...i % 2 === 0 ? credit(stream.id) : [], windowUpdate(stream.id, 0, FIN), ...i % 2 === 1 ? credit(stream.id) : [])
  }

  expect(link.engine.state).to.equal('open')
}

describe('yamux: budgets', () => {
  for (const { budget, name, maxInboundStreams, before, offend } of CASES) {
    it(`ends the connection over "${budget}" for ${name}`, () => {
      const link = new EngineDriver('client', { budgets: { [budget]: LIMIT }, maxInboundStreams })

      before?.(link)
      link.settle()

      for (let i = 0; i < LIMIT; i++) {
        link.give(...offend(i))
      }

      expect(link.engine.state).to.equal('open')
      link.sent()

      link.give(...offend(LIMIT))
      expect(link.engine.state).to.equal('closed')
      // the reset of a stream that was provoked is told before
      expect(link.sent().filter(line => !line.startsWith('window|RST'))).to.deep.equal(['goaway 1'])

      const error = link.closedBy()

      expect(error).to.include({ name: 'BudgetExceededError', budget, code: 1, scope: 'connection', origin: 'remote' })
      expect(error.message).to.include(`"${budget}"`).and.to.include(`of ${LIMIT} at once`).and.to.include(`option budgets.${budget}`)
    })

    it(`lets a tenth of "${budget}" come back every second for ${name}`, () => {
      const link = new EngineDriver('client', { budgets: { [budget]: LIMIT }, maxInboundStreams })
      let offences = 0

      before?.(link)

      for (let i = 0; i < LIMIT; i++) {
        link.give(...offend(offences++)).settle()
      }

      link.pass(1_000).give(...offend(offences++), ...offend(offences++)).settle()
      expect(link.engine.state).to.equal('open')

      link.give(...offend(offences++))
      expect(link.closedBy()).to.include({ budget })
    })
  }

  it('keeps each budget for itself', () => {
    const link = new EngineDriver('client', { budgets: { pings: 1, emptyFrames: 1, unknownStreams: 1, resets: 1 } })

    link.give(ping(1), pong(1), windowUpdate(2, 1), windowUpdate(4, 0, SYN), windowUpdate(4, 0, RST))

    expect(link.engine.state).to.equal('open')
  })

  it('charges nothing for frames that say something', () => {
    const link = new EngineDriver('client', { budgets: { pings: 1, emptyFrames: 1, unknownStreams: 1, resets: 1, refusals: 1 } })

    link.open()
    link.give(windowUpdate(1, 0, ACK), windowUpdate(1, 1), data(1, 1), data(1, 0, FIN))
    link.give(data(2, 0, SYN), windowUpdate(2, 0, FIN), windowUpdate(4, 0, SYN | FIN))

    for (let i = 0; i < 1_000; i++) {
      link.give(data(6 + 2 * i, 1, SYN), data(6 + 2 * i, 0, FIN))
      link.end(link.accept(6 + 2 * i))
      link.settle()
    }

    expect(link.engine.state).to.equal('open')
  })

  describe('charges nobody for credit after our FIN', () => {
    it('that comes for each frame, with a window that doubles each time, as @libp2p/yamux sends it', () => {
      answer(3, id => [windowUpdate(id, 262_244), windowUpdate(id, 524_388), windowUpdate(id, 1_048_676)])
    })

    it('that comes once for all, as go-yamux sends it', () => {
      answer(3, id => [windowUpdate(id, 262_144 + 300)])
    })

    it('that comes for each small read of one large frame', () => {
      const link = new EngineDriver('server', { budgets: { emptyFrames: 1 } })
      const stream = link.inbound(1)

      link.write(stream, pattern(60_000))
      link.end(stream)
      link.sent()

      for (let i = 0; i < 3_000; i++) {
        link.give(windowUpdate(1, 20))
      }

      expect(link.engine.state).to.equal('open')
    })

    it('that comes with the ACK of a stream that ended before', () => {
      const link = new EngineDriver('client', { budgets: { emptyFrames: 1 } })

      for (let i = 0; i < 100; i++) {
        const stream = link.open()

        link.end(stream)
        link.sent()
        link.give(windowUpdate(stream.id, 16_000_000, ACK))
      }

      expect(link.engine.state).to.equal('open')
    })
  })

  it('charges a reset of ours to nobody', () => {
    const link = new EngineDriver('client', { budgets: { resets: 1, refusals: 1 } })

    for (let i = 0; i < 100; i++) {
      link.reset(link.outbound())
      link.reset(link.inbound(2 + 2 * i))
      link.settle()
    }

    expect(link.engine.state).to.equal('open')
  })

  it('charges the peer\'s reset of a stream of ours to nobody', () => {
    const link = new EngineDriver('client', { budgets: { resets: 1 } })

    for (let i = 0; i < 100; i++) {
      link.give(windowUpdate(link.outbound().id, 0, RST)).settle()
    }

    expect(link.engine.state).to.equal('open')
  })

  it('charges tiny frames to nobody that open or end a stream, or that are as long as their header', () => {
    const link = new EngineDriver('client', { budgets: { tinyFrames: 1 } })

    for (let id = 2; id < 200; id += 2) {
      link.give(data(id, 1, SYN), data(id, 12), windowUpdate(id, 12), data(id, 1, FIN))
    }

    expect(link.engine.state).to.equal('open')
  })

  it('charges tiny messages to nobody whose reader keeps up', () => {
    const link = new EngineDriver('client', { budgets: { tinyFrames: 1 } })
    const stream = link.inbound(2)

    for (let i = 0; i < 1_000; i++) {
      for (let piece = 0; piece < 16; piece++) {
        link.give(data(2, 1))
      }

      expect(link.read(stream)).to.have.lengthOf(16)
    }

    expect(link.engine.state).to.equal('open')
  })

  it('excuses a window of late bytes, in whatever frames they come, tiny ones to the budget of tiny frames', () => {
    for (const [length, tinyFrames] of [[12, 1], [1, 262_144]]) {
      const link = new EngineDriver('client', { maxInboundStreams: 0, budgets: { unknownStreams: 1, tinyFrames } })

      link.give(windowUpdate(2, 0, SYN))

      for (let left = 262_144; left >= length; left -= length) {
        link.give(data(2, length))
      }

      expect(link.engine.state).to.equal('open')
      link.give(data(2, 12), data(2, 12))
      expect(link.closedBy()).to.include({ budget: 'unknownStreams' })
    }

    const link = new EngineDriver('client', { maxInboundStreams: 0, budgets: { tinyFrames: 10 } })

    link.give(windowUpdate(2, 0, SYN))

    for (let i = 0; i < 10; i++) {
      link.give(data(2, 1))
    }

    expect(link.engine.state).to.equal('open')
    link.give(data(2, 1))
    expect(link.closedBy()).to.include({ budget: 'tinyFrames' })
  })

  it('charges data to nobody that was on its way to a stream that our application has left', () => {
    const link = new EngineDriver('client', { budgets: { provokedResets: 1, unknownStreams: 1 } })

    for (let id = 2; id <= 200; id += 2) {
      const stream = link.inbound(id)

      link.end(stream)
      link.closeRead(stream)
      link.settle()
      link.give(data(id, 100), data(id, 100))
      expect(link.sent()).to.deep.equal([`window|RST ${id} 0`])
    }

    expect(link.engine.state).to.equal('open')
  })

  it('lets our application reset a thousand streams at once that the peer has not read', () => {
    const link = new EngineDriver('client')

    for (let id = 2; id <= 2_000; id += 2) {
      const stream = link.inbound(id)

      link.write(stream, pattern(100))
      link.reset(stream)
    }

    link.give(windowUpdate(2_002, 0, SYN))
    expect(link.engine.state).to.equal('open')
  })

  it('keeps nothing of streams of ours that a peer resets before they could be announced', () => {
    const link = new EngineDriver('client')

    for (let i = 0; i < 5_000; i++) {
      const stream = link.open()

      link.write(stream, pattern(100))
      link.give(windowUpdate(stream.id, 0, RST))
    }

    expect(brokenInvariant(link.engine)).to.equal(undefined)
    expect(link.sent()).to.deep.equal([])
  })

  it('ends the connection over resets that wait for a peer that does not read, whoever wanted them, when it opens one more', () => {
    const link = new EngineDriver('client', { budgets: { replies: 10 } })

    // of itself it is no offence what our application does in one go
    for (const stream of Array.from({ length: 11 }, (_, i) => link.inbound(2 + 2 * i))) {
      link.reset(stream)
    }

    expect(link.engine.state).to.equal('open')
    link.give(windowUpdate(100, 0, SYN))
    expect(link.closedBy()).to.include({ budget: 'replies' })
  })

  it('excuses what was on its way to a stream that was refused, and no frames by the million', () => {
    const link = new EngineDriver('client', { budgets: { unknownStreams: 10 }, maxInboundStreams: 0 })

    for (let i = 0; i < 100; i++) {
      link.give(windowUpdate(2 + 2 * i, 0, SYN), data(2 + 2 * i, 1_000), windowUpdate(2 + 2 * i, 0, FIN), windowUpdate(2 + 2 * i, 0, RST))
    }

    expect(link.engine.state).to.equal('open')

    for (let i = 0; i < 211; i++) {
      link.give(windowUpdate(1_000, 1))
    }

    expect(link.closedBy()).to.include({ budget: 'unknownStreams' })
  })

  it('charges streams to nobody that are opened while we go away and that cannot know', () => {
    const link = new EngineDriver('client', { budgets: { refusals: 1 } })

    link.inbound(2)
    link.engine.drain()

    for (let id = 4; id < 200; id += 2) {
      link.give(windowUpdate(id, 0, SYN))
      expect(link.sent()).to.deep.equal([`window|RST ${id} 0`])
    }

    expect(link.engine.state).to.equal('draining')
  })

  it('charges them again after 100,000 that came all the same', () => {
    const link = new EngineDriver('client', { budgets: { refusals: 1 } })
    let opened = 0

    link.engine.drain()

    while (link.engine.state !== 'closed' && opened < 200_000) {
      opened++
      link.give(windowUpdate(2 * opened, 0, SYN))
      link.sent()
    }

    expect(opened).to.equal(100_002)
    expect(link.closedBy()).to.include({ budget: 'refusals' })
  })

  it('charges streams refused by whom they wait for', () => {
    const link = new EngineDriver('client', { budgets: { refusals: 2 } })

    for (let id = 2; id <= 6; id += 2) {
      expect(link.engine.state).to.equal('open')
      link.give(windowUpdate(id, 0, SYN))
      link.engine.refuse(link.stream(id), 0, new Error('too many wait'))
    }

    expect(link.closedBy()).to.include({ budget: 'refusals' })
  })

  it('charges streams refused because we go away to nobody', () => {
    const link = new EngineDriver('client', { budgets: { refusals: 1 } })

    link.give(windowUpdate(2, 0, SYN), windowUpdate(4, 0, SYN), windowUpdate(6, 0, SYN))
    link.engine.drain()

    for (const id of [2, 4, 6]) {
      link.engine.refuse(link.stream(id), 0, new Error('not any more'))
    }

    expect(link.engine.state).to.equal('draining')
  })

  it('ends the connection over pings that wait for a peer that does not read', () => {
    const link = new EngineDriver('client', { budgets: { replies: 10 } })

    for (let i = 0; i < 10; i++) {
      link.give(ping(i))
    }

    link.pass(1_000).give(ping(10))

    const error = link.closedBy()

    expect(error).to.include({ name: 'BudgetExceededError', budget: 'replies', code: 1 })
    expect(error.message).to.equal('the peer went over the budget "replies" of 10 answers that wait because the peer does not read (option budgets.replies)')
    expect(link.sent()).to.deep.equal(['goaway 1'])
  })

  it('ends the connection over refusals that wait for a peer that does not read', () => {
    const link = new EngineDriver('client', { budgets: { replies: 10 }, maxInboundStreams: 0 })

    for (let i = 0; i < 12; i++) {
      expect(link.engine.state).to.equal('open')
      link.give(windowUpdate(2 + 2 * i, 0, SYN))
    }

    expect(link.closedBy()).to.include({ budget: 'replies' })
  })

  it('lets ten thousand pings at once pass, as go-yamux sends them to try its peers', () => {
    const link = new EngineDriver()

    for (let i = 0; i < 10_000; i++) {
      link.give(ping(i))
    }

    expect(link.sent()).to.have.lengthOf(10_000)
  })
})
