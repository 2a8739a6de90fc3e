/** What the victim's application does with a stream. */
import { lpStream } from '@libp2p/utils'
import type { App } from './types.ts'
import type { AbortOptions, Stream, StreamMuxer } from '@libp2p/interface'

const CHUNK_BYTES = 65_536
const SMALL_BYTES = 1_024

/** What a slow application has in hand. */
const held: Stream[] = []

function ignore (): void {}

function read (stream: Stream): void {
  stream.addEventListener('message', ignore)
  stream.addEventListener('remoteCloseWrite', () => {
    stream.close().catch(ignore)
  })
}

function echo (stream: Stream): void {
  stream.addEventListener('message', ({ data }) => {
    if (stream.writeStatus === 'writable' && !stream.send(data)) {
      stream.pause()
    }
  })
  stream.addEventListener('drain', () => {
    if (stream.readStatus !== 'closed') {
      stream.resume()
    }
  })
  stream.addEventListener('remoteCloseWrite', () => {
    stream.close().catch(ignore)
  })
}

/** As the documentation of muxers shows it: nothing is asked before it is sent. */
function echoPlainly (stream: Stream): void {
  stream.addEventListener('message', ({ data }) => {
    if (!stream.send(data)) {
      stream.pause()
      stream.resume()
    }
  })
}

/** As much as the stream takes, and then whenever it drains. */
function write (stream: Stream, bytes: number): void {
  const fill = (): void => {
    while (stream.writeStatus === 'writable' && stream.send(new Uint8Array(bytes))) {
      // until it has enough
    }
  }

  stream.addEventListener('drain', fill)
  fill()
}

/** By our own streams' method, or what libp2p has for any. */
function readMessage (stream: Stream & { readLengthPrefixed?(options: AbortOptions): Promise<unknown> }, signal?: AbortSignal): void {
  const message = stream.readLengthPrefixed?.({ signal }) ?? lpStream(stream).read({ signal })

  message.catch(ignore)
}

/** A message that takes longer than a second ends its stream. */
function readInTime (stream: Stream): void {
  const signal = AbortSignal.timeout(1_000)

  signal.addEventListener('abort', () => { stream.abort(new Error('the message took too long')) })
  readMessage(stream, signal)
}

/** As libp2p's node does first: what comes behind the protocol is pushed back, here for an application that takes its time. */
function negotiate (stream: Stream): void {
  const messages = lpStream(stream)

  held.push(stream)
  messages.read().then(() => {
    messages.unwrap()
    stream.protocol = '/agreed/1.0.0'
  }).catch(ignore)
}

const REQUESTS = 200
const RETRY_MILLIS = 20

/** So many requests at a time, each made again when it has come to nothing. */
function request (muxer: StreamMuxer): void {
  const next = async (): Promise<void> => {
    const stream = await muxer.createStream()

    stream.addEventListener('close', () => {
      setTimeout(() => { next().catch(ignore) }, RETRY_MILLIS)
    })
    stream.send(new Uint8Array(100))
  }

  for (let i = 0; i < REQUESTS; i++) {
    next().catch(ignore)
  }
}

function leave (stream: Stream): void {
  stream.close().catch(ignore)
  stream.closeRead().catch(ignore)
}

/** One stream is asked for, and no other; muxers that have streams by the event only are not listened to. */
export function acceptFirst (muxer: StreamMuxer & { acceptStream?(): Promise<Stream> }): void {
  muxer.acceptStream?.().then(stream => { held.push(stream) }, ignore)
}

/** Who is handed a stream, `index` streams after the first. */
type Use = (stream: Stream, index: number, muxer: StreamMuxer) => void

function pause (stream: Stream): void {
  stream.pause()
}

function hold (stream: Stream): void {
  stream.pause()
  held.push(stream)
}

function end (stream: Stream): void {
  stream.pause()
  stream.close().catch(ignore)
}

const USES: Record<App, Use> = {
  read,
  'accept-first': read,
  ignore: pause,
  slow: hold,
  echo,
  'echo-plainly': echoPlainly,
  leave,
  negotiate,
  'give-up': readInTime,
  'end-first': end,
  write: stream => { write(stream, CHUNK_BYTES) },
  'write-small': stream => { write(stream, SMALL_BYTES) },
  'end-thousand': (stream, index) => { (index < 1_000 ? end : pause)(stream) },
  'hold-first': (stream, index) => { (index === 0 ? pause : read)(stream) },
  'read-first': (stream, index) => { (index === 0 ? read : pause)(stream) },
  'read-message': stream => {
    held.push(stream)
    readMessage(stream)
  },
  request: (stream, index, muxer) => {
    if (index === 0) {
      request(muxer)
    }

    echo(stream)
  }
}

export function use (app: App, stream: Stream, index: number, muxer: StreamMuxer): void {
  USES[app](stream, index, muxer)
}
