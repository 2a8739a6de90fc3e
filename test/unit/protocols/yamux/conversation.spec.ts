import { expect } from 'aegir/chai'
import { EnginePair } from '../../../support/engine-pair.ts'
import { join, pattern, text } from '../../../support/frames.ts'
import type { YamuxStream } from '../../../../src/protocols/yamux/stream.ts'
import type { EngineDriver } from '../../../support/engine-pair.ts'

/** Takes every stream that was opened, and sends back what it reads, as an echo service would. */
function echo (driver: EngineDriver): void {
  for (const line of driver.edges()) {
    const [id, edge] = line.split(' ')
    const stream = driver.stream(Number(id))

    if (edge === 'opened') {
      driver.accept(stream.id)
    } else if (edge === 'readable') {
      driver.write(stream, driver.read(stream))
    } else if (edge === 'remoteEnded') {
      driver.end(stream)
    }
  }
}

/** Scenarios that other implementations try themselves by, between two of our own. */
describe('yamux: conversation', () => {
  it('echoes a thousand messages of four bytes', () => {
    const pair = new EnginePair()
    const stream = pair.client.open()

    for (let i = 0; i < 1_000; i++) {
      pair.client.write(stream, pattern(4, i))
      pair.exchange()
      echo(pair.server)
      pair.exchange()

      expect(pair.client.read(stream)).to.deep.equal(pattern(4, i))
    }
  })

  it('carries messages of fifty streams, each whole', () => {
    const pair = new EnginePair()
    const streams = Array.from({ length: 50 }, () => pair.client.open())

    for (let i = 0; i < 100; i++) {
      for (const stream of streams) {
        pair.client.write(stream, pattern(512, stream.id + i))
      }

      pair.exchange()
      echo(pair.server)
      pair.exchange()

      for (const stream of streams) {
        expect(pair.client.read(stream)).to.deep.equal(pattern(512, stream.id + i))
      }
    }
  })

  it('carries both ways when both sides write a megabyte before they read', () => {
    const pair = new EnginePair()
    const ours = pair.client.open()
    const bodies = { client: pattern(1_048_576, 1), server: pattern(1_048_576, 2) }

    pair.client.write(ours, bodies.client)
    pair.exchange()

    const theirs = pair.server.accept(1)
    const got: { client: Uint8Array[], server: Uint8Array[] } = { client: [], server: [] }

    pair.server.write(theirs, bodies.server)

    for (let turn = 0; turn < 8; turn++) {
      pair.exchange()
      got.client.push(pair.client.read(ours))
      got.server.push(pair.server.read(theirs))
    }

    expect(join(...got.client)).to.deep.equal(bodies.server)
    expect(join(...got.server)).to.deep.equal(bodies.client)
  })

  it('does not let a stream whose window is used up block another', () => {
    const pair = new EnginePair()
    const [full, free] = [pair.client.open(), pair.client.open()]

    pair.client.write(full, pattern(1_000_000))
    pair.exchange()
    pair.client.write(free, pattern(64))
    pair.exchange()

    expect(pair.server.stream(1).receiveQueue.byteLength).to.equal(262_144)
    expect(pair.server.stream(3).receiveQueue.byteLength).to.equal(64)
  })

  it('gives what was sent before the connection was cut to a reader that was slow, then the error', () => {
    const pair = new EnginePair()
    const stream = pair.client.open()

    pair.client.write(stream, pattern(262_144))
    pair.exchange()

    const theirs = pair.server.accept(1)

    pair.server.engine.receiveEnd(undefined)

    expect(pair.server.read(theirs)).to.deep.equal(pattern(262_144))
    expect(theirs.error).to.have.property('name', 'ConnectionClosedError')
  })

  it('half-closes in both orders, with a reply after the end', () => {
    const pair = new EnginePair()
    const stream = pair.client.open()

    pair.client.write(stream, new TextEncoder().encode('question'))
    pair.client.end(stream)
    pair.exchange()

    const theirs = pair.server.accept(1)

    expect(text(pair.server.read(theirs))).to.equal('question')
    pair.server.write(theirs, new TextEncoder().encode('answer'))
    pair.server.end(theirs)
    pair.exchange()

    expect(text(pair.client.read(stream))).to.equal('answer')
    expect([stream.error, theirs.error]).to.deep.equal([undefined, undefined])
    expect([stream.closed, theirs.closed]).to.deep.equal([true, true])
  })

  it('tells a reset with its code to either side', () => {
    const pair = new EnginePair()
    const [one, two] = [pair.client.open(), pair.client.open()]

    pair.exchange()
    pair.client.reset(one, 42)
    pair.server.reset(pair.server.accept(3), 43)
    pair.exchange()

    expect(pair.server.stream(1).error).to.include({ name: 'StreamResetError', code: 42, origin: 'remote' })
    expect(two.error).to.include({ name: 'StreamResetError', code: 43, origin: 'remote' })
  })

  it('opens and ends ten thousand streams one after another, and keeps none', () => {
    const pair = new EnginePair()

    for (let i = 0; i < 10_000; i++) {
      const stream = pair.client.open()

      pair.client.end(stream)
      pair.exchange()
      echo(pair.server)
      pair.exchange()
      pair.client.edges()
    }

    for (const { engine } of [pair.client, pair.server]) {
      expect(engine.state).to.equal('open')
      expect(engine.streamCount).to.deep.equal({ inbound: 0, outbound: 0 })
      expect([...engine.streams]).to.have.lengthOf(0)
    }
  })

  it('waits for the ACK of the 257th stream, and goes on when it comes', () => {
    const pair = new EnginePair()

    for (let i = 0; i < 256; i++) {
      pair.client.open()
    }

    expect(pair.client.engine.open(pair.client.now)).to.equal(undefined)
    pair.exchange()
    expect(pair.client.events()).to.deep.equal([])

    echo(pair.server)
    pair.exchange()
    expect(pair.client.events()).to.deep.equal([{ type: 'available' }])
    expect(pair.client.open().id).to.equal(513)
  })

  it('answers ten thousand pings each way', () => {
    const pair = new EnginePair({ budgets: { pings: 10_000 } })

    for (let i = 0; i < 10_000; i++) {
      pair.client.engine.ping()
      pair.server.engine.ping()
    }

    const sent = pair.exchange()

    expect(sent.client.filter(line => line.startsWith('ping|ACK'))).to.have.lengthOf(10_000)
    expect(sent.server.filter(line => line.startsWith('ping|ACK'))).to.have.lengthOf(10_000)
  })

  it('fills a large window that was announced, without an update in between', () => {
    const pair = new EnginePair({ streamOptions: { initialStreamWindowSize: 16_777_216 } })
    const stream = pair.client.open()

    pair.exchange()
    pair.server.accept(1)
    pair.exchange()
    pair.client.write(stream, pattern(16_777_217))
    pair.exchange()

    expect(pair.server.stream(1).receiveQueue.byteLength).to.equal(16_777_216)
    expect(stream.sendQueue.byteLength).to.equal(1)
    expect(pair.server.engine.state).to.equal('open')
  })

  it('never goes beyond the other side\'s window while windows grow', () => {
    const pair = new EnginePair()

    pair.server.know(100)

    const stream = pair.client.open()
    let received = 0

    pair.exchange()

    const theirs: YamuxStream = pair.server.accept(1)

    pair.client.write(stream, pattern(30_000_000))

    for (let turn = 0; received < 30_000_000; turn++) {
      expect(turn).to.be.lessThan(1_000)
      pair.exchange()
      pair.pass(50)
      received += pair.server.read(theirs).byteLength
    }

    expect(theirs.receiveWindow.size).to.equal(16_777_216)
    expect(pair.server.engine.state).to.equal('open')
  })

  it('ends well when one side says GoAway 0 after its streams, and the other has one still open', () => {
    const pair = new EnginePair()
    const stream = pair.client.open()

    pair.exchange()
    pair.server.engine.close(0, undefined)
    pair.exchange()

    expect(pair.client.events()).to.deep.equal([{ type: 'go-away', code: 0 }])
    pair.client.engine.receiveEnd(undefined)
    expect(stream.error).to.have.property('name', 'ConnectionClosedError')
  })

  it('finds out when two clients talk to each other', () => {
    const pair = new EnginePair()
    const other = new EnginePair()

    pair.client.open()
    other.client.give(pair.client.bytes())

    expect(other.client.closedBy().message).to.include('are both ends clients?')
    expect(other.client.sent()).to.deep.equal(['goaway 1'])
  })
})
