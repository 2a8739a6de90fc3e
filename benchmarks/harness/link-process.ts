/**
 * A link of a certain rate and delay, in user space: a process between the two of a run. Every byte has a time at which
 * the last bit of it would be through, and comes out that time plus the delay after it went in. What is not through
 * yet is the queue of the link; when that is as long as a round trip, nothing more is read, and TCP holds the sender.
 *
 * Kernels keep some megabytes in socket buffers on both sides of this process, which cannot be made smaller from Node.
 * They lengthen the queue that a sender with too large a window builds; they neither add capacity nor shorten the
 * delay, and so a window that is too small shows as it would on a real link.
 */
import net from 'node:net'
import type { LinkShape } from '../cases/types.ts'
import type { AddressInfo, Socket } from 'node:net'

export interface Precision {
  bytes: number

  /** How much later than meant bytes came out, in milliseconds. */
  lateMean: number
  lateMax: number
}

export type ToLink = { type: 'open', port: number, shape: LinkShape } | { type: 'precision' }
export type FromLink = { type: 'opened', port: number } | { type: 'precision', precision: Precision }

const HOST = '127.0.0.1'

/** Node's timers tell no less. What is due in between comes out late by as much, in one piece. */
const TICK_MILLIS = 1

/** A receiver that does not take what comes out holds the link as well. */
const UNTAKEN_BYTES = 4_194_304

const totals = { bytes: 0, chunks: 0, late: 0, lateMax: 0 }

/** One direction of one connection. */
class Direction {
  readonly #from: Socket
  readonly #to: Socket
  readonly #millisPerByte: number
  readonly #delay: number
  readonly #queueMillis: number
  readonly #flight: Array<{ chunk: Uint8Array, due: number }> = []
  #freeAt = 0
  #ended = Infinity

  constructor (from: Socket, to: Socket, shape: LinkShape) {
    this.#from = from
    this.#to = to
    this.#millisPerByte = 8_000 / shape.bitsPerSecond
    this.#delay = shape.roundTripMillis / 2
    this.#queueMillis = shape.roundTripMillis

    from.on('data', this.#onData)
    from.on('end', () => {
      this.#ended = performance.now() + this.#delay
    })
    from.on('error', () => {})
    from.on('close', () => to.destroy())
  }

  /** What is due comes out. */
  tick (now: number): void {
    while (this.#flight.length > 0 && this.#flight[0].due <= now) {
      const { chunk, due } = this.#flight.shift() as { chunk: Uint8Array, due: number }

      totals.bytes += chunk.byteLength
      totals.chunks++
      totals.late += now - due
      totals.lateMax = Math.max(totals.lateMax, now - due)
      this.#to.write(chunk)
    }

    if (this.#flight.length === 0 && now >= this.#ended) {
      this.#ended = Infinity
      this.#to.end()
    }

    const queued = this.#freeAt - now

    if (queued > this.#queueMillis || this.#to.writableLength > UNTAKEN_BYTES) {
      this.#from.pause()
    } else if (this.#from.isPaused()) {
      this.#from.resume()
    }
  }

  readonly #onData = (chunk: Uint8Array): void => {
    const now = performance.now()

    this.#freeAt = Math.max(now, this.#freeAt) + chunk.byteLength * this.#millisPerByte
    this.#flight.push({ chunk, due: this.#freeAt + this.#delay })

    if (this.#freeAt - now > this.#queueMillis) {
      this.#from.pause()
    }
  }
}

async function open (port: number, shape: LinkShape): Promise<number> {
  const server = net.createServer({ noDelay: true, allowHalfOpen: true }, near => {
    const far = net.connect({ port, host: HOST, noDelay: true, allowHalfOpen: true })
    const directions = [new Direction(near, far, shape), new Direction(far, near, shape)]
    const timer = setInterval(() => {
      const now = performance.now()

      for (const direction of directions) {
        direction.tick(now)
      }
    }, TICK_MILLIS)

    near.on('close', () => {
      clearInterval(timer)
    })
  })

  return new Promise(resolve => {
    server.listen(0, HOST, () => {
      resolve((server.address() as AddressInfo).port)
    })
  })
}

function report (message: FromLink): void {
  process.send?.(message)
}

process.on('disconnect', () => {
  process.exit()
})
process.on('message', (message: ToLink) => {
  if (message.type === 'open') {
    open(message.port, message.shape).then(port => {
      report({ type: 'opened', port })
    }, () => {
      process.exit(1)
    })
  } else {
    report({ type: 'precision', precision: { bytes: totals.bytes, lateMean: totals.late / Math.max(1, totals.chunks), lateMax: totals.lateMax } })
  }
})
