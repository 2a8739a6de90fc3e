import { expect } from 'aegir/chai'
import { EdgeQueue, OwedLane, takeEdges } from '../../../src/core/stream-lanes.ts'
import { Edge } from '../../../src/core/stream-record.ts'
import { record } from './records.ts'

describe('core/stream-lanes', () => {
  describe('edges', () => {
    it('are none at first', () => {
      expect(new EdgeQueue().poll()).to.equal(undefined)
      expect(takeEdges(record())).to.equal(0)
    })

    it('come stream by stream, in the order of the first of each', () => {
      const queue = new EdgeQueue()
      const [a, b, c] = [record(1), record(3), record(5)]

      queue.raise(b, Edge.readable)
      queue.raise(a, Edge.opened)
      queue.raise(b, Edge.remoteEnded)
      queue.raise(c, Edge.closed)

      expect(queue.poll()).to.equal(b)
      expect(takeEdges(b)).to.equal(Edge.readable | Edge.remoteEnded)
      expect(queue.poll()).to.equal(a)
      expect(takeEdges(a)).to.equal(Edge.opened)
      expect(queue.poll()).to.equal(c)
      expect(takeEdges(c)).to.equal(Edge.closed)
      expect(queue.poll()).to.equal(undefined)
    })

    it('are raised once however often they happen', () => {
      const queue = new EdgeQueue()
      const stream = record()

      queue.raise(stream, Edge.readable)
      queue.raise(stream, Edge.readable)

      expect(queue.poll()).to.equal(stream)
      expect(takeEdges(stream)).to.equal(Edge.readable)
      expect(queue.poll()).to.equal(undefined)
      expect(takeEdges(stream)).to.equal(0)
    })

    it('bring a stream back when they are raised after it was looked at', () => {
      const queue = new EdgeQueue()
      const [a, b] = [record(1), record(3)]

      queue.raise(a, Edge.readable)
      queue.raise(b, Edge.readable)
      queue.poll()
      takeEdges(a)
      queue.raise(a, Edge.closed)

      expect(queue.poll()).to.equal(b)
      expect(queue.poll()).to.equal(a)
      expect(takeEdges(a)).to.equal(Edge.closed)
      expect(queue.poll()).to.equal(undefined)
    })

    it('leave a stream in its place when they are taken back', () => {
      const queue = new EdgeQueue()
      const [a, b, c] = [record(1), record(3), record(5)]

      queue.raise(a, Edge.remoteEnded)
      queue.raise(b, Edge.readable)
      a.edges &= ~Edge.remoteEnded
      queue.raise(a, Edge.closed)
      queue.raise(c, Edge.opened)

      expect(queue.poll()).to.equal(a)
      expect(takeEdges(a)).to.equal(Edge.closed)
      expect(queue.poll()).to.equal(b)
      expect(queue.poll()).to.equal(c)
      expect(queue.poll()).to.equal(undefined)
    })

    it('have a bit each', () => {
      const bits = Object.values(Edge)

      expect(bits.reduce((sum, bit) => sum + bit, 0)).to.equal(2 ** bits.length - 1)
    })
  })

  describe('frames owed', () => {
    it('are none at first', () => {
      const lane = new OwedLane()

      expect(lane.empty).to.be.true()
      expect(lane.poll()).to.equal(undefined)
    })

    it('are served in the order in which streams came to owe', () => {
      const lane = new OwedLane()
      const [a, b] = [record(1), record(3)]

      lane.add(b, 1)
      lane.add(a, 2)
      lane.add(b, 4)
      expect(lane.empty).to.be.false()

      expect(lane.poll()).to.equal(b)
      expect(b.owed).to.equal(5)
      expect(lane.poll()).to.equal(a)
      expect(a.owed).to.equal(2)
      expect(lane.empty).to.be.true()
      expect(lane.poll()).to.equal(undefined)
    })

    it('tell how many streams owe', () => {
      const lane = new OwedLane()

      lane.add(record(1), 1)
      lane.add(record(3), 1)
      expect(lane.length).to.equal(2)

      lane.poll()
      lane.poll()
      lane.poll()
      expect(lane.length).to.equal(0)
    })

    it('are let go of with streams that are over, once those are the most', () => {
      const lane = new OwedLane()
      const streams = Array.from({ length: 100 }, (_, i) => record(2 * i + 1))

      for (const stream of streams) {
        lane.add(stream, 3)
      }

      for (const stream of streams.slice(1, 99)) {
        stream.apply('reset-sent')
      }

      lane.tidy(18)
      expect(lane.length).to.equal(100)
      lane.tidy(17)
      expect(lane.length).to.equal(2)
      expect(streams[50].owed).to.equal(0)
      expect([lane.poll(), lane.poll(), lane.poll()]).to.deep.equal([streams[0], streams[99], undefined])
      expect(streams[99].owed).to.equal(3)
      lane.tidy(0)
      expect(lane.empty).to.be.true()
    })

    it('bring a stream back once what it owed was made', () => {
      const lane = new OwedLane()
      const [a, b] = [record(1), record(3)]

      lane.add(a, 1)
      lane.add(b, 1)
      lane.poll()
      a.owed = 0
      lane.add(a, 2)

      expect([lane.poll(), lane.poll(), lane.poll()]).to.deep.equal([b, a, undefined])
    })
  })
})
