import { expect } from 'aegir/chai'
import { ReceiveWindow } from '../../../src/core/windows.ts'
import { Path, ROUND_TRIP } from '../../support/path.ts'

const SIZE = 1_000

describe('core/starvation', () => {
  let window: ReceiveWindow
  let path: Path
  const budget = { left: Infinity }

  beforeEach(() => {
    window = new ReceiveWindow(SIZE, 1_000_000)
    path = new Path(ROUND_TRIP)
    // of those that have the connection to themselves windows.spec.ts tells
    path.sharedAt = Infinity
  })

  it('is seen when three windows in a row leave the peer waiting for credit', () => {
    path.use(window, budget)
    path.use(window, budget)
    path.use(window, budget)
    expect(window.size).to.equal(SIZE)

    path.use(window, budget)
    expect(window.size).to.equal(2 * SIZE)
  })

  it('is seen in a peer that used its first half before it could hear of more, and waits for that', () => {
    for (let turn = 0; turn < 4; turn++) {
      path.idle(ROUND_TRIP)
      path.frame(window, SIZE / 2)
      path.read(window, budget)
      path.frame(window, SIZE / 2)
      path.read(window, budget)
    }

    expect(window.size).to.equal(2 * SIZE)
  })

  it('is seen in a peer that leaves a few bytes of its credit unused', () => {
    for (let turn = 0; turn < 10; turn++) {
      path.idle(ROUND_TRIP)
      path.frame(window, window.available - 10)
      path.read(window, budget)
    }

    expect(window.size).to.be.above(SIZE)
  })

  it('is not seen while the peer has credit left that it does not use', () => {
    for (let turn = 0; turn < 20; turn++) {
      path.idle(ROUND_TRIP)
      path.frame(window, SIZE / 2 - 20)
      path.read(window, budget)
    }

    expect(window.size).to.equal(SIZE)
  })

  it('is not seen while it is our reader that keeps the peer waiting', () => {
    for (let turn = 0; turn < 20; turn++) {
      path.frame(window, window.available)
      path.idle(ROUND_TRIP)
      path.read(window, budget)
    }

    expect(window.size).to.equal(SIZE)
  })

  it('is not seen while our reader has something left to read', () => {
    path.frame(window, SIZE)

    for (let turn = 0; turn < 20; turn++) {
      path.read(window, budget, SIZE / 2)
      path.idle(ROUND_TRIP)
      path.frame(window, window.available, SIZE / 2)
    }

    expect(window.size).to.equal(SIZE)
  })

  it('is not seen while the connection has something else to do', () => {
    for (let turn = 0; turn < 20; turn++) {
      path.busy(ROUND_TRIP)
      path.use(window, budget, 0)
    }

    expect(window.size).to.equal(SIZE)
  })

  it('is not seen when less than an eighth of the time was lost', () => {
    for (let turn = 0; turn < 20; turn++) {
      path.busy(8)
      path.use(window, budget, 1)
    }

    expect(window.size).to.equal(SIZE)
  })

  it('is not seen in what happens once', () => {
    for (let turn = 0; turn < 20; turn++) {
      path.use(window, budget, turn % 3 === 0 ? 0 : ROUND_TRIP)
    }

    expect(window.size).to.equal(SIZE)
  })

  it('is not seen in a run of less than 25 ms', () => {
    for (let turn = 0; turn < 50; turn++) {
      path.use(window, budget, turn % 26 === 0 ? 0 : 0.9)
    }

    expect(window.size).to.equal(SIZE)
  })

  it('is seen over the shortest of paths when it goes on for 25 ms: event loops are late as well', () => {
    const short = new Path(0.1)

    short.sharedAt = Infinity

    for (let turn = 0; turn < 30; turn++) {
      short.use(window, budget, 1)
    }

    expect(window.size).to.be.above(SIZE)
  })

  it('is seen before any round trip is known', () => {
    const unknown = new Path()

    unknown.sharedAt = Infinity

    for (let turn = 0; turn < 30; turn++) {
      unknown.use(window, budget, 1)
    }

    expect(window.size).to.be.above(SIZE)
  })

  it('is not seen when a window lasts for four round trips', () => {
    for (let turn = 0; turn < 20; turn++) {
      path.use(window, budget, 4 * ROUND_TRIP)
    }

    expect(window.size).to.equal(SIZE)
  })

  it('is measured by the least round trip, not by one that waited behind data', () => {
    path.roundTrip.sample(50 * ROUND_TRIP)

    for (let turn = 0; turn < 20; turn++) {
      path.use(window, budget, 4 * ROUND_TRIP)
    }

    expect(window.size).to.equal(SIZE)
  })
})
