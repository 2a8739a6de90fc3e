/** Everything that one mplex connection knows: shared by the rooms that act on it. */
import { ConnectionState } from '../../core/connection-state.ts'
import { Streams } from '../../core/stream-table.ts'
import { Decoder } from './decoder.ts'
import type { MplexStream } from './stream.ts'
import type { ConnectionLimits } from '../../core/connection-state.ts'

export class MplexState extends ConnectionState<MplexStream> {
  readonly config: ConnectionLimits
  readonly decoder = new Decoder()

  /** Of our next stream. 2⁵³ are more than anybody opens on one connection. */
  nextId = 0

  /** Data for this stream is being received; `undefined` while a body is skipped. */
  receiving: MplexStream | undefined

  /** Messages without a body that the peer may still send, in good faith, for streams that are over. */
  lateFrames = 0

  /** The connection is over, and resets that were owed before may still be sent. */
  lastWord = false

  constructor (config: ConnectionLimits) {
    super(new Streams(), config)
    this.config = config
  }
}
