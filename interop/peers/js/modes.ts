/** What the peer does with the streams of its connection, by name. */
import { report } from './report.ts'
import type { PeerEvent } from '../program.ts'
import type { Stream, StreamMuxer } from '@libp2p/interface'

export interface Session {
  open(): Promise<Stream>
  onStream(handler: (stream: Stream) => void): void
  onClose(handler: () => void): void
  muxer: StreamMuxer
}

type Ending = Omit<PeerEvent, 'event'>
type Handler = (stream: Stream) => Promise<Ending>

const PERIOD = 251
const PATTERN = new Uint8Array(PERIOD * 4_096).map((_, index) => index % PERIOD)
const CHUNK_BYTES = 65_536

function ending (err: any): Ending {
  return {
    how: err.name === 'StreamResetError' ? 'reset' : 'error',
    code: err.code,
    message: `${err.name}: ${err.message}`
  }
}

async function receive (stream: Stream, onData: (data: Uint8Array) => Promise<void> = async () => {}): Promise<Ending> {
  let bytes = 0
  let intact = true

  try {
    for await (const data of stream) {
      const chunk = data.subarray()

      for (let at = 0; at < chunk.byteLength;) {
        const part = chunk.subarray(at, at + CHUNK_BYTES)
        const offset = bytes % PERIOD

        intact &&= Buffer.compare(part, PATTERN.subarray(offset, offset + part.byteLength)) === 0
        at += part.byteLength
        bytes += part.byteLength
      }

      await onData(chunk)
    }
  } catch (err: any) {
    return { ...ending(err), bytes, intact }
  }

  return { how: 'eof', bytes, intact }
}

async function write (stream: Stream, data: Uint8Array): Promise<void> {
  if (!stream.send(data)) {
    await stream.onDrain()
  }
}

async function send (stream: Stream, length: number): Promise<void> {
  for (let at = 0; at < length;) {
    const offset = at % PERIOD
    const part = PATTERN.subarray(offset, offset + Math.min(CHUNK_BYTES, length - at))

    await write(stream, part)
    at += part.byteLength
  }
}

async function orEnding (stream: Stream, work: () => Promise<Ending>): Promise<Ending> {
  try {
    return await work()
  } catch (err: any) {
    return ending(err)
  }
}

const echo: Handler = async stream => orEnding(stream, async () => {
  const result = await receive(stream, async data => write(stream, data))

  await stream.close()

  return result
})

const sink: Handler = async stream => orEnding(stream, async () => {
  const result = await receive(stream)

  if (result.how === 'eof') {
    await stream.close()
  }

  return result
})

const half: Handler = async stream => orEnding(stream, async () => {
  const result = await receive(stream)

  await send(stream, result.bytes ?? 0)
  await stream.close()

  return result
})

function source (length: number): Handler {
  return async stream => orEnding(stream, async () => {
    await send(stream, length)
    await stream.close()

    return receive(stream)
  })
}

const reset: Handler = async stream => orEnding(stream, async () => {
  await once(stream, 'message')
  stream.abort(new Error('reset by the mode'))

  return { how: 'local' }
})

const closeBoth: Handler = async stream => orEnding(stream, async () => {
  await Promise.all([stream.closeRead(), stream.close()])

  return { how: 'local' }
})

const slow: Handler = async stream => orEnding(stream, async () => receive(stream, async data => {
  await new Promise(resolve => { setTimeout(resolve, data.byteLength / 1_024 * 10) })
}))

async function once (target: EventTarget | Stream, type: string): Promise<void> {
  return new Promise(resolve => {
    (target as EventTarget).addEventListener(type, () => { resolve() }, { once: true })
  })
}

function each (session: Session, choose: (index: number) => Handler): void {
  let index = 0

  session.onStream(stream => {
    const number = index++

    report({ event: 'stream', stream: number })
    choose(number)(stream).then(result => { report({ event: 'end', stream: number, ...result }) }, () => {})
  })
  session.onClose(() => { report({ event: 'closed' }) })
}

function first (handler: Handler): (index: number) => Handler {
  return index => index === 0 ? handler : echo
}

async function ask (session: Session): Promise<void> {
  const stream = await session.open()
  const answer = receive(stream)

  await send(stream, 1_024)
  await stream.close()

  const { how, bytes, intact, message } = await answer

  if (how !== 'eof' || bytes !== 1_024 || intact !== true) {
    throw new Error(`the echo was cut or wrong: ${how} ${bytes} ${message}`)
  }
}

async function openMany (session: Session, count: number): Promise<void> {
  const results = await Promise.allSettled(Array.from({ length: count }, async () => ask(session)))
  const failed = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]

  report({ event: 'done', streams: count, failed: failed.length, message: failed[0]?.reason.message })
}

async function openEmpty (session: Session): Promise<void> {
  const stream = await session.open()
  const result = receive(stream)

  await stream.close()
  report({ event: 'done', ...await result })
}

async function pingMany (session: Session, count: number): Promise<void> {
  const muxer = session.muxer as StreamMuxer & { ping?(): Promise<number> }

  for (let i = 0; i < count; i++) {
    await muxer.ping?.()
  }

  report({ event: 'done', count })
}

/** What goes wrong is an event as well. */
function announced (work: Promise<void>): void {
  work.catch(err => { report({ event: 'done', ...ending(err) }) })
}

export const MODES: Record<string, (session: Session, number: number) => void> = {
  echo: session => { each(session, () => echo) },
  sink: session => { each(session, () => sink) },
  half: session => { each(session, () => half) },
  close: session => { each(session, () => closeBoth) },
  source: (session, length) => { each(session, () => source(length)) },
  reset: session => { each(session, () => reset) },
  slow: session => { each(session, first(slow)) },
  flood: (session, length) => { each(session, first(source(length))) },
  open (session, count) {
    each(session, () => echo)
    announced(openMany(session, count))
  },
  empty (session) {
    each(session, () => echo)
    announced(openEmpty(session))
  },
  ping (session, count) {
    each(session, () => echo)
    announced(pingMany(session, count))
  },
  goaway (session, code) {
    each(session, () => async stream => orEnding(stream, async () => {
      await once(stream, 'message')
      await session.muxer.close({ reason: code } as any)

      return { how: 'local' }
    }))
  }
}
