/**
 * Reads along at one end of a connection, with a parser of its own, and throws at the first frame that we promised
 * never to send: what the implementations of others are known to punish.
 */

export interface RecorderOptions {
  /** Whether the other end is ours as well, and throws at what it sends for streams that nobody opened. @default true */
  strictPeer?: boolean
}

export interface Frame {
  type: number
  flags: number
  streamId: number
  length: number
}

export const DATA = 0
export const WINDOW_UPDATE = 1
export const PING = 2
export const GO_AWAY = 3

export const SYN = 1
export const ACK = 2
export const FIN = 4
export const RST = 8

const HEADER_LENGTH = 12
const INITIAL_WINDOW = 262_144
const MAX_FRAME = 65_536
const MAX_UNACKNOWLEDGED = 256

/** Frames out of bytes that are cut anywhere. */
class Scanner {
  readonly #onFrame: (frame: Frame) => void
  readonly #onBody: (streamId: number, length: number) => void
  readonly #header = new DataView(new ArrayBuffer(HEADER_LENGTH))
  #have = 0
  #body = 0
  #streamId = 0

  constructor (onFrame: (frame: Frame) => void, onBody: (streamId: number, length: number) => void) {
    this.#onFrame = onFrame
    this.#onBody = onBody
  }

  get incomplete (): boolean {
    return this.#have > 0 || this.#body > 0
  }

  scan (bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength;) {
      if (this.#body > 0) {
        const length = Math.min(this.#body, bytes.byteLength - at)

        this.#body -= length
        at += length
        this.#onBody(this.#streamId, length)
      } else {
        this.#header.setUint8(this.#have++, bytes[at++])

        if (this.#have === HEADER_LENGTH) {
          this.#have = 0
          this.#emit()
        }
      }
    }
  }

  #emit (): void {
    const frame: Frame = {
      type: this.#header.getUint8(1),
      flags: this.#header.getUint16(2),
      streamId: this.#header.getUint32(4),
      length: this.#header.getUint32(8)
    }

    if (this.#header.getUint8(0) !== 0) {
      throw new Error(`version ${this.#header.getUint8(0)} in ${describeFrame(frame)}`)
    }

    if (frame.type === DATA) {
      this.#body = frame.length
      this.#streamId = frame.streamId
    }

    this.#onFrame(frame)
  }
}

/** What went over the wire for one stream, as one end sees it. */
export interface StreamLog {
  ours: boolean
  acknowledged: boolean
  ackSent: boolean
  finSent: boolean
  rstSent: boolean
  finReceived: boolean
  rstReceived: boolean

  /** What we may still send, and what the peer may, as far as frames have told. */
  sendCredit: number
  receiveCredit: number

  dataFramesSent: number
}

export class Recorder {
  readonly streams = new Map<number, StreamLog>()
  framesSent = 0
  framesReceived = 0
  unacknowledged = 0
  mostUnacknowledged = 0
  goAwaySent: number | undefined
  goAwayReceived: number | undefined

  onSent: ((frame: Frame) => void) | undefined
  onReceived: ((frame: Frame) => void) | undefined

  /** Bodies that have arrived: their headers announced them earlier. */
  onBody: ((streamId: number, length: number) => void) | undefined

  readonly #name: string
  readonly #strictPeer: boolean
  readonly #parity: number
  readonly #sent: Scanner
  readonly #received: Scanner
  readonly #pings: number[] = []
  #lastOpened = 0

  constructor (name: string, role: 'client' | 'server', { strictPeer = true }: RecorderOptions = {}) {
    this.#name = name
    this.#strictPeer = strictPeer
    this.#parity = role === 'client' ? 1 : 0
    this.#sent = new Scanner(frame => { this.#onSent(frame) }, () => {})
    this.#received = new Scanner(frame => { this.#onReceived(frame) }, (streamId, length) => { this.onBody?.(streamId, length) })
  }

  sent (buffers: Uint8Array[]): void {
    for (const buffer of buffers) {
      this.#sent.scan(buffer)
    }

    if (this.#sent.incomplete) {
      throw new Error(`${this.#name} handed over half a frame`)
    }
  }

  received (bytes: Uint8Array): void {
    this.#received.scan(bytes)
  }

  /** Pings that came in, before our GoAway, and were not answered yet. */
  get pongsOwed (): number {
    return this.#pings.length
  }

