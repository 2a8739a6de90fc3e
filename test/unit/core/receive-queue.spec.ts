import { expect } from 'aegir/chai'
import { ReceiveQueue } from '../../../src/core/receive-queue.ts'
import { join, pattern } from '../../support/frames.ts'
import { takeAll } from '../../support/reading.ts'

function queueOf (...pieces: Uint8Array[]): ReceiveQueue {
  const queue = new ReceiveQueue()

  pieces.forEach(piece => {
    queue.push(piece)
  })

  return queue
}

function lengths (pieces: Uint8Array[]): number[] {
  return pieces.map(piece => piece.byteLength)
}

describe('core/receive-queue', () => {
  it('takes nothing back that is empty, which would pass for a message', () => {
    const queue = new ReceiveQueue()

    queue.push(Uint8Array.of(3))
    queue.putBack([new Uint8Array(0)], true)
    queue.putBack([new Uint8Array(0), Uint8Array.of(1, 2), new Uint8Array(0)], true)
    queue.putBack([new Uint8Array(0)], false)
    expect(queue).to.include({ byteLength: 3, pieces: 2 })
    expect([...queue.shift() as Uint8Array]).to.deep.equal([1, 2])
  })

  it('has nothing to give at first', () => {
    const queue = new ReceiveQueue()

    expect(queue.byteLength).to.equal(0)
    expect(queue.pieces).to.equal(0)
    expect(queue.shift()).to.equal(undefined)
    expect(takeAll(queue)).to.deep.equal([])

    queue.settle()
    expect(queue.shift()).to.equal(undefined)
  })

  it('gives pieces as they came, by reference, to who reads at once', () => {
    const pieces = [pattern(10), pattern(1), pattern(10_000)]
    const queue = queueOf(...pieces)

    expect(queue.byteLength).to.equal(10_011)
    expect(queue.pieces).to.equal(3)

    const read = takeAll(queue)

    expect(read).to.have.lengthOf(3)
    read.forEach((piece, i) => {
      expect(piece).to.equal(pieces[i])
    })
    expect(queue.byteLength).to.equal(0)
    expect(queue.pieces).to.equal(0)
  })

  it('gives no more than was asked for, and the rest afterwards', () => {
    const queue = queueOf(pattern(10), pattern(3, 5))

    expect(queue.shift(4)).to.deep.equal(pattern(10).subarray(0, 4))
    expect(queue.byteLength).to.equal(9)
    expect(queue.pieces).to.equal(2)
    expect(queue.shift(6)).to.deep.equal(pattern(10).subarray(4))
    expect(queue.shift(100)).to.deep.equal(pattern(3, 5))
    expect(queue.shift(100)).to.equal(undefined)
  })

  it('gives all at once', () => {
    const queue = queueOf(pattern(10), pattern(3, 5))

    expect(takeAll(queue)).to.deep.equal([pattern(10), pattern(3, 5)])
    expect(queue.byteLength).to.equal(0)
    expect(takeAll(queue)).to.deep.equal([])
  })

  it('gives all that is left after some was read', () => {
    const queue = queueOf(pattern(10), pattern(3, 5), pattern(2, 9))

    queue.shift()
    queue.shift(1)

    expect(takeAll(queue)).to.deep.equal([pattern(3, 5).subarray(1), pattern(2, 9)])
  })

  it('forgets all that is cleared, and starts anew', () => {
    const queue = queueOf(...Array.from({ length: 20 }, (_, i) => pattern(10, i)))

    queue.settle()
    queue.clear()
    expect(queue.byteLength).to.equal(0)
    expect(queue.pieces).to.equal(0)
    expect(queue.shift()).to.equal(undefined)

    queue.push(pattern(7, 3))
    queue.settle()
    expect(takeAll(queue)).to.deep.equal([pattern(7, 3)])
  })

  it('shares nothing with other queues', () => {
    const [a, b] = [queueOf(), queueOf()]

    a.push(pattern(1))
    b.push(pattern(2))

    expect([lengths(takeAll(a)), lengths(takeAll(b))]).to.deep.equal([[1], [2]])
  })

  it('keeps pieces apart while they are few', () => {
    const queue = queueOf(...Array.from({ length: 16 }, (_, i) => pattern(i + 1, i)))

    queue.settle()

    expect(takeAll(queue)).to.deep.equal(Array.from({ length: 16 }, (_, i) => pattern(i + 1, i)))
  })

  it('keeps pieces apart that come one by one while they are few', () => {
    const queue = new ReceiveQueue()

    for (let i = 0; i < 16; i++) {
      queue.push(pattern(100, i))
      queue.settle()
    }

    expect(lengths(takeAll(queue))).to.deep.equal(new Array(16).fill(100))
  })

  it('joins small pieces once they are many', () => {
    const queue = queueOf(...Array.from({ length: 17 }, (_, i) => pattern(10, i)))

    queue.settle()

    expect(queue.pieces).to.equal(1)
    expect(queue.shift()).to.deep.equal(join(...Array.from({ length: 17 }, (_, i) => pattern(10, i))))
  })

  it('keeps large pieces by reference beside many small ones', () => {
    const large = pattern(32_768, 1)
    const small = Array.from({ length: 20 }, (_, i) => pattern(10, i))
    const queue = queueOf(...small, large, ...small)

    queue.settle()

    const pieces = takeAll(queue)

    expect(lengths(pieces)).to.deep.equal([200, 32_768, 200])
    expect(pieces[1]).to.equal(large)
    expect(join(...pieces)).to.deep.equal(join(...small, large, ...small))
  })

  it('gives the same bytes whatever is joined, however it is read', () => {
    const pieces = Array.from({ length: 300 }, (_, i) => pattern(i * 17 % 700 + 1, i))

    for (const max of [1, 7, 512, 70_000, Infinity]) {
      const queue = queueOf(...pieces)

      queue.settle()
      expect(join(...takeAll(queue, max))).to.deep.equal(join(...pieces))
    }
  })

  it('joins what comes later to what was joined before', () => {
    const queue = queueOf(...Array.from({ length: 17 }, (_, i) => pattern(10, i)))

    queue.settle()

    for (let i = 17; i < 80; i++) {
      queue.push(pattern(10, i))
      queue.settle()
    }

    // the first seventeen were many; from then on each was one of few
    expect(queue.pieces).to.be.at.most(17)
    expect(join(...takeAll(queue))).to.deep.equal(join(...Array.from({ length: 80 }, (_, i) => pattern(10, i))))
  })

  it('does nothing twice when it is settled again', () => {
    const queue = queueOf(...Array.from({ length: 40 }, (_, i) => pattern(10, i)))

    queue.settle()

    const { byteLength, pieces } = queue

    queue.settle()

    expect(queue).to.include({ byteLength, pieces })
  })

  it('goes on in order when some was read between', () => {
    const queue = new ReceiveQueue()
    const written: Uint8Array[] = []
    const read: Uint8Array[] = []

    for (let i = 0; i < 500; i++) {
      for (let j = 0; j < i % 23; j++) {
        const piece = pattern((i * 31 + j * 7) % 900 + 1, i + j)

        queue.push(piece)
        written.push(piece)
      }

      if (i % 3 !== 0) {
        queue.settle()
      }

      for (let j = 0; j < i % 19; j++) {
        const piece = queue.shift(i % 5 === 0 ? 100 : Infinity)

        if (piece !== undefined) {
          read.push(piece)
        }
      }
    }

    expect(join(...read, ...takeAll(queue))).to.deep.equal(join(...written))
    expect(queue.byteLength).to.equal(0)
  })

  it('changes nothing that was handed out, whatever comes later', () => {
    const queue = queueOf(...Array.from({ length: 40 }, (_, i) => pattern(10, i)))

    queue.settle()

    const handedOut = [queue.shift(100), queue.shift(50)] as Uint8Array[]
    const before = handedOut.map(piece => piece.slice())

    for (let i = 0; i < 200; i++) {
      queue.push(pattern(10, i))
      queue.settle()
    }

    expect(handedOut).to.deep.equal(before)
  })

  it('appends to no memory of which a part was handed out: its new owner may transfer it', () => {
    const queue = queueOf(...Array.from({ length: 40 }, (_, i) => pattern(10, i)))

    queue.settle()

    const part = queue.shift(100) as Uint8Array
    const rest = queue.byteLength

    for (let i = 0; i < 40; i++) {
      queue.push(pattern(10, i))
    }

    queue.settle()

    const [left, ...later] = takeAll(queue)

    expect(left.byteLength).to.equal(rest)
    expect(later.map(piece => piece.buffer)).to.not.include(part.buffer)
  })

  it('keeps no buffer that its owner writes to again', () => {
    const transport = pattern(65_536)
    const small = Array.from({ length: 40 }, (_, i) => transport.subarray(i * 1_000, i * 1_000 + 1_000))
    const queue = queueOf(...small)

    queue.settle()
    transport.fill(0)

    expect(join(...takeAll(queue))).to.deep.equal(pattern(65_536).subarray(0, 40_000))
  })

  it('gives what was put back in front of what is queued, or behind it', () => {
    const whole = pattern(23)
    const queue = queueOf(whole.subarray(0, 10), whole.subarray(10, 20))
    const first = queue.shift(4) as Uint8Array

    expect(queue.taken).to.equal(4)
    queue.putBack([first.subarray(2)], true)
    queue.putBack([whole.subarray(20)], false)
    queue.putBack([first.subarray(0, 2)], true)
    expect([queue.byteLength, queue.pieces, queue.taken]).to.deep.equal([23, 5, 4])
    expect(join(...takeAll(queue))).to.deep.equal(whole)
    queue.putBack([pattern(5)], true)
    expect(takeAll(queue)).to.deep.equal([pattern(5)])
  })

  it('puts back in front of what was made small, and of what was read', () => {
    const whole = pattern(420)
    const queue = queueOf(...Array.from({ length: 40 }, (_, i) => whole.subarray(10 * i, 10 * i + 10)))

    queue.settle()

    const first = queue.shift(15) as Uint8Array

    queue.push(whole.subarray(400, 410))
    queue.putBack([first], true)
    queue.settle()
    queue.push(whole.subarray(410))
    queue.settle(true)
    queue.putBack([queue.shift() as Uint8Array], true)
    expect(join(...takeAll(queue))).to.deep.equal(whole)
  })

  it('keeps no large buffer for what is put back, nor many pieces of little', () => {
    const queue = queueOf(pattern(10))

    queue.putBack([pattern(65_536).subarray(0, 100)], true)
    expect(queue.shift()?.buffer.byteLength).to.equal(100)

    const whole = pattern(5_000)

    queue.putBack([whole], true)
    expect(queue.shift()).to.equal(whole)
    queue.putBack(Array.from({ length: 100_000 }, (_, i) => whole.subarray(i % 5_000, i % 5_000 + 1)), true)
    expect(queue.pieces).to.be.at.most(30)

    for (let i = 0; i < 1_000; i++) {
      queue.putBack([pattern(1)], true)
    }

    expect(queue.pieces).to.be.at.most(50)
    expect(queue.byteLength).to.equal(101_010)
  })

  it('costs what is put back, and not what is queued', () => {
    let looks = 0

    /** What the queue asks a piece for before anything else. */
    class Piece extends Uint8Array {
      get byteLength (): number {
        looks++

        return super.byteLength
      }
    }

    const queue = queueOf(...Array.from({ length: 1_000 }, () => new Piece(5_000)))

    queue.settle()
    looks = 0

    // a parser of messages of eight bytes
    for (let i = 0; i < 600; i++) {
      queue.putBack([(queue.shift() as Uint8Array).subarray(8)], true)
    }

    expect(queue.byteLength).to.equal(5_000_000 - 4_800)
    expect(looks).to.be.lessThan(50_000)

    // one that changes its mind
    looks = 0

    for (let i = 0; i < 1_000; i++) {
      queue.putBack([new Piece(5_000)], true)
    }

    expect(queue.pieces).to.equal(2_000)
    expect(looks).to.be.lessThan(50_000)
  })

  it('joins little that is put back to what was put back before, down to the last piece', () => {
    const whole = pattern(1_060)
    const queue = queueOf(...Array.from({ length: 20 }, (_, i) => whole.subarray(1_000 + 3 * i, 1_003 + 3 * i)))

    for (let end = 1_000; end > 0; end -= 10) {
      queue.putBack([whole.subarray(end - 10, end)], true)
    }

    expect(queue.pieces).to.be.at.most(20)
    queue.putBack(Array.from({ length: 20 }, () => new Uint8Array(100)), true)
    expect(queue.pieces).to.equal(1)
    expect(join(...takeAll(queue))).to.deep.equal(join(new Uint8Array(2_000), whole))
  })

  it('has few pieces when all are joined, and copies none of them that is large', () => {
    const whole = pattern(300_000)
    const large = whole.slice(0, 40_000)
    const queue = queueOf(large)

    for (let at = 40_000; at < 300_000; at += 5_000) {
      queue.push(whole.slice(at, at + 5_000))
    }

    queue.settle()
    expect(queue.pieces).to.equal(53)
    queue.join()
    // seven of 5,000 are the first sum that is large
    expect([queue.pieces, queue.byteLength]).to.deep.equal([9, 300_000])

    queue.push(whole.slice(0, 1))
    queue.join()
    expect(queue.pieces).to.equal(9)

    const pieces = takeAll(queue)

    expect(pieces[0]).to.equal(large)
    expect(lengths(pieces)).to.deep.equal([40_000, 35_000, 35_000, 35_000, 35_000, 35_000, 35_000, 35_000, 15_001])
    expect(join(...pieces)).to.deep.equal(join(whole, whole.slice(0, 1)))
  })

  it('has nothing of what was taken when it is joined, and changes nothing of it', () => {
    const whole = pattern(100)
    const queue = queueOf(...Array.from({ length: 20 }, (_, i) => whole.subarray(5 * i, 5 * i + 5)))

    queue.settle()

    const taken = queue.shift(7)

    queue.join()
    queue.push(whole.subarray(0, 5))
    queue.settle()
    expect(taken).to.deep.equal(whole.subarray(0, 7))
    expect(join(...takeAll(queue))).to.deep.equal(join(whole.subarray(7), whole.subarray(0, 5)))
    queue.join()
    expect([queue.pieces, queue.byteLength, queue.shift()]).to.deep.equal([0, 0, undefined])
  })

  it('gives the same bytes in whatever order they are pushed, read, put back, settled and joined', () => {
    const source = pattern(65_536)
    let seed = 1

    const upTo = (max: number): number => {
      seed = seed * 48_271 % (2 ** 31 - 1)

      return seed % max
    }

    const slice = (): Uint8Array => {
      const start = upTo(60_000)

      return source.subarray(start, start + 1 + upTo(upTo(4) === 0 ? 5_000 : 30))
    }

    for (let round = 0; round < 50; round++) {
      const queue = queueOf()
      let model: Uint8Array = new Uint8Array()

      for (let step = 0; step < 200; step++) {
        const pieces = Array.from({ length: 1 + upTo(upTo(5) === 0 ? 40 : 3) }, slice)
        const act = upTo(7)

        if (act === 0) {
          pieces.forEach(piece => { queue.push(piece) })
          model = join(model, ...pieces)
        } else if (act === 1) {
          queue.putBack(pieces, false)
          model = join(model, ...pieces)
        } else if (act === 2) {
          queue.putBack(pieces, true)
          model = join(...pieces, model)
        } else if (act === 3) {
          queue.settle(upTo(2) === 0)
        } else if (act === 6) {
          queue.join()
        } else {
          const taken = queue.shift(upTo(2) === 0 ? Infinity : 1 + upTo(100))

          expect(taken ?? new Uint8Array()).to.deep.equal(model.subarray(0, taken?.byteLength ?? 0))
          // its new owner may do with it what it likes
          model = model.slice(taken?.byteLength ?? 0)

          if (taken !== undefined && taken.buffer !== source.buffer) {
            taken.fill(0)
          }
        }

        expect(queue.byteLength).to.equal(model.byteLength)
      }

      expect(join(...takeAll(queue))).to.deep.equal(model)
    }
  })
})
