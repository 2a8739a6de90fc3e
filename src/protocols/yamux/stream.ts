/** What yamux adds to a stream: its windows, its handshake, and the frames it owes. */
import { StreamRecord } from '../../core/stream-record.ts'
import { ReceiveWindow, SendWindow } from '../../core/windows.ts'
import { INITIAL_WINDOW } from './frame.ts'
import type { YamuxStreamConfig } from './config.ts'

/** Frames that a stream owes beside data: bits of `StreamRecord.owed`, made in this order. */
export const Owed = {
  syn: 1,
  ack: 2,
  credit: 4,
  fin: 8
} as const

export class YamuxStream extends StreamRecord {
  declare readonly id: number
  readonly sendWindow: SendWindow
  readonly receiveWindow: ReceiveWindow

  /** As it was opened with; `limits` may have changed since. */
  readonly config: YamuxStreamConfig

  /** The peer has answered our SYN; or our application has taken a stream of the peer's, and our ACK is made. */
  acknowledged = false

  /** Credit that the next window update announces, in bytes. */
  credit = 0

  /** Until when data waits for more credit than the little there is. */
  heldUntil: number | undefined

  /** What our SYN or ACK adds to the protocol's own window. What the window became since is told as credit, or not at all. */
  get initialDelta (): number {
    return this.config.initialStreamWindowSize - INITIAL_WINDOW
  }

  constructor (id: number, inbound: boolean, config: YamuxStreamConfig, now: number) {
    super(id, inbound, config, now)
    this.config = config
    this.sendWindow = new SendWindow(INITIAL_WINDOW)
    this.receiveWindow = new ReceiveWindow(
      config.initialStreamWindowSize, Math.min(config.maxStreamWindowSize, config.maxReadBufferLength))
  }
}
