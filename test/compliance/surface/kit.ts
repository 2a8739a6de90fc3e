/** What the contract of the surface needs of a muxer, and what its tests share. */
import { turn } from '../../support/waiting.ts'
import type { MuxedConnection, MuxedStream } from '../../../src/interface/muxer.ts'

export interface SurfacePair {
  dialer: MuxedConnection
  listener: MuxedConnection

  /** The connection underneath breaks, and neither end has a say in it. */
  cut(): void
}

/** What a muxer is able to do; what it is not has to be absent. */
export interface Abilities {
  /** Codes of resets and GoAways travel. */
  codes: boolean

  /** A writer waits for a reader that does not read. */
  flowControl: boolean

  /** `sendWindow` and `receiveWindow` are known. */
  windows: boolean
  ping: boolean

  /** Opening waits while the peer has too many streams to acknowledge. */
  openBacklog: boolean

  /** All frames are counted, not only what streams carry. */
  countsFrames: boolean
}

export interface SurfaceSetup {
  can: Abilities
  connect(options?: { acceptBacklog?: number }): Promise<SurfacePair>
}

/** For a `describe`: connects pairs, and leaves none behind. */
export function pairs (setup: SurfaceSetup): SurfaceSetup['connect'] {
  let open: SurfacePair[] = []

  afterEach(() => {
    for (const { dialer, listener } of open) {
      dialer.abort(new Error('the test is over'))
      listener.abort(new Error('the test is over'))
    }

    open = []
  })

  return async options => {
    const pair = await setup.connect(options)

    open.push(pair)

    return pair
  }
}

/** A stream, as both sides have it. */
export async function streamPair ({ dialer, listener }: SurfacePair): Promise<[MuxedStream, MuxedStream]> {
  const [ours, theirs] = await Promise.all([dialer.newStream(), listener.acceptStream()])

  return [ours, theirs]
}

/** Bytes that are not all alike. */
export function bytesOf (length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) + seed) & 0xff)
}

export function text (data: Uint8Array | null | undefined): string | undefined {
  return data == null ? undefined : new TextDecoder().decode(data)
}

export function encode (message: string): Uint8Array {
  return new TextEncoder().encode(message)
}

export async function readAll (stream: MuxedStream): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []

  for (let data = await stream.read(); data !== null; data = await stream.read()) {
    pieces.push(data)
  }

  return Buffer.concat(pieces)
}

/** The error that it comes to. */
export async function failureOf (promise: Promise<unknown>): Promise<any> {
  try {
    await promise
  } catch (err) {
    return err
  }

  throw new Error('it should have failed')
}

/** Turns after which a connection in memory has moved all that it can. */
const QUIET_TURNS = 20

/** Writes until the stream takes no more while nobody reads. Returns how many bytes it took. */
export async function fill (stream: MuxedStream): Promise<number> {
  let taken = 0

  for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
    while (!stream.writableNeedsDrain || (stream.sendWindow ?? 0) > 0) {
      stream.send(bytesOf(65_536, taken))
      taken += 65_536
      quiet = 0
      await turn()
    }

    await turn()
  }

  return taken
}

/** The bytes that `fill()` wrote. */
export function filled (length: number): Uint8Array {
  const pieces: Uint8Array[] = []

  for (let at = 0; at < length; at += 65_536) {
    pieces.push(bytesOf(65_536, at))
  }

  return Buffer.concat(pieces)
}
