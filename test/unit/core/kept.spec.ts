import { expect } from 'aegir/chai'
import { Kept } from '../../../src/core/kept.ts'
import { ReceiveQueue } from '../../../src/core/receive-queue.ts'
import { pattern } from '../../support/frames.ts'

describe('core/kept', () => {
  it('counts bytes and pieces of all queues', () => {
    const kept = new Kept()
    const queues = [new ReceiveQueue(), new ReceiveQueue()]

    kept.push(queues[0], pattern(3))
    kept.push(queues[0], pattern(4))
    kept.push(queues[1], pattern(5))

    expect(kept).to.include({ bytes: 12, pieces: 3 })
  })

  it('counts less for what was read, a part of a piece as the whole piece', () => {
    const kept = new Kept()
    const queue = new ReceiveQueue()

    kept.push(queue, pattern(3))
    kept.push(queue, pattern(4))
    expect(kept.shift(queue, 2)).to.have.lengthOf(2)
    expect(kept).to.include({ bytes: 5, pieces: 2 })
    expect(kept.shift(queue, 2)).to.have.lengthOf(1)
    expect(kept).to.include({ bytes: 4, pieces: 1 })
    kept.shift(queue, Infinity)
    expect(kept).to.include({ bytes: 0, pieces: 0 })
    expect(kept.shift(queue, Infinity)).to.equal(undefined)
    expect(kept).to.include({ bytes: 0, pieces: 0 })
  })

  it('counts pieces that were joined as the one that they are', () => {
    const kept = new Kept()
    const queue = new ReceiveQueue()

    for (let i = 0; i < 100; i++) {
      kept.push(queue, pattern(1))
    }

    kept.settle(queue)

    expect(kept).to.include({ bytes: 100, pieces: 1 })
  })

  it('counts nothing of a queue that is released', () => {
    const kept = new Kept()
    const queues = [new ReceiveQueue(), new ReceiveQueue()]

    kept.push(queues[0], pattern(3))
    kept.push(queues[1], pattern(5))
    kept.release(queues[0])

    expect(kept).to.include({ bytes: 5, pieces: 1 })
  })
})
