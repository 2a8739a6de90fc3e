import { expect } from 'aegir/chai'
import { Scheduler } from '../../../src/core/scheduler.ts'
import { record } from './records.ts'
import type { StreamId, StreamRecord } from '../../../src/core/stream-record.ts'

/** The ids of the next streams, each put back as a stream with more to send is. */
function turns (scheduler: Scheduler, count: number): StreamId[] {
  const ids: StreamId[] = []

  for (let i = 0; i < count; i++) {
    const stream = scheduler.poll() as StreamRecord

    ids.push(stream.id)
    scheduler.add(stream)
  }

  return ids
}

function schedulerOf (...streams: StreamRecord[]): Scheduler {
  const scheduler = new Scheduler()

  streams.forEach(stream => {
    scheduler.add(stream)
  })

  return scheduler
}

describe('core/scheduler', () => {
  it('lets go of streams that are over, once those are the most, and leaves the others as they were', () => {
    const streams = Array.from({ length: 100 }, (_, i) => record(i, i % 8))
    const scheduler = schedulerOf(...streams)

    for (const stream of streams.slice(4, 96)) {
      stream.apply('reset-sent')
    }

    scheduler.tidy(18)
    expect(scheduler.length).to.equal(100)
    scheduler.tidy(17)
    expect(scheduler.length).to.equal(8)
    expect(streams[50].scheduled).to.be.false()
    expect(Array.from({ length: 9 }, () => scheduler.poll()?.id)).to.deep.equal([0, 96, 1, 97, 2, 98, 3, 99, undefined])
    expect(scheduler.empty).to.be.true()
  })

  it('passes over streams that are over, which have no turn, and no rescue either', () => {
    const alive = record(3)
    const dead = [record(1), record(2)]
    const urgent = record(4)

    urgent.urgency = 0

    const scheduler = schedulerOf(urgent, ...dead, alive)

    for (const stream of dead) {
      stream.apply('reset-sent')
    }

    expect(turns(scheduler, 32).indexOf(alive.id)).to.equal(31)
    expect(scheduler.length).to.equal(2)
  })

  it('is empty when all that is left is over, and goes on to the next level when one of them is', () => {
    const [dead, alive, last] = [record(1), record(2), record(3)]

    dead.urgency = 0

    const scheduler = schedulerOf(dead, alive, last)

    dead.apply('reset-sent')
    last.apply('reset-sent')
    expect(scheduler.poll()).to.equal(alive)
    expect(scheduler.poll()).to.equal(undefined)
    expect(scheduler.empty).to.be.true()
    expect(scheduler.length).to.equal(0)
  })

  it('is empty at first and once all had their turn', () => {
    const scheduler = new Scheduler()

    expect(scheduler.empty).to.be.true()
    expect(scheduler.poll()).to.equal(undefined)

    const stream = record()

    scheduler.add(stream)
    expect(scheduler.empty).to.be.false()
    expect(scheduler.poll()).to.equal(stream)
    expect(scheduler.empty).to.be.true()
    expect(scheduler.poll()).to.equal(undefined)
  })

  it('goes round among equals', () => {
    const scheduler = schedulerOf(record(1), record(3), record(5))

    expect(turns(scheduler, 7)).to.deep.equal([1, 3, 5, 1, 3, 5, 1])
  })

  it('lets a newcomer wait for no more than one turn of each', () => {
    const scheduler = schedulerOf(record(1), record(3))

    turns(scheduler, 3)
    scheduler.add(record(5))

    expect(turns(scheduler, 3)).to.deep.equal([3, 1, 5])
  })

  it('holds a stream once, however often it is added', () => {
    const [a, b] = [record(1), record(3)]
    const scheduler = schedulerOf(a, b, a, b, a)

    expect([scheduler.poll(), scheduler.poll(), scheduler.poll()]).to.deep.equal([a, b, undefined])
  })

  it('serves the more urgent first, at all eight levels', () => {
    const scheduler = schedulerOf(...[4, 7, 0, 3, 6, 1, 5, 2].map(urgency => record(urgency, urgency)))
    const order: Array<StreamId | undefined> = []

    while (!scheduler.empty) {
      order.push(scheduler.poll()?.id)
    }

    expect(order).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('lets an urgent newcomer overtake all that wait', () => {
    const scheduler = schedulerOf(record(1, 5), record(3, 5))

    turns(scheduler, 2)
    scheduler.add(record(5, 0))

    expect(scheduler.poll()?.id).to.equal(5)
  })

  it('serves the least urgent stream within 32 turns, whatever waits above it', () => {
    const scheduler = schedulerOf(record(1, 0), record(3, 0), record(5, 7))
    const served = turns(scheduler, 320)

    for (let i = 0; i + 32 <= served.length; i++) {
      expect(served.slice(i, i + 32).filter(id => id === 5)).to.have.lengthOf(1)
    }
  })

  it('lets no level starve between the most and the least urgent', () => {
    const scheduler = schedulerOf(record(1, 0), record(3, 3), record(5, 5), record(7, 7))
    const served = turns(scheduler, 960)

    for (let i = 0; i + 96 <= served.length; i++) {
      expect(served.slice(i, i + 96)).to.include.members([1, 3, 5, 7])
    }
  })

  it('rescues nobody where all are equally urgent', () => {
    const scheduler = schedulerOf(record(1), record(3))

    expect(turns(scheduler, 100)).to.deep.equal(Array.from({ length: 100 }, (_, i) => i % 2 === 0 ? 1 : 3))
  })

  it('tells how many wait', () => {
    const [a, b] = [record(1, 0), record(3, 7)]
    const scheduler = schedulerOf(a, b, a)

    expect(scheduler.length).to.equal(2)
    scheduler.poll()
    expect(scheduler.length).to.equal(1)
    scheduler.add(a)
    scheduler.poll()
    scheduler.poll()
    scheduler.poll()
    expect(scheduler.length).to.equal(0)
  })

  it('gives the least urgent no more than its rescue', () => {
    const scheduler = schedulerOf(record(1, 0), record(3, 1))

    expect(turns(scheduler, 3_200).filter(id => id === 3)).to.have.lengthOf(100)
  })

  it('takes a new urgency into account from the next turn of the stream on', () => {
    const [a, b] = [record(1, 2), record(3, 4)]
    const scheduler = schedulerOf(a, b)

    a.urgency = 6
    // it stood there already, and is found there
    expect(turns(scheduler, 1)).to.deep.equal([1])
    expect(turns(scheduler, 2)).to.deep.equal([3, 3])
    b.urgency = 7
    expect(turns(scheduler, 3)).to.deep.equal([3, 1, 1])
  })

  it('loses no stream when urgencies change while they wait', () => {
    const streams = [record(1, 0), record(3, 0), record(5, 7), record(7, 7)]
    const scheduler = schedulerOf(...streams)

    streams.forEach(stream => {
      stream.urgency = 7 - stream.urgency
      scheduler.add(stream)
    })

    const served = [scheduler.poll(), scheduler.poll(), scheduler.poll(), scheduler.poll()]

    expect(new Set(served)).to.deep.equal(new Set(streams))
    expect(scheduler.empty).to.be.true()
  })

  describe('with streams that are not incremental', () => {
    /** As an engine polls: a stream that has more to send is put back, in front if it is not incremental. */
    function drain (scheduler: Scheduler, frames: Map<StreamRecord, number>, count = Infinity): StreamId[] {
      const ids: StreamId[] = []

      while (!scheduler.empty && ids.length < count) {
        const stream = scheduler.poll() as StreamRecord
        const left = (frames.get(stream) ?? Infinity) - 1

        ids.push(stream.id)
        frames.set(stream, left)

        if (left > 0) {
          scheduler.add(stream, !stream.incremental)
        }
      }

      return ids
    }

    function whole (id: number, urgency?: number): StreamRecord {
      const stream = record(id, urgency)

      stream.incremental = false

      return stream
    }

    it('finishes the one that began first before others of its urgency', () => {
      const [a, b, c] = [whole(1), whole(3), record(5)]
      const frames = new Map([[a, 3], [b, 2], [c, 2]])

      expect(drain(schedulerOf(a, b, c), frames)).to.deep.equal([1, 1, 1, 3, 3, 5, 5])
    })

    it('begins one only when its turn among equals has come', () => {
      const [a, b] = [record(1), whole(3)]
      const frames = new Map([[a, 3], [b, 3]])

      expect(drain(schedulerOf(a, b), frames)).to.deep.equal([1, 3, 3, 3, 1, 1])
    })

    it('goes behind the others when it had nothing to send for a while', () => {
      const [a, b] = [whole(1), whole(3)]
      const scheduler = schedulerOf(a, b)

      expect(scheduler.poll()).to.equal(a)
      scheduler.add(a)
      expect(drain(scheduler, new Map([[a, 1], [b, 2]]))).to.deep.equal([3, 3, 1])
    })

    it('lets a more urgent one in between, and goes on after it', () => {
      const [a, b] = [whole(1), whole(3)]
      const scheduler = schedulerOf(a, b)
      const frames = new Map([[a, 4], [b, 1]])

      expect(drain(scheduler, frames, 2)).to.deep.equal([1, 1])
      scheduler.add(record(5, 0))
      frames.set(scheduler.poll() as StreamRecord, 0)
      expect(drain(scheduler, frames)).to.deep.equal([1, 1, 3])
    })

    it('does not starve less urgent ones', () => {
      const served = drain(schedulerOf(whole(1, 0), record(3, 4), whole(5, 7)), new Map(), 960)

      for (let i = 0; i + 96 <= served.length; i++) {
        expect(served.slice(i, i + 96)).to.include.members([1, 3, 5])
      }

      expect(served.filter(id => id === 1)).to.have.lengthOf(960 - 30)
    })

    it('counts and holds each once, put in front or behind', () => {
      const [a, b] = [whole(1), whole(3)]
      const scheduler = schedulerOf(a, b)

      scheduler.add(b, true)
      scheduler.add(a, true)
      expect(scheduler.length).to.equal(2)
      expect([scheduler.poll(), scheduler.poll(), scheduler.poll()]).to.deep.equal([a, b, undefined])
      scheduler.add(b, true)
      scheduler.add(a, true)
      expect([scheduler.poll(), scheduler.poll(), scheduler.poll()]).to.deep.equal([a, b, undefined])
      expect(scheduler.length).to.equal(0)
    })
  })
})
