/**
 * @packageDocumentation
 *
 * `/libp2p-muxers/echo/1.0.0`: what comes in goes back. The client side keeps many
 * streams busy, one small message under way on each, checks every answer and
 * measures how long it took.
 */

import { createHistogram } from 'node:perf_hooks'
import { ByteReader } from './byte-reader.ts'
import { CliError, PeerGoneError } from './errors.ts'
import { IDLE_MILLIS, StreamGuard } from './guard.ts'
import type { Stream } from '@libp2p/interface'

export const ECHO_PROTOCOL = '/libp2p-muxers/echo/1.0.0'
export const ECHO_LENGTH = 64

const NANOS_PER_MILLI = 1e6

export interface EchoResult {
  /**
   * Correct answers in all
   */
  count: number

  /**
   * Those that were asked and answered while measuring
   */
  measured: number

  /**
   * Milliseconds, `undefined` when nothing was measured
   */
  p50?: number
  p99?: number
}

export async function handleEcho (stream: Stream): Promise<void> {
  try {
    for await (const message of stream) {
      if (!stream.send(message)) {
        await stream.onDrain()
      }
    }

    await stream.close()
  } catch (err) {
    stream.abort(err instanceof Error ? err : new Error(String(err)))
  }
}

export class EchoLoad {
  readonly #histogram = createHistogram({ figures: 3 })
  readonly #loops: Array<Promise<void>> = []
  #stopped = false
  #measuring = false
  #measurement = 0
  #count = 0

  /**
   * Starts at once. `onError` is called for the first thing that goes wrong on
   * each stream
   */
  constructor (streams: Stream[], signal: AbortSignal, onError: (err: Error) => void) {
    for (const [index, stream] of streams.entries()) {
      this.#loops.push(this.#run(stream, index, signal).catch(onError))
    }
  }

  /**
   * From now on answers count for the percentiles, or no longer
   */
  measure (on: boolean): void {
    if (on !== this.#measuring) {
      this.#measuring = on
      this.#measurement++
    }
  }

  /**
   * Resolves when the last answers are in and the streams are closed
   */
  async stop (): Promise<EchoResult> {
    this.#stopped = true
    await Promise.all(this.#loops)

    const measured = this.#histogram.count

    return {
      measured,
      count: this.#count,
      ...(measured > 0
        ? {
            p50: this.#histogram.percentile(50) / NANOS_PER_MILLI,
            p99: this.#histogram.percentile(99) / NANOS_PER_MILLI
          }
        : {})
    }
  }

  async #run (stream: Stream, index: number, signal: AbortSignal): Promise<void> {
    const guard = new StreamGuard(stream, signal)
    const reader = new ByteReader(stream)

    try {
      for (let turn = 0; !this.#stopped; turn++) {
        const message = makeMessage(index, turn)
        const measurement = this.#measurement
        const started = performance.now()

        if (!stream.send(message)) {
          await guard.waitFor(stream.onDrain(), 'it took no message', IDLE_MILLIS)
        }

        const answer = await guard.waitFor(reader.exactly(ECHO_LENGTH), 'it did not answer', IDLE_MILLIS)
        const nanos = (performance.now() - started) * NANOS_PER_MILLI

        if (Buffer.compare(message, answer) !== 0) {
          throw new CliError(`echo ${turn} on stream ${index} came back different`)
        }

        this.#count++

        // only what lies in one measurement from beginning to end
        if (this.#measuring && measurement === this.#measurement) {
          this.#histogram.record(Math.max(1, Math.round(nanos)))
        }
      }

      await guard.waitFor(stream.close(), 'it did not end its echo', IDLE_MILLIS)
    } catch (err) {
      const reason = guard.reason ?? (err instanceof CliError ? err : new PeerGoneError('an echo stream broke off', err))
      stream.abort(reason)

      throw reason
    } finally {
      guard.stop()
    }
  }
}

/**
 * Every message is another, so that no answer can be taken for that of another
 * stream or turn
 */
function makeMessage (stream: number, turn: number): Uint8Array {
  const message = new Uint8Array(ECHO_LENGTH)
  const view = new DataView(message.buffer)

  view.setUint32(0, stream)
  view.setUint32(4, turn)

  for (let at = 8; at < ECHO_LENGTH; at++) {
    message[at] = (at * 31 + stream * 7 + turn) & 0xff
  }

  return message
}
