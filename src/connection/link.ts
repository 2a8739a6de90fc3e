/** The connection under a muxer: bytes in, frames out as long as it takes them, and its end. */
import { Uint8ArrayList } from 'uint8arraylist'
import { BusyPoll } from './busy-poll.ts'
import { afterTurn, systemClock } from './clock.ts'
import { PROGRESS_MILLIS, watchProgress } from './progress.ts'
import { scavenges } from './scavenges.ts'
import type { MessageStream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'

export interface LinkHandlers {
  onBytes(data: Iterable<Uint8Array>): void

  /** It takes frames again, after it was full. */
  onDrain(): void

  /** It takes frames again, after others had their turn. */
  onTurn(): void

  /** Nothing more will come. */
  onEnd(cause: Error | undefined): void
}

/** How long a peer that broke the protocol has to take our GoAway before its connection is cut. */
const CLOSE_FLUSH_MILLIS = 1_000

/**
 * About so many bytes go in one turn of the event loop. As long as a socket takes bytes at once, which it does when their
 * receiver is faster than we are, it drains in the same turn, the application writes more, and so on without end: a
 * process that sent small messages over noise heard nothing, not even its timers, for 20 seconds.
 */
const BYTES_A_TURN = 4_194_304

/**
 * Only who has sent as much, in this turn and those before, looks when a turn is over: that takes the event loop one more
 * round through the kernel, which every message of a conversation would pay for.
 */
const WATCHED_BYTES = BYTES_A_TURN / 2

export class Link {
  /** Resolves when the connection is closed, once it is being closed; rejects if it is known not to have taken all that was sent. */
  closed: Promise<void> = Promise.resolve()

  readonly #maConn: MessageStream
  readonly #closeMillis: number
  readonly #handlers: LinkHandlers
  readonly #busyPoll = new BusyPoll()
  #writable: boolean

  /** Sent in this turn of the event loop, and in those before that nobody looked at the end of. */
  #turnBytes = 0

  constructor (maConn: MessageStream, handlers: LinkHandlers, closeMillis = PROGRESS_MILLIS) {
    this.#closeMillis = closeMillis
    this.#maConn = maConn
    this.#handlers = handlers
    // whoever had the connection before may have filled it: encrypters send their handshake through it
    this.#writable = !maConn.writableNeedsDrain

    maConn.addEventListener('message', this.#onMessage)
    maConn.addEventListener('drain', this.#onDrain)
    maConn.addEventListener('remoteCloseWrite', this.#onRemoteCloseWrite)
    maConn.addEventListener('close', this.#onClose)
  }

  get open (): boolean {
    return this.#maConn.status === 'open'
  }

  /** Sends what `poll` makes until there is no more, until the connection wants to drain first, or others have their turn. */
  transmit (poll: () => Uint8Array[] | undefined): void {
    while (this.#writable && this.#turnBytes < BYTES_A_TURN) {
      const frames = poll()

      if (frames === undefined) {
        return
      }

      this.#count(frames)

      try {
        this.#writable = this.#send(frames)
      } catch (err: any) {
        this.#handlers.onEnd(err)
        return
      }
    }
  }

  /** Hears no more of the connection: what a peer sends to a muxer that is dead is not even parsed. */
  detach (): void {
    this.#maConn.removeEventListener('message', this.#onMessage)
    this.#maConn.removeEventListener('drain', this.#onDrain)
    this.#maConn.removeEventListener('remoteCloseWrite', this.#onRemoteCloseWrite)
    this.#maConn.removeEventListener('close', this.#onClose)
  }

  /** Sends the last frames and closes: in good order also after an error, as a cut would take the GoAway with it. */
  close (frames: Uint8Array[] | undefined, error: Error | undefined): void {
    if (this.open) {
      this.closed = this.#close(frames, error)
      // for who asks
      this.closed.catch(() => {})
    }
  }

  abort (err: Error): void {
    const { status } = this.#maConn

    if (status === 'open' || status === 'closing') {
      this.#maConn.abort(err)
    }
  }

  async #close (frames: Uint8Array[] | undefined, error: Error | undefined): Promise<void> {
    const maConn = this.#maConn
    const over = Promise.withResolvers<void>()
    let failure = error
    let lost: Error | undefined
    let stuck: Error | undefined

    // not `writableNeedsDrain`, which says no more than that a socket is not as it was: one that is about to fail for two bytes does
    let unsent = maConn.writeBufferLength > 0

    const drop = (): void => {}
    const onDrain = (): void => { unsent = maConn.writeBufferLength > 0 }

    const onStuck = (err: Error): void => {
      stuck = err
      over.reject(err)
    }

    const onOver = (event: StreamCloseEvent): void => {
      if (event.error === undefined) {
        over.resolve()
      } else {
        over.reject(event.error)
      }
    }

    // what nobody takes fills a buffer, which resets the connection when it is full, and our last word is lost
    maConn.addEventListener('message', drop)
    maConn.addEventListener('drain', onDrain)
    // one that is reset while it has bytes to send goes on waiting, in libp2p's `close()`, for a drain that never comes
    maConn.addEventListener('close', onOver)
    over.promise.catch(() => {})

    const cancel = error === undefined
      ? watchProgress(systemClock, () => maConn.writeBufferLength, onStuck, this.#closeMillis)
      : systemClock.schedule(over.resolve, CLOSE_FLUSH_MILLIS)

    try {
      if (frames !== undefined) {
        this.#send(frames)
      }

      maConn.close().then(over.resolve, over.reject)
      await over.promise
    } catch (err: any) {
      // a peer that has taken all may well reset what it has closed itself
      const reason = unsent ? err : stuck

      lost = error === undefined ? reason : undefined
      failure ??= err
    } finally {
      cancel()
      maConn.removeEventListener('message', drop)
      maConn.removeEventListener('drain', onDrain)
      maConn.removeEventListener('close', onOver)
    }

    if (failure !== undefined) {
      // some end their own half only, and would wait for a peer that is given up
      this.abort(failure)
    }

    if (lost !== undefined) {
      throw lost
    }
  }

  #count (frames: Uint8Array[]): void {
    const before = this.#turnBytes

    for (const { byteLength } of frames) {
      this.#turnBytes += byteLength
    }

    scavenges.moved(this.#turnBytes - before)
    this.#busyPoll.sent(this.#turnBytes - before)

    if (before < WATCHED_BYTES && this.#turnBytes >= WATCHED_BYTES) {
      afterTurn(this.#onTurn)
    }
  }

  #send (frames: Uint8Array[]): boolean {
    return this.#maConn.send(frames.length === 1 ? frames[0] : Uint8ArrayList.fromUint8Arrays(frames))
  }

  readonly #onTurn = (): void => {
    const held = this.#turnBytes >= BYTES_A_TURN

    this.#turnBytes = 0

    if (held && this.#writable) {
      this.#handlers.onTurn()
    }
  }

  readonly #onMessage = (event: StreamMessageEvent): void => {
    this.#busyPoll.received(event.data.byteLength)
    scavenges.moved(event.data.byteLength)
    this.#handlers.onBytes(event.data instanceof Uint8Array ? [event.data] : event.data)
  }

  readonly #onDrain = (): void => {
    // what the connection could not take before goes first: it does so a microtask after the event, and may be full again
    queueMicrotask(() => {
      this.#writable = !this.#maConn.writableNeedsDrain

      if (this.#writable) {
        this.#handlers.onDrain()
      }
    })
  }

  readonly #onRemoteCloseWrite = (): void => {
    this.#handlers.onEnd(undefined)
  }

  readonly #onClose = (event: StreamCloseEvent): void => {
    this.#handlers.onEnd(event.error)
  }
}
