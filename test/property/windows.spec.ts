import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { ReceiveWindow } from '../../src/core/windows.ts'
import { runs, sequence } from '../support/arbitraries.ts'
import { Path } from '../support/path.ts'

/** Shares of what there is to receive or to read, so that a step means something whatever the size is. */
const share = fc.double({ min: 0, max: 1, noNaN: true })

const step = fc.record({
  stream: fc.nat(2),
  millis: fc.oneof(fc.nat(10), fc.nat(500)),
  busy: fc.boolean(),
  receive: fc.oneof(share, fc.constant(1)),
  read: fc.oneof(share, fc.constant(1)),
  rtt: fc.option(fc.nat(100), { freq: 6 }),
  limit: fc.option(fc.nat(5_000), { freq: 12 }),
  release: fc.nat(30).map(n => n === 0)
})

class Peer {
  readonly window: ReceiveWindow
  readonly initial: number
  unread = 0
  received = 0
  read = 0

  /** What we were told that we may send, in all. */
  granted: number
  released = false

  constructor (initial: number, limit: number) {
    this.window = new ReceiveWindow(initial, limit)
    this.initial = initial
    this.granted = initial
  }
}

describe('property: receive windows', () => {
  it('keep their laws on streams that share a budget', () => {
    fc.assert(fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 1_000 }), fc.nat(10_000)), { minLength: 3, maxLength: 3 }),
      fc.nat(5_000),
      sequence(step, 100),
      (sizes, left, steps) => {
        const peers = sizes.map(([initial, more]) => new Peer(initial, initial + more))
        const budget = { left }
        const path = new Path()

        for (const { stream, millis, busy, receive, read, rtt, limit, release } of steps) {
          const peer = peers[stream]
          const { window } = peer

          if (busy) {
            path.busy(millis)
          } else {
            path.idle(millis)
          }

          if (rtt !== null) {
            path.roundTrip.sample(rtt)
          }

          if (peer.released) {
            continue
          }

          if (limit !== null) {
            window.limit = limit
          }

          const received = Math.floor(receive * window.available)

          expect(path.frame(window, received, peer.unread)).to.be.true()
          expect(path.frame(window, window.available + 1, peer.unread)).to.be.false()
          peer.received += received
          peer.unread += received

          const bytesRead = Math.floor(read * peer.unread)

          peer.unread -= bytesRead
          peer.read += bytesRead

          // a window that was shrunk comes back when its limit is raised
          const size = Math.max(window.size, Math.min(window.limit, peer.initial))
          const before = { size, available: window.available, owed: size - window.available - peer.unread, left: budget.left }
          const credit = path.read(window, budget, peer.unread)

          peer.granted += credit

          // what was granted is what may be sent, and what was sent
          expect(peer.granted).to.equal(window.available + peer.received)
          expect(window.available).to.equal(before.available + credit)

          // outstanding is never more than the window
          expect(window.available + peer.unread).to.be.at.most(window.size)

          // credit is for what was read, once it is half, and for growth that is paid for
          expect(credit).to.be.at.least(0)

          if (credit > 0) {
            expect(before.owed * 2).to.be.at.least(Math.min(before.size, window.size))
            expect(window.size).to.be.at.most(Math.max(window.limit, before.available + peer.unread))
            expect(window.available + peer.unread).to.equal(window.size)
          }

          if (window.size > before.size) {
            expect(window.size).to.be.at.most(Math.min(2 * before.size, window.limit))
          }

          // growth is paid for out of one purse
          const grown = peers.reduce((sum, { window, initial, released }) => sum + (released ? 0 : Math.max(0, window.size - initial)), 0)

          expect(budget.left).to.be.at.least(0)
          expect(budget.left + grown).to.equal(left)

          if (release) {
            peer.released = true
            window.release(budget)
          }
        }

        peers.forEach(({ window }) => {
          window.release(budget)
        })
        expect(budget.left).to.equal(left)
      }), runs(150))
  })
})
