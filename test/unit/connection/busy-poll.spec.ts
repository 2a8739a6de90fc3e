import { expect } from 'aegir/chai'
import { BusyPoll } from '../../../src/connection/busy-poll.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { until } from '../../support/waiting.ts'

interface Conversation {
  /** A message of so many bytes, and an answer after so many milliseconds. Returns until when it stays awake for it, relative to the message. */
  say(millis: number, sent?: number, received?: number): number | undefined

  /** Small messages, as long as all are awaited asleep, or all awake, whose answers take so long. Returns how many. */
  row(millis: number): number
}

function converse (): Conversation {
  const clock = new VirtualClock()
  let awakeUntil: number | undefined
  const busyPoll = new BusyPoll(clock, at => { awakeUntil = at })

  // the first of the next row, which was sent to see that the last one was over
  let isAsked = false

  function ask (sent: number): void {
    if (!isAsked) {
      awakeUntil = undefined
      busyPoll.sent(sent)
    }

    isAsked = false
  }

  return {
    say (millis, sent = 64, received = 64) {
      const start = clock.now()

      ask(sent)
      clock.skip(millis)
      busyPoll.received(received)

      return awakeUntil === undefined ? undefined : Math.round((awakeUntil - start) * 1_000) / 1_000
    },

    row (millis) {
      ask(64)

      const isAwake = awakeUntil !== undefined
      let count = 0

      do {
        clock.skip(millis)
        busyPoll.received(64)
        count++
        ask(64)
      } while ((awakeUntil !== undefined) === isAwake)

      isAsked = true

      return count
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

  it('needs twice as many after each that was awaited in vain, up to 1,024', () => {
    const { row } = converse()

    expect(times(22, () => row(0.3)).filter((_, index) => index % 2 === 0)).to.deep.equal([4, 8, 16, 32, 64, 128, 256, 512, 1_024, 1_024, 1_024])
  })

  it('goes on for 1,024 answers that come sooner, by a quarter or more, than those that it slept for, and tries four again', () => {
    const { row } = converse()

    expect([row(0.1), row(0.07), row(0.1), row(0.03)]).to.deep.equal([4, 1_024, 4, 1_024])
  })

  it('has enough after 32 that do not, and needs twice as many each time, until they do', () => {
    const { row } = converse()

    expect([row(0.1), row(0.08), row(0.03), row(0.03), row(0.1), row(0.09)]).to.deep.equal([4, 32, 8, 32, 16, 32])
    expect([row(0.1), row(0.03), row(0.1)]).to.deep.equal([32, 1_024, 4])
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
