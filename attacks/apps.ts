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

export function use (app: App, stream: Stream, index: number, muxer: StreamMuxer): void {
  if (app === 'request' && index === 0) {
    request(muxer)
  }

  if (app === 'ignore' || (app === 'end-thousand' && index >= 1_000) || (app === 'hold-first' && index === 0) || (app === 'read-first' && index > 0)) {
    stream.pause()
  } else if (app === 'slow') {
    stream.pause()
    held.push(stream)
  } else if (app === 'echo' || app === 'request') {
    echo(stream)
  } else if (app === 'echo-plainly') {
    echoPlainly(stream)
  } else if (app === 'write' || app === 'write-small') {
    write(stream, app === 'write' ? CHUNK_BYTES : SMALL_BYTES)
  } else if (app === 'end-first' || app === 'end-thousand') {
    stream.pause()
    stream.close().catch(ignore)
  } else if (app === 'read-message') {
    held.push(stream)
    readMessage(stream)
  } else if (app === 'give-up') {
    readInTime(stream)
  } else if (app === 'negotiate') {
    negotiate(stream)
  } else if (app === 'leave') {
    leave(stream)
  } else {
    read(stream)
  }
}
