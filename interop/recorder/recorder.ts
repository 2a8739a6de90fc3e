/**
 * Reads along between our muxer and what is under it. It shares nothing with `src`, and holds us to what we promise of
 * every frame that we send: one flag a frame, no second FIN, nothing after an RST, no credit after the peer's FIN, no
 * more than 256 unacknowledged streams, 64 KiB a frame, data within the window, one pong a ping, GoAway last.
 */
import { Recorder as Discipline } from '../../test/simulation/kit/recorder.ts'
import { lineOf } from '../../test/support/frames.ts'
import { Tape } from './tape.ts'
import { Transcript } from './transcript.ts'
import type { Frame } from '../../test/simulation/kit/recorder.ts'
import type { MessageStream } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'

export interface WireRecorder {
  readonly transcript: Transcript
  readonly tape: Tape

  /** What of our own we should not have sent. */
  readonly violations: string[]

  /** For the notes. */
  readonly largestFrameReceived: number

  /** The most that the peer was granted on a stream and had not used yet. */
  readonly mostCredit: number
  readonly mostUnacknowledged: number

  /** Pings that came in and have no pong. */
  readonly pongsOwed: number

  /** The peer has said that it will send no more on the stream. */
  hasEnded(streamId: string): boolean
  sent(buffers: Uint8Array[]): void
  received(buffers: Uint8Array[]): void
}

const DATA = 0

export class YamuxRecorder implements WireRecorder {
  readonly transcript = new Transcript()
  readonly tape = new Tape()
  readonly violations: string[] = []
  largestFrameReceived = 0
  mostCredit = 0
  readonly #discipline: Discipline

  constructor (role: 'client' | 'server') {
    this.#discipline = new Discipline('we', role, { strictPeer: false })
    this.#discipline.onSent = frame => {
      this.transcript.add('>', line(frame))

      this.mostCredit = Math.max(this.mostCredit, this.#discipline.streams.get(frame.streamId)?.receiveCredit ?? 0)
    }
    this.#discipline.onReceived = frame => {
      this.transcript.add('<', line(frame))

      if (frame.type === DATA) {
        this.largestFrameReceived = Math.max(this.largestFrameReceived, frame.length)
      }
    }
  }

  get pongsOwed (): number {
    return this.#discipline.pongsOwed
  }

  get mostUnacknowledged (): number {
    return this.#discipline.mostUnacknowledged
  }

  hasEnded (streamId: string): boolean {
    return this.#discipline.streams.get(Number(streamId))?.finReceived === true
  }

  sent (buffers: Uint8Array[]): void {
    this.#record(() => { this.#discipline.sent(buffers) })
  }

  received (buffers: Uint8Array[]): void {
    for (const buffer of buffers) {
      this.#record(() => { this.#discipline.received(buffer) })
    }
  }

  #record (work: () => void): void {
    try {
      work()
    } catch (err: any) {
      this.violations.push(err.message)
    }
  }
}

function line (frame: Frame): string {
  return lineOf({ ...frame, version: 0, body: EMPTY })
}

const EMPTY = new Uint8Array(0)

/** From now on everything that goes through is recorded: to be called before a muxer has the connection. */
export function tap<T extends MessageStream> (maConn: T, recorder: WireRecorder): T {
  const send = maConn.send.bind(maConn)

  maConn.send = data => {
    recorder.tape.add('>', buffersOf(data))
    recorder.sent(buffersOf(data))

    return send(data)
  }
  maConn.addEventListener('message', event => {
    recorder.tape.add('<', buffersOf(event.data))
    recorder.received(buffersOf(event.data))
  })

  return maConn
}

function buffersOf (data: Uint8Array | Uint8ArrayList): Uint8Array[] {
  return data instanceof Uint8Array ? [data] : [...data]
}
