import { expect } from 'aegir/chai'
import { Edge, StreamRecord } from '../../src/core/stream-record.ts'
import { resolveConfig } from '../../src/protocols/yamux/config.ts'
import { VirtualClock } from './kit/clock.ts'
import { isPattern, pattern } from './kit/pattern.ts'
import { Pipe } from './kit/pipe.ts'
import { Random, withSeed } from './kit/random.ts'
import { ACK, DATA, FIN, GO_AWAY, PING, RST, Recorder, SYN, WINDOW_UPDATE } from './kit/recorder.ts'
import { Told } from './kit/told.ts'

function frame (type: number, flags: number, streamId: number, length: number): Uint8Array {
  const bytes = new Uint8Array(12 + (type === DATA ? length : 0))
  const view = new DataView(bytes.buffer)

  view.setUint8(1, type)
  view.setUint16(2, flags)
  view.setUint32(4, streamId)
  view.setUint32(8, length)

  return bytes
}

function lose (): never {
  throw new Error('lost')
}

function waitForMiracle (): void {
  new VirtualClock().until('a miracle', () => false, 10)
}

describe('simulation: the kit', () => {
  describe('clock', () => {
    it('should go from event to event in order of time, and of scheduling where times are equal', () => {
      const clock = new VirtualClock()
      const seen: string[] = []

      for (const [name, millis] of [['c', 20], ['a', 10], ['b', 10], ['d', 30]] as const) {
        clock.schedule(() => seen.push(`${name}@${clock.now()}`), millis)
      }

      clock.schedule(() => seen.push('never'), 15)()
      clock.advance(25)
      expect(seen).to.deep.equal(['a@10', 'b@10', 'c@20'])
      expect(clock.now()).to.equal(25)
      expect(clock.step()).to.be.true()
      expect(clock.step()).to.be.false()
    })

    it('should keep order among many events', () => {
      const clock = new VirtualClock()
      const random = new Random(5)
      const seen: number[] = []

      for (let i = 0; i < 1_000; i++) {
        clock.schedule(() => seen.push(clock.now()), random.int(0, 500))
      }

      clock.advance(500)
      expect(seen).to.have.lengthOf(1_000)
      expect(seen).to.deep.equal([...seen].sort((a, b) => a - b))
    })

    it('should not wait for ever for what does not come', () => {
      expect(waitForMiracle).to.throw('a miracle')
    })
  })

  describe('pipe', () => {
    it('should deliver at its rate, after its latency, and ask to wait while it is full', () => {
      const clock = new VirtualClock()
      const pipe = new Pipe(clock, { latency: 10, rate: 5, capacity: 100, chop: () => 50 })
      const seen: Array<[number, number]> = []
      let drained = -1

      pipe.onBytes = bytes => { seen.push([clock.now(), bytes.byteLength]) }
      pipe.onDrain = () => { drained = clock.now() }

      expect(pipe.send([new Uint8Array(99)])).to.be.true()
      expect(pipe.send([new Uint8Array(1)])).to.be.false()
      clock.advance(100)
      expect(seen).to.deep.equal([[20, 50], [30, 50]])
      expect(drained).to.equal(10)
    })

    it('should deliver the same bytes however they are cut, and the end after them', () => {
      const random = new Random(1)
      const clock = new VirtualClock()
      const pipe = new Pipe(clock, { chop: () => random.int(1, 700) })
      const seen: Uint8Array[] = []
      let ended = false

      pipe.onBytes = bytes => { seen.push(bytes) }
      pipe.onEnd = () => { ended = true }

      for (let offset = 0; offset < 10_000; offset += 100) {
        pipe.send([pattern(1, offset, 1), pattern(1, offset + 1, 99)])
      }

      pipe.end()
      clock.advance(0)
      expect(isPattern(1, 0, Buffer.concat(seen))).to.be.true()
      expect(Buffer.concat(seen)).to.have.lengthOf(10_000)
      expect(ended).to.be.true()
    })

    it('should die after the byte that it was told', () => {
      const clock = new VirtualClock()
      const pipe = new Pipe(clock)
      let seen = 0
      let deaths = 0

      pipe.lifetime = 7
      pipe.onBytes = bytes => { seen += bytes.byteLength }
      pipe.onDeath = () => {
        deaths++
        pipe.die()
      }
      pipe.send([new Uint8Array(5), new Uint8Array(5)])
      pipe.end()
      clock.advance(10)
      expect([seen, deaths]).to.deep.equal([7, 1])
    })
  })

  describe('seed', () => {
    it('should repeat what it did, and name itself when something fails', () => {
      const draw = (random: Random): number[] => [random.next(), random.int(0, 9), random.magnitude(1, 1_000)]

      expect(withSeed(17, draw)).to.deep.equal(withSeed(17, draw))
      expect(withSeed(17, draw)).to.not.deep.equal(withSeed(18, draw))
      expect(() => withSeed(17, lose)).to.throw('SEED=17: lost')
    })
  })

  describe('pattern', () => {
    it('should tell bytes of another flow, or from elsewhere in the same, from those that belong', () => {
      expect(isPattern(4, 1_000, pattern(4, 1_000, 50))).to.be.true()
      expect(isPattern(4, 1_048_583 - 20, pattern(4, 1_048_583 - 20, 50))).to.be.true()

      for (const [flow, offset] of [[5, 1_000], [4, 1_001], [4, 999], [4, 1_000 + 65_536]]) {
        expect(isPattern(flow, offset, pattern(4, 1_000, 50))).to.be.false()
      }
    })
  })

  describe('told', () => {
    const limits = resolveConfig({ connectionWriteHighWaterMark: 100, streamOptions: { writeHighWaterMark: 10 } })
    const open = { send: 'open', receive: 'open', closed: false, queued: 0 } as const
    const over = { send: 'reset', receive: 'reset', closed: true, queued: 0 } as const

    /** Of a writer that waits, with ten bytes to send. */
    function waiting (): Told {
      const told = new Told(new StreamRecord(1, false, limits.stream, 0), limits, true)

      told.wrote(10, false, 10, 0)

      return told
    }

    const offences: Array<[string, (told: Told) => void]> = [
      ['a write that may go on over the high-water mark', told => { told.wrote(1, true, 11, 0) }],
      ['a write that may go on while others have too much to send', told => {
        told.sent(0, 0)
        told.onEdges(Edge.writable | Edge.flushed, open)
        told.wrote(1, true, 1, 100)
      }],
      ['a write that has to wait for nothing', told => {
        told.sent(0, 0)
        told.onEdges(Edge.writable | Edge.flushed, open)
        told.wrote(9, false, 9, 99)
      }],
      ['a writer that is not told that it may write', told => {
        told.sent(5, 0)
        told.check({ ...open, queued: 5 })
      }],
      ['a writer that is told so too early', told => {
        told.sent(6, 0)
        told.onEdges(Edge.writable, { ...open, queued: 6 })
      }],
      ['a writer that is not told that all has gone', told => {
        told.sent(0, 0)
        told.onEdges(Edge.writable, open)
        told.check(open)
      }],
      ['an end that nobody is told of', told => { told.check(over) }],
      ['an end that is none', told => {
        told.onEdges(Edge.closed | Edge.ended, open)
        told.check({ ...open, queued: 10 })
      }],
      ['an end of the peer that nobody is told of', told => { told.check({ ...open, receive: 'ended', queued: 10 }) }]
    ]

    for (const [what, offence] of offences) {
      it(`should not let pass ${what}`, () => {
        expect(() => { offence(waiting()) }).to.throw('the writer or reader of stream 1')
      })
    }

    it('should let pass a writer that waits until it is told that it may write, and then hears of the end', () => {
      const told = waiting()

      expect(told.mayWrite).to.be.false()
      told.check({ ...open, queued: 10 })
      told.sent(0, 0)
      told.onEdges(Edge.writable | Edge.flushed, open)
      told.check(open)
      expect(told.mayWrite).to.be.true()
      told.onEdges(Edge.closed | Edge.ended, over)
      told.check(over, true)
    })
  })

  describe('recorder', () => {
    const opened = [frame(WINDOW_UPDATE, SYN, 1, 0)]
    const offences: Array<[string, Uint8Array[], Uint8Array[]]> = [
      ['two flags at once', [], [frame(WINDOW_UPDATE, SYN | FIN, 1, 0)]],
      ['a flag that nobody knows', opened, [frame(WINDOW_UPDATE, 16, 1, 1)]],
      ['a flag on data', opened, [frame(DATA, FIN, 1, 5)]],
      ['half a frame', opened, [frame(WINDOW_UPDATE, 0, 1, 1).subarray(0, 11)]],
      ['an empty data frame', opened, [frame(DATA, 0, 1, 0)]],
      ['a data frame over 64 KiB', opened, [frame(DATA, 0, 1, 65_537)]],
      ['data beyond the window', [...opened, ...[1, 2, 3, 4].map(() => frame(DATA, 0, 1, 65_536))], [frame(DATA, 0, 1, 1)]],
      ['data on a stream never opened', opened, [frame(DATA, 0, 3, 1)]],
      ['an id of the other parity', [], [frame(WINDOW_UPDATE, SYN, 2, 0)]],
      ['an id that is used again', opened, opened],
      ['a second FIN', [...opened, frame(WINDOW_UPDATE, FIN, 1, 0)], [frame(WINDOW_UPDATE, FIN, 1, 0)]],
      ['data after a FIN', [...opened, frame(WINDOW_UPDATE, FIN, 1, 0)], [frame(DATA, 0, 1, 1)]],
      ['data after an RST', [...opened, frame(WINDOW_UPDATE, RST, 1, 0)], [frame(DATA, 0, 1, 1)]],
      ['a second RST', [...opened, frame(WINDOW_UPDATE, RST, 1, 0)], [frame(WINDOW_UPDATE, RST, 1, 0)]],
      ['an ACK of a stream of our own', opened, [frame(WINDOW_UPDATE, ACK, 1, 0)]],
      ['credit of nothing', opened, [frame(WINDOW_UPDATE, 0, 1, 0)]],
      ['a pong without a ping', [], [frame(PING, ACK, 0, 0)]],
      ['anything after GoAway', [frame(GO_AWAY, 0, 0, 0)], [frame(PING, SYN, 0, 0)]],
      ['the 257th open that nobody has acknowledged', new Array(256).fill(0).map((_, i) => frame(WINDOW_UPDATE, SYN, 2 * i + 1, 0)), [frame(WINDOW_UPDATE, SYN, 513, 0)]]
    ]

    for (const [what, before, offence] of offences) {
      it(`should not let pass ${what}`, () => {
        const recorder = new Recorder('client', 'client')

        recorder.sent(before)
        expect(() => { recorder.sent(offence) }).to.throw()
      })
    }

    it('should not let pass credit after the FIN of the peer, nor data after its RST, nor two pongs for one ping', () => {
      for (const [received, offence] of [
        [frame(WINDOW_UPDATE, FIN, 1, 0), [frame(WINDOW_UPDATE, 0, 1, 10)]],
        [frame(WINDOW_UPDATE, RST, 1, 0), [frame(DATA, 0, 1, 10)]],
        [frame(PING, SYN, 0, 7), [frame(PING, ACK, 0, 7), frame(PING, ACK, 0, 7)]]
      ] as Array<[Uint8Array, Uint8Array[]]>) {
        const recorder = new Recorder('client', 'client')

        recorder.sent(opened)
        recorder.received(received)
        expect(() => { recorder.sent(offence) }).to.throw()
      }
    })

    it('should count credit and acknowledgements as frames tell, however they are cut', () => {
      const recorder = new Recorder('client', 'client')

      recorder.sent([...opened, frame(DATA, 0, 1, 1_000), frame(WINDOW_UPDATE, 0, 1, 5)])
      expect(recorder.unacknowledged).to.equal(1)

      for (const byte of Buffer.concat([frame(WINDOW_UPDATE, ACK, 1, 300), frame(DATA, 0, 1, 50)])) {
        recorder.received(Uint8Array.of(byte))
      }

      expect(recorder.unacknowledged).to.equal(0)
      expect(recorder.streams.get(1)).to.include({ sendCredit: 262_144 - 1_000 + 300, receiveCredit: 262_144 + 5 - 50 })
    })
  })
})
