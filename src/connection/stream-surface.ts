/**
 * What `MuxedStream` has beyond libp2p's `Stream`, all of it made of a few primitives: the same for our own streams
 * and for those of any other muxer.
 */
import { StreamMessageEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { VarintDecoder, encodeVarint } from '../core/varint.ts'
import { InvalidDataLengthError, InvalidDataLengthLengthError, InvalidMessageLengthError, InvalidParametersError, StreamStateError, UnexpectedEOFError } from '../interface/errors.ts'
import { checkTimeout } from './checks.ts'
import { Gathered } from './gathered.ts'
import { Listeners } from './listeners.ts'
import { afterOthers, isOthersTurn } from './others-turn.ts'
import { Turns } from './turns.ts'
import { within } from './within.ts'
import type { Bytes, ReadLengthPrefixedOptions, ReadOptions } from '../interface/muxer.ts'
import type { AbortOptions, MessageStreamEvents, MessageStreamWriteStatus, StreamCloseEvent } from '@libp2p/interface'

/** The default of `maxSize`: as much as one frame holds, and what libp2p's small protocols need. */
const MAX_MESSAGE_BYTES = 65_536

/** Prefix and message go as one piece up to here: copying costs less than a second frame. */
const JOIN_BYTES = 16_384

interface Extras {
  readTimeout?: number
  writeTimeout?: number
  readable?: ReadableStream<Uint8Array>
  writable?: WritableStream<Uint8Array>

  /** So that no message is torn by another reader, and no write overtakes one that waits. */
  readers?: Turns
  writers?: Turns
}

/** Whose listeners are at work, the innermost first: here, and not in each of ten thousand streams that are idle. */
let handing: Work | undefined

interface Work { stream: StreamSurface, before: Work | undefined }

export abstract class StreamSurface extends Listeners<MessageStreamEvents & Record<string, any>> {
  // together, and only once they are wanted: a stream that libp2p alone uses pays for one field
  #extras: Extras | undefined

  abstract readonly writableNeedsDrain: boolean
  abstract readonly writeStatus: MessageStreamWriteStatus
  abstract readonly readBufferLength: number
  abstract send (data: Bytes): boolean
  abstract onDrain (options?: AbortOptions): Promise<void>
  abstract close (options?: AbortOptions): Promise<void>
  abstract closeRead (options?: AbortOptions): Promise<void>
  abstract abort (err: Error): void

  /** A listener of ours is being handed a message. */
  protected get delivering (): boolean {
    for (let one = handing; one !== undefined; one = one.before) {
      if (one.stream === this) {
        return true
      }
    }

    return false
  }

  protected hand (data: Bytes): void {
    const work = { stream: this, before: handing }

    handing = work

    try {
      this.dispatchEvent(new StreamMessageEvent(data))
    } finally {
      // a metrics plugin that throws must not stop the stream for good
      handing = work.before
    }
  }

  /** The next bytes, at most `max`: taking them is what returns credit. */
  protected abstract take (max: number): Bytes | undefined

  /** Resolves when there may be bytes; with `false` when there will be none. Throws what broke the stream. */
  protected abstract whenReadable (signal?: AbortSignal): Promise<boolean>

  /** Puts bytes in front of what is unread, for whoever waits for some; not after our own `closeRead()`, nor after a reset. */
  protected abstract giveBack (data: Uint8ArrayList): void

  /** It may not be read any more. */
  protected abstract readerLeft (): void

  /** What broke the half, if it did not end, or has not ended yet. */
  protected abstract readonly writeFailure: Error | undefined
  protected abstract readonly readFailure: Error | undefined

  /** A read that waits for longer, in milliseconds, rejects with `TimeoutError`; the stream stays. 0 is no limit. @default Infinity */
  get readTimeout (): number {
    return this.#extras?.readTimeout ?? Infinity
  }

  set readTimeout (millis: number) {
    this.#extra.readTimeout = checkTimeout('readTimeout', millis)
  }

  /** A write that waits for longer, in milliseconds, rejects with `TimeoutError`; nothing of it was queued. 0 is no limit. @default Infinity */
  get writeTimeout (): number {
    return this.#extras?.writeTimeout ?? Infinity
  }

  set writeTimeout (millis: number) {
    this.#extra.writeTimeout = checkTimeout('writeTimeout', millis)
  }

  async read (options: ReadOptions & { bytes: number }): Promise<Uint8Array>
  async read (options?: ReadOptions): Promise<Uint8Array | null>
  async read (options: ReadOptions = {}): Promise<Uint8Array | null> {
    const { bytes, signal } = options

    if (bytes !== undefined) {
      if (!Number.isSafeInteger(bytes) || bytes < 0) {
        throw new InvalidParametersError(`bytes must be a whole number, was ${bytes}`)
      }

      return this.#asReader(async () => this.#readExactly(bytes, signal), signal)
    }

    signal?.throwIfAborted()

    const waits = isOthersTurn()
    const data = waits || this.isBeingRead ? undefined : this.take(Infinity)

    return (data ?? await this.#asReader(async () => this.#next(Infinity, signal), signal, waits))?.subarray() ?? null
  }

  async write (data: Bytes, options: AbortOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    this.#assertWritable()

    if (!this.writableNeedsDrain && this.#extras?.writers?.busy !== true) {
      this.send(data)

      if (this.writableNeedsDrain || this.writeFailure !== undefined) {
        await within(this.writeTimeout, 'writeTimeout', options.signal, async signal => this.#accepted(signal))
      }

      return
    }

    const writers = this.#extra.writers ??= new Turns()

    await within(this.writeTimeout, 'writeTimeout', options.signal, async signal => {
      await writers.take(async () => {
        while (this.writableNeedsDrain) {
          await this.onDrain({ signal })
        }

        this.#assertWritable()
        this.send(data)
        await this.#accepted(signal)
      }, signal)
    })
  }

  /** As `close()`, which libp2p wants to resolve also when the stream was reset: here that is told. */
  async closeWrite (options?: AbortOptions): Promise<void> {
    this.#throwWriteFailure()
    await this.close(options)
    this.#throwWriteFailure()
  }

  async readLengthPrefixed (options: ReadLengthPrefixedOptions = {}): Promise<Uint8Array | null> {
    return this.#asReader(async () => this.#readMessage(options), options.signal)
  }

  async #readMessage ({ maxSize = MAX_MESSAGE_BYTES, allowEmpty = true, signal }: ReadLengthPrefixedOptions): Promise<Uint8Array | null> {
    const size = await this.#readLength(signal)

    if (size === undefined) {
      return null
    }

    try {
      if (size > maxSize) {
        throw new InvalidDataLengthError(size, maxSize)
      }

      if (size === 0 && !allowEmpty) {
        throw new InvalidMessageLengthError('the message is empty, which is not allowed here (option allowEmpty)')
      }

      return await this.#readExactly(size, signal)
    } catch (err) {
      // there is one way to write it, so that what was read need not be kept beside the message
      this.#giveBackAfter(err, new Uint8ArrayList(encodeVarint(size)))
      throw err
    }
  }

  async writeLengthPrefixed (data: Bytes, options?: AbortOptions): Promise<void> {
    const prefix = encodeVarint(data.byteLength)
    const list = new Uint8ArrayList(prefix, data)

    await this.write(list.byteLength <= JOIN_BYTES ? list.subarray() : list, options)
  }

  async * lengthPrefixed (options?: ReadLengthPrefixedOptions): AsyncGenerator<Uint8Array> {
    for (let message = await this.readLengthPrefixed(options); message !== null; message = await this.readLengthPrefixed(options)) {
      yield message
    }
  }

  get source (): AsyncGenerator<Uint8Array> {
    return this.#chunks()
  }

  /** Bound to the stream, as `it-pipe` takes it off the stream that it ends in. */
  get sink (): (source: AsyncIterable<Bytes> | Iterable<Bytes>) => Promise<void> {
    return async source => this.#sink(source)
  }

  get readable (): ReadableStream<Uint8Array> {
    this.#extra.readable ??= new ReadableStream<Uint8Array>({
      start: controller => {
        // what is unread comes first, and the error with the pull after it
        const tell = (): void => {
          if (this.readFailure !== undefined && this.readBufferLength === 0) {
            controller.error(this.readFailure)
          }
        }

        tell()
        this.addEventListener('close', tell)
      },
      pull: async controller => {
        const data = await this.read()

        if (data === null) {
          controller.close()
        } else {
          controller.enqueue(data)
        }
      },
      cancel: async () => {
        await this.closeRead()
      }
      // what the stream of ours holds is bounded already: a second queue would only delay the credit
    }, { highWaterMark: 0 })

    return this.#extra.readable
  }

  get writable (): WritableStream<Uint8Array> {
    this.#extra.writable ??= new WritableStream<Uint8Array>({
      start: controller => {
        const error = this.#whyUnwritable()

        if (error !== undefined) {
          controller.error(error)
          return
        }

        // whoever pipes into it hears of it before the next write
        this.addEventListener('close', ({ error }: StreamCloseEvent) => {
          if (error !== undefined) {
            controller.error(error)
          }
        })
      },
      write: async (data, { signal }) => {
        // a write that waits would keep the writer from giving up
        await this.write(data, { signal })
      },
      close: async () => {
        await this.closeWrite()
      },
      abort: async reason => {
        this.abort(reason instanceof Error ? reason : new Error(`the writer gave up: ${reason}`))
      }
    })

    return this.#extra.writable
  }

  /** Ends both halves: what was written is delivered, what is unread is dropped. */
  async [Symbol.asyncDispose] (): Promise<void> {
    await this.close()
    await this.closeRead()
  }

  async #sink (source: AsyncIterable<Bytes> | Iterable<Bytes>): Promise<void> {
    const iterator = iteratorOf(source)
    let giveUp: ((err: Error) => void) | undefined

    // a source that has nothing to say for a while must not keep us from hearing that the stream is gone
    const onClose = ({ error }: StreamCloseEvent): void => {
      if (error !== undefined) {
        giveUp?.(error)
      }
    }

    const next = async (): Promise<IteratorResult<Bytes>> => new Promise((resolve, reject) => {
      giveUp = reject
      Promise.resolve(iterator.next()).then(resolve, reject)
    })

    const dead = this.#whyUnwritable()

    if (dead !== undefined) {
      // the other half, if there is one, is not ours to end
      Promise.resolve(iterator.return?.()).catch(() => {})
      throw dead
    }

    this.addEventListener('close', onClose)

    try {
      for (let { done, value } = await next(); done !== true; { done, value } = await next()) {
        giveUp = undefined
        await this.write(value)
      }

      await this.closeWrite()
    } catch (err: any) {
      this.abort(err)
      // not waited for: one that is amid its next value ends after that
      Promise.resolve(iterator.return?.()).catch(() => {})
      throw err
    } finally {
      this.removeEventListener('close', onClose)
    }
  }

  /** What was queued is accepted: a wait for the queue to fall that is given up is no failure of the write. */
  async #accepted (signal?: AbortSignal): Promise<void> {
    if (this.writableNeedsDrain) {
      await this.onDrain({ signal }).catch(() => {})
    }

    this.#throwWriteFailure()
  }

  #whyUnwritable (): Error | undefined {
    return this.writeFailure ?? (this.writeStatus === 'writable' ? undefined : writeError(this.writeStatus))
  }

  #assertWritable (): void {
    const error = this.#whyUnwritable()

    if (error !== undefined) {
      throw error
    }
  }

  #throwWriteFailure (): void {
    const { writeFailure } = this

    if (writeFailure !== undefined) {
      throw writeFailure
    }
  }

  get #extra (): Extras {
    this.#extras ??= {}

    return this.#extras
  }

  async * #chunks (): AsyncGenerator<Uint8Array> {
    for (let data = await this.read(); data !== null; data = await this.read()) {
      yield data
    }
  }

  async #next (max: number, signal?: AbortSignal): Promise<Bytes | undefined> {
    signal?.throwIfAborted()

    let data = this.take(max)

    while (data === undefined && await within(this.readTimeout, 'readTimeout', signal, async signal => this.whenReadable(signal))) {
      // another reader, an iterator say, may have been faster
      data = this.take(max)
    }

    return data
  }

  async #asReader<T> (read: () => Promise<T>, signal?: AbortSignal, waits = isOthersTurn()): Promise<T> {
    const readers = this.#extra.readers ??= new Turns()
    const work = waits ? async () => afterOthers().then(read) : read

    try {
      if (!readers.busy) {
        return await readers.take(work)
      }

      // for the turn; what is done with it has time limits of its own
      return await within(this.readTimeout, 'readTimeout', signal, async signal => readers.take(work, signal))
    } finally {
      this.readerLeft()
    }
  }

  /** Somebody reads, and may give back what was taken. */
  protected get isBeingRead (): boolean {
    return this.#extras?.readers?.busy === true
  }

  async #readExactly (length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const list = new Gathered()

    try {
      signal?.throwIfAborted()

      while (list.byteLength < length) {
        const max = length - list.byteLength
        // what is here is not waited for: of a message in many pieces each would take a turn of promises
        const data = this.take(max) ?? await this.#next(max, signal)

        if (data === undefined) {
          throw new UnexpectedEOFError(`the stream ended after ${list.byteLength} of ${length} bytes`)
        }

        list.append(data)
      }

      return list.toList().subarray()
    } catch (err) {
      this.#giveBackAfter(err, list.toList())
      throw err
    }
  }

  /** The length in front of a message; `undefined` at the end of the stream. */
  async #readLength (signal?: AbortSignal): Promise<number | undefined> {
    const prefix = new Gathered()
    const varint = new VarintDecoder()

    try {
      signal?.throwIfAborted()

      while (true) {
        const data = this.take(1) ?? await this.#next(1, signal)

        if (data === undefined) {
          if (prefix.byteLength === 0) {
            return undefined
          }

          throw new UnexpectedEOFError(`the stream ended after ${prefix.byteLength} bytes of the length of a message`)
        }

        prefix.append(data)

        const state = varint.push(data.subarray()[0])

        if (state === 'done') {
          return varint.value
        }

        if (state !== 'more') {
          throw new InvalidDataLengthLengthError(state === 'too-long'
            ? 'the length of the message has more than 53 bits'
            : 'the length of the message is not written in its shortest form')
        }
      }
    } catch (err) {
      this.#giveBackAfter(err, prefix.toList())
      throw err
    }
  }

  /**
   * A read that was given up, or met the end, leaves what it had taken to the next. One that met a reset does not: the
   * error has been told, and no bytes come after it.
   */
  #giveBackAfter (err: unknown, taken: Uint8ArrayList): void {
    if (taken.byteLength > 0 && err !== this.readFailure) {
      this.giveBack(taken)
    }
  }
}

/** What libp2p expects of who reads on all the same. */
export function cannot (what: string): StreamStateError {
  return new StreamStateError(`Cannot ${what} a stream that is closed for reading`)
}

/** What libp2p expects of a write that comes too late, with what ended the stream. */
export function writeError (status: MessageStreamWriteStatus, cause?: Error): StreamStateError {
  const error = new StreamStateError(`Cannot write to a stream that is ${status}`)

  if (cause !== undefined) {
    error.cause = cause
  }

  return error
}

function iteratorOf (source: AsyncIterable<Bytes> | Iterable<Bytes>): AsyncIterator<Bytes> | Iterator<Bytes> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
}
