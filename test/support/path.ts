/** A path between a peer that always has more to send and windows of ours, seen from our end. */
import { RoundTrip } from '../../src/core/round-trip.ts'
import type { Pace } from '../../src/core/starvation.ts'
import type { GrowthBudget, ReceiveWindow } from '../../src/core/windows.ts'

export const ROUND_TRIP = 20

export class Path implements Pace {
  readonly roundTrip = new RoundTrip()
  idleMillis = 0
  bytesReceived = 0
  sharedAt = -Infinity
  now = 0

  constructor (roundTrip?: number) {
    if (roundTrip !== undefined) {
      this.roundTrip.sample(roundTrip)
    }
  }

  /** Nothing comes in, and there is nothing to do. */
  idle (millis: number): void {
    this.now += millis
    this.idleMillis += millis
  }

  /** There is something to do. */
  busy (millis: number): void {
    this.now += millis
  }

  /** A frame of so many bytes comes in. */
  frame (window: ReceiveWindow, bytes: number, unread = 0): boolean {
    const allowed = window.receive(bytes, unread, this)

    window.received(this)
    this.bytesReceived += allowed ? bytes : 0

    return allowed
  }

  /** Our reader leaves so many bytes unread. Returns the credit that it is time for. */
  read (window: ReceiveWindow, budget: GrowthBudget, unread = 0): number {
    return window.update(unread, this.now, this, budget)
  }

  /** A round trip after its last credit the peer uses all it has, and all of it is read. */
  use (window: ReceiveWindow, budget: GrowthBudget, millis = ROUND_TRIP): number {
    this.idle(millis)
    this.frame(window, window.available)

    return this.read(window, budget)
  }

  /** A window is used as often as it takes to show that the peer waits for credit, and once more would make it grow. */
  starve (window: ReceiveWindow, budget: GrowthBudget): void {
    for (let i = 0; i < 3; i++) {
      this.use(window, budget)
    }
  }
}
