/** As the recorder of yamux, for mplex: whole messages of at most 64 KiB, nothing after our end or our reset. */
import { Tape } from './tape.ts'
import { Transcript } from './transcript.ts'
import type { WireRecorder } from './recorder.ts'

const NAMES = ['new', 'data', 'data', 'close', 'close', 'reset', 'reset', 'flag 7']
const NEW_STREAM = 0
const MESSAGE_INITIATOR = 2
const CLOSE_INITIATOR = 4
const RESET_INITIATOR = 6
const MAX_MESSAGE = 65_536

export interface Message {
  flag: number
  id: bigint
  length: number
}

/** Messages out of bytes that are cut anywhere: headers, as soon as they are there. */
export class MplexScanner {
  readonly #onMessage: (message: Message) => void
  #value = 0n
  #shift = 0n
  #header: bigint | undefined
  #body = 0

  constructor (onMessage: (message: Message) => void) {
    this.#onMessage = onMessage
  }

  get incomplete (): boolean {
    return this.#header !== undefined || this.#shift > 0n || this.#body > 0
  }

  scan (bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength;) {
      if (this.#body > 0) {
        const length = Math.min(this.#body, bytes.byteLength - at)

        this.#body -= length
        at += length
      } else {
        this.#onByte(bytes[at++])
      }
    }
  }

  #onByte (byte: number): void {
    this.#value |= BigInt(byte & 0x7f) << this.#shift
    this.#shift += 7n

    if ((byte & 0x80) !== 0) {
      return
    }

    const value = this.#value

    this.#value = 0n
    this.#shift = 0n

    if (this.#header === undefined) {
      this.#header = value
      return
    }

    const header = this.#header

    this.#header = undefined
    this.#body = Number(value)
    this.#onMessage({ flag: Number(header & 7n), id: header >> 3n, length: this.#body })
  }
}

/** What was said of a stream. */
interface StreamLog {
  closed: boolean
  reset: boolean

  /** Said by the peer. */
  resetReceived: boolean
}

export class MplexRecorder implements WireRecorder {
  readonly transcript = new Transcript()
  readonly tape = new Tape()
  readonly violations: string[] = []
  largestFrameReceived = 0
  readonly mostCredit = 0
  readonly mostUnacknowledged = 0
  readonly pongsOwed = 0
  readonly #streams = new Map<string, StreamLog>()
  readonly #ended = new Set<string>()
  readonly #sent = new MplexScanner(message => { this.#onSent(message) })
  readonly #received = new MplexScanner(message => { this.#onReceived(message) })

  sent (buffers: Uint8Array[]): void {
    buffers.forEach(buffer => { this.#sent.scan(buffer) })

    if (this.#sent.incomplete) {
      this.violations.push('we handed over half a message')
    }
  }

  received (buffers: Uint8Array[]): void {
    buffers.forEach(buffer => { this.#received.scan(buffer) })
  }

  /** Of streams that we opened. */
  hasEnded (streamId: string): boolean {
    return this.#ended.has(`${streamId.replace(/\D/g, '')} of ours`)
  }

  #onSent ({ flag, id, length }: Message): void {
    const ours = flag === NEW_STREAM || flag % 2 === 0
    const key = `${id} of ${ours ? 'ours' : 'theirs'}`

    this.transcript.add('>', `${NAMES[flag]} ${key} ${length}`)

    if (flag === NEW_STREAM) {
      this.#check(!this.#streams.has(key), `stream ${key} was opened before`)
      this.#streams.set(key, { closed: false, reset: false, resetReceived: false })
      return
    }

    const stream = this.#streams.get(key)

    if (stream === undefined) {
      this.violations.push(`stream ${key} was never opened`)
      return
    }

    // two may cross
    this.#check(!stream.reset && (!stream.resetReceived || flag >= RESET_INITIATOR - 1), `something for stream ${key} after its reset`)

    if (flag >= RESET_INITIATOR - 1) {
      stream.reset = true
      this.#check(length === 0, 'a reset with a body')
    } else if (flag >= CLOSE_INITIATOR - 1) {
      this.#check(!stream.closed && length === 0, `a second end, or one with a body, for stream ${key}`)
      stream.closed = true
    } else {
      this.#check(!stream.closed, `data for stream ${key} after our end`)
      this.#check(length > 0 && length <= MAX_MESSAGE, `${length} bytes in one message`)
    }
  }

  #onReceived ({ flag, id, length }: Message): void {
    // who opened the stream says even flags
    const key = `${id} of ${flag === NEW_STREAM || flag % 2 === 0 ? 'theirs' : 'ours'}`

    this.transcript.add('<', `${NAMES[flag]} ${key} ${length}`)

    if (flag === NEW_STREAM) {
      this.#streams.set(key, { closed: false, reset: false, resetReceived: false })
    } else if (flag > MESSAGE_INITIATOR && flag <= CLOSE_INITIATOR) {
      this.#ended.add(key)
    } else if (flag <= MESSAGE_INITIATOR) {
      this.largestFrameReceived = Math.max(this.largestFrameReceived, length)
    } else if (this.#streams.has(key)) {
      (this.#streams.get(key) as StreamLog).resetReceived = true
    }
  }

  #check (condition: boolean, otherwise: string): void {
    if (!condition) {
      this.violations.push(otherwise)
    }
  }
}
