/** What goes on for long: streams that open, echo, half-close and reset, as chance will have it. */
import { noise } from '@chainsafe/libp2p-noise'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { StreamErrorCode } from '../../src/interface/codes.ts'
import { isMuxedStream } from '../../src/interface/muxer.ts'
import { mplex } from '../../src/mplex.ts'
import { yamux } from '../../src/yamux.ts'
import { isPattern, pattern } from '../../test/simulation/kit/pattern.ts'
import { Random } from '../../test/simulation/kit/random.ts'
import type { MuxedStream } from '../../src/interface/muxer.ts'
import type { MuxerName } from '../command.ts'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'

const PROTOCOL = '/libp2p-muxers/soak/1.0.0'

/** How a stream ends, as its first byte tells the other side. */
const ENDINGS = ['half-close', 'half-close', 'half-close ahead', 'reset by us', 'reset by them'] as const

type Ending = typeof ENDINGS[number]

const FLOWS = 100_003
const MAX_MESSAGE = 20_000

/** Read by the other side, so much of a stream counts as begun: what is not is bounded for all of them together. */
const BEGUN = 1_024

/** Beyond that, what is written before anything is read: all of it has room in the windows of either way. */
const MAX_AHEAD = 200_000

export interface Counts {
  streams: number
  messages: number
  bytes: number
  halfClosed: number

  /** Of those, what had most still to come when our half ended. */
  halfClosedAhead: number
  resetByUs: number
  resetByThem: number
}

function muxed (stream: Stream): MuxedStream {
  if (!isMuxedStream(stream)) {
    throw new Error('the stream is not of our muxer')
  }

  return stream
}

async function echo (stream: MuxedStream): Promise<void> {
  const first = await stream.read({ bytes: 1 })
  const left = ENDINGS[first[0]] === 'reset by them' ? 10_000 : Infinity
  let echoed = 0

  for (let bytes = await stream.read(); bytes !== null && echoed < left; bytes = await stream.read()) {
    await stream.write(bytes)
    echoed += bytes.byteLength
  }

  if (echoed >= left) {
    stream.reset(StreamErrorCode.garbageCollected)
  } else {
    await stream.closeWrite()
  }
}

export class Load {
  readonly counts: Counts = { streams: 0, messages: 0, bytes: 0, halfClosed: 0, halfClosedAhead: 0, resetByUs: 0, resetByThem: 0 }

  /** What should not have been. */
  readonly errors: string[]

  readonly #dialler: Libp2p
  readonly #listener: Libp2p
  readonly #connection: Connection
  readonly #random: Random
  #flow = 0
  #stopped = false
  #loops: Array<Promise<void>> = []

  private constructor (dialler: Libp2p, listener: Libp2p, connection: Connection, seed: number, errors: string[]) {
    this.errors = errors
    this.#dialler = dialler
    this.#listener = listener
    this.#connection = connection
    this.#random = new Random(seed)
  }

  static async start (muxer: MuxerName, streams: number, seed: number): Promise<Load> {
    const create = async (listen: string[]): Promise<Libp2p> => createLibp2p({
      addresses: { listen },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [muxer === 'yamux' ? yamux() : mplex()],
      connectionMonitor: { enabled: false }
    })
    const listener = await create(['/ip4/127.0.0.1/tcp/0'])
    const dialler = await create([])
    const errors: string[] = []
    let stopped = (): boolean => false

    await listener.handle(PROTOCOL, stream => {
      echo(muxed(stream)).catch((err: Error) => {
        // the other side resets now and then, and that is how it shows
        if (err.name !== 'StreamResetError' && !stopped()) {
          errors.push(`echo: ${err.name}: ${err.message}`)
        }
      })
    }, { maxInboundStreams: Infinity })

    const load = new Load(dialler, listener, await dialler.dial(listener.getMultiaddrs()[0]), seed, errors)

    stopped = () => load.#stopped

    // until the other node listens, no more than `maxEarlyStreams` may come
    await load.#use(muxed(await load.#connection.newStream(PROTOCOL)), 'half-close', ++load.#flow, 1)

    for (let i = 0; i < streams; i++) {
      load.#loops.push(load.#loop())
    }

    return load
  }

  async stop (): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#loops)
    this.#loops = []
    await Promise.all([this.#dialler.stop(), this.#listener.stop()])
  }

  async #loop (): Promise<void> {
    while (!this.#stopped) {
      const ending = this.#random.pick(ENDINGS)

      try {
        const stream = muxed(await this.#connection.newStream(PROTOCOL, { maxOutboundStreams: Infinity }))

        await this.#use(stream, ending, ++this.#flow % FLOWS, this.#random.magnitude(1, 200))
        this.counts.streams++
      } catch (err: any) {
        this.errors.push(`${ending}: ${err.name}: ${err.message}`)

        if (this.#connection.status !== 'open') {
          return
        }
      }
    }
  }

  async #use (stream: MuxedStream, ending: Ending, flow: number, messages: number): Promise<void> {
    try {
      await stream.write(Uint8Array.of(ENDINGS.indexOf(ending)))

      if (ending === 'half-close ahead') {
        await this.#talkAhead(stream, flow, messages)
        this.counts.halfClosedAhead++
      } else {
        await this.#talk(stream, flow, messages)
      }

      if (ending === 'reset by us') {
        stream.reset(StreamErrorCode.shutdown)
        this.counts.resetByUs++
        return
      }

      if (ending !== 'half-close ahead') {
        await stream.closeWrite()
      }

      if (await stream.read() !== null) {
        throw new Error('more came back than was sent')
      }

      this.counts.halfClosed++
    } catch (err: any) {
      if (ending !== 'reset by them' || err.name !== 'StreamResetError') {
        throw err
      }

      this.counts.resetByThem++
    }
  }

  /** Messages there and back, one at a time. */
  async #talk (stream: MuxedStream, flow: number, messages: number): Promise<void> {
    let offset = 0

    for (let i = 0; i < messages; i++) {
      const length = this.#random.magnitude(1, MAX_MESSAGE)

      await this.#write(stream, flow, offset, length)
      await this.#readBack(stream, flow, offset, length)
      offset += length
    }
  }

  /** Messages there, then the end of our half, and only then all of them back: who has ended still listens. */
  async #talkAhead (stream: MuxedStream, flow: number, messages: number): Promise<void> {
    await this.#write(stream, flow, 0, BEGUN)
    await this.#readBack(stream, flow, 0, BEGUN)

    let written = BEGUN

    for (let i = 0; i < messages && written < MAX_AHEAD; i++) {
      const length = Math.min(this.#random.magnitude(1, MAX_MESSAGE), MAX_AHEAD - written)

      await this.#write(stream, flow, written, length)
      written += length
    }

    await stream.closeWrite()

    for (let offset = BEGUN; offset < written; offset += MAX_MESSAGE) {
      await this.#readBack(stream, flow, offset, Math.min(MAX_MESSAGE, written - offset))
    }
  }

  async #write (stream: MuxedStream, flow: number, offset: number, length: number): Promise<void> {
    await stream.write(pattern(flow, offset, length))
    this.counts.messages++
  }

  async #readBack (stream: MuxedStream, flow: number, offset: number, length: number): Promise<void> {
    if (!isPattern(flow, offset, await stream.read({ bytes: length }))) {
      throw new Error('what came back is not what was sent')
    }

    this.counts.bytes += length
  }
}
