/** The credit that we give back: whose, how much, and when it goes. */
import { measureRoundTrip } from './state.ts'
import { Owed } from './stream.ts'
import type { YamuxState } from './state.ts'
import type { YamuxStream } from './stream.ts'

/**
 * Bytes were read: owes the peer credit once half of the window was. That of a stream among many waits until others had their
 * turn, or for the next frames that go: each update that goes alone wakes the sender, and is a record of noise at both
 * ends. Over TCP 100 streams took an eighth less processor time so.
 */
export function returnCredit (state: YamuxState, stream: YamuxStream, now: number): void {
  if (!wantsCredit(state, stream)) {
    return
  }

  const { receiveWindow } = stream

  if (!receiveWindow.mayWait(unread(state, stream), state.pace)) {
    oweCredit(state, stream, now)
  } else if (!receiveWindow.waits) {
    receiveWindow.waits = true
    state.creditWaiting.push(stream)
    state.deadlines.set('credit', now)
  }
}

/** Credit that waits goes now. */
export function oweWaitingCredit (state: YamuxState, now: number): void {
  const waiting = state.creditWaiting

  state.creditWaiting = []
  state.deadlines.clear('credit')

  for (const stream of waiting) {
    stream.receiveWindow.waits = false

    if (wantsCredit(state, stream)) {
      oweCredit(state, stream, now)
    }
  }
}

/** nim-libp2p ends the connection over credit for a stream that it has ended. */
function wantsCredit (state: YamuxState, stream: YamuxStream): boolean {
  const isLast = state.receiving === stream && state.finAfterBody

  return stream.receive === 'open' && !isLast && state.phase !== 'closed'
}

/** The rest of a frame under way was taken off the window with its header, and is no more read than what is queued. */
function unread (state: YamuxState, stream: YamuxStream): number {
  return stream.receiveQueue.unread + (state.receiving === stream ? state.decoder.bodyLeft : 0)
}

function oweCredit (state: YamuxState, stream: YamuxStream, now: number): void {
  const credit = stream.receiveWindow.update(unread(state, stream), now, state.pace, state.growth)

  if (credit === 0) {
    return
  }

  stream.credit += credit
  state.owed.add(stream, Owed.credit)

  // a stream that uses its window makes it worth knowing how long the path is
  measureRoundTrip(state)
}