  #refuse (frame: Frame, why: string): never {
    throw new Error(`${this.#name} sent ${describeFrame(frame)}: ${why}`)
  }

  #onSent (frame: Frame): void {
    const { type, flags, streamId } = frame

    this.framesSent++

    if (this.goAwaySent !== undefined) {
      this.#refuse(frame, 'GoAway is the last frame')
    }

    if (![0, SYN, ACK, FIN, RST].includes(flags)) {
      this.#refuse(frame, 'one flag a frame, and none that nobody knows')
    }

    if (type === DATA || type === WINDOW_UPDATE) {
      this.#onStreamFrameSent(frame)
    } else if (streamId !== 0) {
      this.#refuse(frame, 'a session frame belongs to stream 0')
    } else if (type === PING) {
      this.#onPingSent(frame)
    } else if (type === GO_AWAY && flags === 0) {
      this.goAwaySent = frame.length
    } else {
      this.#refuse(frame, 'there is no such frame')
    }

    this.onSent?.(frame)
  }

  #onPingSent (frame: Frame): void {
    if (frame.flags === ACK) {
      const index = this.#pings.indexOf(frame.length)

      if (index === -1) {
        this.#refuse(frame, 'one pong a ping')
      }

      this.#pings.splice(index, 1)
    } else if (frame.flags !== SYN) {
      this.#refuse(frame, 'a ping asks or answers')
    }
  }

  #onStreamFrameSent (frame: Frame): void {
    const { type, flags, streamId, length } = frame

    if (flags === SYN) {
      this.#onSynSent(frame)
      return
    }

    const stream = this.streams.get(streamId)

    if (stream === undefined) {
      return this.#refuse(frame, 'the stream was never opened')
    }

    // two may cross: what is reset is forgotten, and nobody looks whether the peer has reset it as well
    if (stream.rstSent || (stream.rstReceived && flags !== RST)) {
      this.#refuse(frame, 'nothing goes after an RST')
    }

    if (type === DATA) {
      this.#onDataSent(frame, stream)
    } else if (flags === RST) {
      stream.rstSent = true
      this.#acknowledge(stream)
    } else if (flags === FIN) {
      if (stream.finSent) {
        this.#refuse(frame, 'a second FIN')
      }

      if (length !== 0) {
        this.#refuse(frame, 'a FIN carries no credit')
      }

      stream.finSent = true
    } else {
      this.#onCreditSent(frame, stream)
    }
  }

  #onSynSent (frame: Frame): void {
    const { type, streamId, length } = frame

    if (type !== WINDOW_UPDATE) {
      this.#refuse(frame, 'a SYN travels on a window update')
    }

    if (streamId % 2 !== this.#parity || streamId <= this.#lastOpened) {
      this.#refuse(frame, `ids are of our parity and increase, the last was ${this.#lastOpened}`)
    }

    this.#lastOpened = streamId
    this.streams.set(streamId, newLog(true, INITIAL_WINDOW, INITIAL_WINDOW + length))
    this.unacknowledged++
    this.mostUnacknowledged = Math.max(this.mostUnacknowledged, this.unacknowledged)

    if (this.unacknowledged > MAX_UNACKNOWLEDGED) {
      this.#refuse(frame, `${this.unacknowledged} streams are unacknowledged`)
    }
  }

  #onDataSent (frame: Frame, stream: StreamLog): void {
    if (frame.flags !== 0) {
      this.#refuse(frame, 'flags travel on window updates')
    }

    if (frame.length === 0 || frame.length > MAX_FRAME) {
      this.#refuse(frame, 'data frames have 1 to 65,536 bytes')
    }

    if (stream.finSent) {
      this.#refuse(frame, 'data after our FIN')
    }

    stream.sendCredit -= frame.length
    stream.dataFramesSent++

    if (stream.sendCredit < 0) {
      this.#refuse(frame, `${-stream.sendCredit} bytes more than the peer has granted`)
    }
  }

  #onCreditSent (frame: Frame, stream: StreamLog): void {
    if (frame.flags === ACK) {
      if (stream.ours || stream.ackSent) {
        this.#refuse(frame, 'one ACK for a stream of the peer')
      }

      stream.ackSent = true
    } else if (frame.length === 0) {
      this.#refuse(frame, 'a window update that says nothing')
    } else if (stream.finReceived) {
      this.#refuse(frame, 'credit after the FIN of the peer')
    }

    stream.receiveCredit += frame.length
  }

  #onReceived (frame: Frame): void {
    const { type, flags, streamId } = frame

    this.framesReceived++

    if (type === PING && (flags & SYN) !== 0) {
      // behind our GoAway nothing is answered
      if (this.goAwaySent === undefined) {
        this.#pings.push(frame.length)
      }
    } else if (type === GO_AWAY) {
      this.goAwayReceived = frame.length
    } else if (type === DATA || type === WINDOW_UPDATE) {
      if ((flags & SYN) !== 0) {
        this.streams.set(streamId, newLog(false, INITIAL_WINDOW, INITIAL_WINDOW))
      }

      const stream = this.streams.get(streamId)

      if (stream !== undefined) {
        this.#onStreamFrameReceived(frame, stream)
      } else if (this.#strictPeer) {
        throw new Error(`${this.#name} received ${describeFrame(frame)} for a stream that nobody opened`)
      }
    }

    this.onReceived?.(frame)
  }

  #onStreamFrameReceived (frame: Frame, stream: StreamLog): void {
    this.#acknowledge(stream)

    if (frame.type === DATA) {
      stream.receiveCredit -= frame.length
    } else if ((frame.flags & RST) === 0) {
      stream.sendCredit += frame.length
    }

    stream.finReceived ||= (frame.flags & FIN) !== 0
    stream.rstReceived ||= (frame.flags & RST) !== 0
  }

  #acknowledge (stream: StreamLog): void {
    if (stream.ours && !stream.acknowledged) {
      stream.acknowledged = true
      this.unacknowledged--
    }
  }
}

function newLog (ours: boolean, sendCredit: number, receiveCredit: number): StreamLog {
  return {
    ours,
    acknowledged: false,
    ackSent: false,
    finSent: false,
    rstSent: false,
    finReceived: false,
    rstReceived: false,
    sendCredit,
    receiveCredit,
    dataFramesSent: 0
  }
}

export function describeFrame ({ type, flags, streamId, length }: Frame): string {
  const names = ['SYN', 'ACK', 'FIN', 'RST'].filter((_, bit) => (flags & 1 << bit) !== 0)

  return `${['data', 'window update', 'ping', 'GoAway'][type] ?? `type ${type}`}${names.length > 0 ? ` ${names.join('|')}` : ''} of ${length} on stream ${streamId}`
}
