import { expect } from 'aegir/chai'
import { BusyPoll } from '../../../src/connection/busy-poll.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { until } from '../../support/waiting.ts'

interface Conversation {
  /** A message of so many bytes, and an answer after so many milliseconds. Returns until when it stays awake for it, relative to the message. */
  say(millis: number, sent?: number, received?: number): number | undefined
}

function converse (): Conversation {
  const clock = new VirtualClock()
  let awakeUntil: number | undefined
  const busyPoll = new BusyPoll(clock, at => { awakeUntil = at })

  return {
    say (millis, sent = 64, received = 64) {
      const start = clock.now()

      awakeUntil = undefined
      busyPoll.sent(sent)
      clock.skip(millis)
      busyPoll.received(received)

      return awakeUntil === undefined ? undefined : Math.round((awakeUntil - start) * 1_000) / 1_000
    }
  }
}

function times<T> (count: number, act: () => T): T[] {
  return Array.from({ length: count }, act)
}

describe('connection: answers that are awaited awake', () => {
  it('stays awake for an answer once four in a row were quick', () => {
    const { say } = converse()

    expect(times(6, () => say(0.1))).to.deep.equal([undefined, undefined, undefined, undefined, 0.2, 0.2])
  })

  it('sleeps again after an answer that was not', () => {
    const { say } = converse()

    times(3, () => say(0.1))
    say(0.41)
    expect(times(5, () => say(0.4))).to.deep.equal([undefined, undefined, undefined, undefined, 0.2])
  })

  it('needs twice as many after each that was awaited in vain, up to 1,024, and four again after one that was not', () => {
    const { say } = converse()
    const quickBefore = (): number => {
      let count = 0

      while (say(0.3) === undefined) {
        count++
      }

      return count
    }

    expect(times(11, quickBefore)).to.deep.equal([4, 8, 16, 32, 64, 128, 256, 512, 1_024, 1_024, 1_024])

    times(1_024, () => say(0.1))
    expect(say(0.1)).to.equal(0.2)
    say(0.3)
    expect(quickBefore()).to.equal(8)
  })

  it('takes large messages for no conversation, in either direction', () => {
    const { say } = converse()

    expect(times(10, () => say(0.1, 4_097, 64))).to.deep.equal(times(10, () => undefined))
    expect(times(10, () => say(0.1, 64, 4_097))).to.deep.equal(times(10, () => undefined))
  })

  it('counts an answer once', () => {
    const clock = new VirtualClock()
    let polls = 0
    const busyPoll = new BusyPoll(clock, () => { polls++ })

    busyPoll.sent(64)
    times(10, () => { busyPoll.received(64) })
    busyPoll.sent(64)
    expect(polls).to.equal(0)
  })

  it('polls for no longer than it said', async () => {
    const busyPoll = new BusyPoll()
    const { setImmediate } = globalThis
    let pending = 0

    globalThis.setImmediate = ((callback: () => void) => {
      pending++

      return setImmediate(() => {
        pending--
        callback()
      })
    }) as typeof setImmediate

    try {
      times(5, () => {
        busyPoll.sent(64)
        busyPoll.received(64)
      })
      expect(pending).to.equal(1)
      await until(() => pending === 0)
    } finally {
      globalThis.setImmediate = setImmediate
    }
  })
})
