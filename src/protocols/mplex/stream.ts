/** What mplex adds to a stream: the id that both sides use for it, and the frames it owes. */
import { StreamRecord } from '../../core/stream-record.ts'
import type { StreamId, StreamLimits } from '../../core/stream-record.ts'

/** Messages that a stream owes beside data: bits of `StreamRecord.owed`, made in this order. */
export const Owed = {
  open: 1,
  close: 2
} as const

/**
 * Both sides use the same ids at once. Here those of the peer's streams are counted down from -1, so that one table
 * holds both and no number is lost: 2⁵³ and above are bigints either way.
 */
export function keyOf (wireId: StreamId, inbound: boolean): StreamId {
  if (!inbound) {
    return wireId
  }

  return typeof wireId === 'number' ? -1 - wireId : -1n - wireId
}

export class MplexStream extends StreamRecord {
  readonly wireId: StreamId

  constructor (wireId: StreamId, inbound: boolean, limits: StreamLimits, now: number) {
    super(keyOf(wireId, inbound), inbound, limits, now)
    this.wireId = wireId
  }

  /** As `@libp2p/mplex` has it: who opened the stream is the initiator, the other side the receiver. */
  override get name (): string {
    return `${this.inbound ? 'r' : 'i'}${this.wireId}`
  }
}
