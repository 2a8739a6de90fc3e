import { expect } from 'aegir/chai'
import { Uint8ArrayList } from 'uint8arraylist'
import { Link } from '../../../src/connection/link.ts'
import { pattern } from '../../support/frames.ts'
import { memoryLink } from '../../support/memory-link.ts'
import { noUnhandledRejections, outcomeOf, turn } from '../../support/waiting.ts'
import type { LinkOptions, MemoryLink } from '../../support/memory-link.ts'

function link (options?: LinkOptions): { memory: MemoryLink, link: Link, events: string[] } {
  const memory = memoryLink(options)
  const events: string[] = []

  return {
    memory,
    events,
    link: new Link(memory.outbound, {
      onBytes (data) { events.push(`bytes ${[...data].map(bytes => bytes.byteLength).join(' ')}`) },
      onDrain () { events.push('drain') },
      onTurn () { events.push('turn') },
      onEnd (cause) { events.push(`end ${cause?.message}`) }
    })
  }
}

/** Hands these out, one a poll. */
function batches (...lists: Uint8Array[][]): () => Uint8Array[] | undefined {
  return () => lists.shift()
}

describe('connection: the link', () => {
  noUnhandledRejections()

  it('sends what there is, a call for each batch', () => {
    const { link: it, memory } = link()

    it.transmit(batches([pattern(1)], [pattern(2), pattern(3)]))
    expect(memory.outbound.sends.map(buffers => buffers.map(buffer => buffer.byteLength))).to.deep.equal([[1], [2, 3]])
  })

  it('stops when the connection is full, and goes on when it has drained', async () => {
    const { events, link: it, memory } = link({ capacity: 10, manual: true })
    const poll = batches([pattern(5)], [pattern(5)], [pattern(5)])

    it.transmit(poll)
    expect(memory.outbound.sendCalls).to.equal(2)
    it.transmit(poll)
    expect(memory.outbound.sendCalls).to.equal(2)
    memory.outbound.flush()
    await turn()
    expect(events).to.deep.equal(['drain'])
    it.transmit(poll)
    expect(memory.outbound.sendCalls).to.equal(3)
    expect(memory.outbound.sendsWhileFull).to.equal(0)
  })

  it('sends 4 MiB in a turn of the event loop, and says when there is another', async () => {
    const { events, link: it, memory } = link()
    const poll = batches(...Array.from({ length: 6 }, () => [new Uint8Array(1_048_576)]))

    it.transmit(poll)
    it.transmit(poll)
    expect(memory.outbound.sendCalls).to.equal(4)
    await turn()
    expect(events).to.deep.equal(['turn'])
    it.transmit(poll)
    expect(memory.outbound.sendCalls).to.equal(6)
    await turn()
    expect(events).to.deep.equal(['turn'])
  })

  it('over a connection that was full before, waits for it to drain first', async () => {
    const memory = memoryLink({ capacity: 10, manual: true })

    memory.outbound.send(pattern(20))

    const it = new Link(memory.outbound, { onBytes () {}, onDrain () {}, onTurn () {}, onEnd () {} })
    const poll = batches([pattern(5)])

    it.transmit(poll)
    expect(memory.outbound.sendsWhileFull).to.equal(0)
    memory.outbound.flush()
    await turn()
    it.transmit(poll)
    expect(memory.outbound.sendCalls).to.equal(2)
  })

  it('passes on arrays and lists of bytes', () => {
    const { events, memory } = link({ manual: true })

    memory.inbound.send(pattern(3))
    memory.inbound.send(new Uint8ArrayList(pattern(1), pattern(2)))
    memory.inbound.flush()
    expect(events).to.deep.equal(['bytes 3', 'bytes 1 2'])
  })

  it('takes an exception of send() for the end', () => {
    const { events, link: it, memory } = link()

    memory.outbound.sendError = new Error('EPIPE')
    it.transmit(batches([pattern(1)], [pattern(1)]))
    expect(events).to.deep.equal(['end EPIPE'])
  })

  it('tells of the end of the other side, and of an error', () => {
    const one = link()

    one.memory.cut()
    expect(one.events).to.deep.equal(['end undefined'])

    const other = link()

    other.memory.cut(new Error('ECONNRESET'))
    expect(other.events).to.deep.equal(['end ECONNRESET'])
  })

  it('detached, hears nothing more', () => {
    const { events, link: it, memory } = link({ manual: true })

    it.detach()
    memory.inbound.send(pattern(3))
    memory.inbound.flush()
    memory.cut(new Error('ECONNRESET'))
    expect(events).to.deep.equal([])
    expect(memory.outbound.listeners).to.equal(0)
  })

  it('closes in good order: the last frames, then the end', async () => {
    const { link: it, memory } = link()
    let received = 0

    memory.inbound.addEventListener('message', event => { received += event.data.byteLength })
    it.close([pattern(7)], undefined)
    await it.closed
    expect(received).to.equal(7)
    expect(memory.outbound.status).to.equal('closed')
    expect(memory.inbound.status).to.equal('closed')
  })

  it('closed for an error that the last frames cannot follow, is aborted with that error', async () => {
    const { link: it, memory } = link()

    memory.outbound.sendError = new Error('EPIPE')
    it.close([pattern(7)], new Error('the reason'))
    await it.closed
    expect(memory.outbound.status).to.equal('aborted')
    expect(memory.outbound.aborted).to.have.property('message', 'the reason')
  })

  it('closed without a reason, is aborted with what went wrong', async () => {
    const { link: it, memory } = link()

    memory.outbound.sendError = new Error('EPIPE')
    it.close([pattern(7)], undefined)
    await it.closed
    expect(memory.outbound.aborted).to.have.property('message', 'EPIPE')
  })

  it('waits as long as it takes for a connection that closes in good order, until it is aborted', async () => {
    const { link: it, memory } = link({ manual: true })

    it.close([pattern(7)], undefined)
    expect(await outcomeOf(it.closed)).to.equal('pending')
    it.abort(new Error('enough'))
    expect(await outcomeOf(it.closed)).to.equal('resolved')
    expect(memory.outbound.aborted).to.have.property('message', 'enough')
  })

  it('takes what still comes while it closes: a buffer that is full would end the connection before its last word', async () => {
    const { events, link: it, memory } = link({ manual: true })

    it.detach()
    it.close([pattern(7)], undefined)
    expect(memory.outbound.listenerCount('message')).to.equal(1)

    memory.inbound.send(pattern(100))
    memory.inbound.flush()
    memory.outbound.flush()
    await it.closed
    expect(memory.outbound.listeners).to.equal(0)
    expect(events).to.deep.equal([])
  })

  it('gives up on a peer that does not take what is left', async () => {
    const memory = memoryLink({ manual: true })
    const it = new Link(memory.outbound, { onBytes () {}, onDrain () {}, onTurn () {}, onEnd () {} }, 1)

    it.detach()
    it.close([pattern(7)], undefined)
    await expect(it.closed).to.eventually.be.rejected.with.property('name', 'TimeoutError')
    expect(memory.outbound.aborted).to.have.property('name', 'TimeoutError')
  })

  it('says so when the connection is reset before it has taken all that was sent', async () => {
    const { link: it, memory } = link({ manual: true, capacity: 10 })

    it.transmit(batches([pattern(100)]))
    it.detach()
    it.close([pattern(7)], undefined)
    expect(await outcomeOf(it.closed)).to.equal('pending')
    memory.outbound.abort(new Error('ECONNRESET'))
    await expect(it.closed).to.eventually.be.rejectedWith('ECONNRESET')
    expect(memory.outbound.listeners).to.equal(0)
  })

  it('is closed in good order by a reset behind all that was sent', async () => {
    const { link: it, memory } = link({ manual: true, capacity: 10 })

    it.transmit(batches([pattern(100)]))
    it.detach()
    memory.outbound.close = async () => new Promise(() => {})
    it.close([pattern(7)], undefined)
    memory.outbound.flush()
    memory.outbound.abort(new Error('ECONNRESET'))
    await it.closed
    expect(memory.outbound.listeners).to.equal(0)
  })

  it('is closed when the connection is reset amid it, though the close of that goes on waiting', async () => {
    const { link: it, memory } = link()

    memory.outbound.close = async () => new Promise(() => {})
    it.close([pattern(7)], undefined)
    expect(await outcomeOf(it.closed)).to.equal('pending')
    memory.outbound.abort(new Error('ECONNRESET'))
    expect(await outcomeOf(it.closed)).to.equal('resolved')
  })

  it('closed or aborted when the connection is over, does nothing', async () => {
    const { link: it, memory } = link()

    memory.cut()
    it.close([pattern(7)], undefined)
    it.abort(new Error('enough'))
    await it.closed
    await turn()
    expect(memory.outbound.sendCalls).to.equal(0)
    expect(memory.outbound.aborted).to.equal(undefined)
    expect(it.open).to.be.false()
  })

  it('cuts after an error a connection that would wait for its peer once it has ended its own half', async () => {
    const { link: it, memory } = link()
    const error = new Error('the peer broke the protocol')

    // its own half is ended, and the peer's is not
    memory.outbound.close = async () => {
      memory.outbound.status = 'closing'
    }

    it.close([pattern(3)], error)
    await it.closed
    expect(memory.outbound.sends).to.have.lengthOf(1)
    expect(memory.outbound.status).to.equal('aborted')
    expect(memory.outbound.aborted).to.equal(error)
  })
})
