/** A peer that says whatever a test wants, legal or not, and writes down all that it hears. */
import { FrameReader, GO_AWAY, PING, SYN, WINDOW_UPDATE, DATA, join, lineOf, pong } from './frames.ts'
import { until } from './waiting.ts'
import type { Frame } from './frames.ts'
import type { MemoryEnd } from './memory-link.ts'

export interface RudePeerOptions {
  /** `false`: pings are not answered. */
  pongs?: boolean
}

export class RudePeer {
  readonly end: MemoryEnd
  readonly frames: Frame[] = []

  /** How many frames had come when the connection ended. */
  framesAtEnd: number | undefined

  /** Called for each frame as it comes. */
  onFrame: ((frame: Frame) => void) | undefined

  pongs: boolean
  readonly #reader = new FrameReader()

  constructor (end: MemoryEnd, options: RudePeerOptions = {}) {
    this.end = end
    this.pongs = options.pongs ?? true

    end.addEventListener('message', event => {
      for (const frame of this.#reader.push(...(event.data instanceof Uint8Array ? [event.data] : event.data))) {
        this.#receive(frame)
      }
    })
    end.addEventListener('close', () => {
      this.framesAtEnd = this.frames.length
    })
  }

  /** What was heard, a line for each frame. */
  get lines (): string[] {
    return this.frames.map(lineOf)
  }

  /** What was heard beside pings. */
  get streamLines (): string[] {
    return this.frames.filter(frame => frame.type !== PING).map(lineOf)
  }

  /** Frames go out together, as one delivery. */
  send (...frames: Uint8Array[]): void {
    this.end.send(frames.length === 1 ? frames[0] : join(...frames))
  }

  /** The frames of one stream. */
  of (streamId: number): Frame[] {
    return this.frames.filter(frame => frame.type <= WINDOW_UPDATE && frame.streamId === streamId)
  }

  linesOf (streamId: number): string[] {
    return this.of(streamId).map(lineOf)
  }

  /** The bytes that came on one stream. */
  received (streamId: number): Uint8Array {
    return join(...this.of(streamId).filter(frame => frame.type === DATA).map(frame => frame.body))
  }

  /** The credit that was given to one stream beyond what every stream has. */
  granted (streamId: number): number {
    return this.of(streamId).filter(frame => frame.type === WINDOW_UPDATE).reduce((sum, frame) => sum + frame.length, 0)
  }

  /** The codes of the GoAways. */
  get goAways (): number[] {
    return this.frames.filter(frame => frame.type === GO_AWAY).map(frame => frame.length)
  }

  /** Waits for a frame whose line begins so. */
  async hears (line: string, skip = 0): Promise<Frame> {
    const find = (): Frame | undefined => this.frames.filter(frame => lineOf(frame).startsWith(line))[skip]

    await until(() => find() !== undefined)

    return find() as Frame
  }

  #receive (frame: Frame): void {
    this.frames.push(frame)
    this.onFrame?.(frame)

    if (frame.type === PING && frame.flags === SYN && this.pongs && this.end.status === 'open') {
      this.send(pong(frame.length))
    }
  }
}
