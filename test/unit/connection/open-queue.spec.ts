import { expect } from 'aegir/chai'
import { OpenQueue } from '../../../src/connection/open-queue.ts'
import type { MuxedStream } from '../../../src/connection/stream.ts'

describe('open queue', () => {
  /** As many may open as are let in. */
  class Gate {
    room = 0
    asked = 0
    readonly opened: MuxedStream[] = []
    failure: Error | undefined
    readonly queue = new OpenQueue(() => this.#open())

    letIn (streams: number): void {
      this.room += streams
      this.queue.notify()
    }

    #open (): MuxedStream | undefined {
      this.asked++

      if (this.failure !== undefined) {
        throw this.failure
      }

      if (this.room === 0) {
        return undefined
      }

      const stream = { id: this.opened.length } as unknown as MuxedStream

      this.room--
      this.opened.push(stream)

      return stream
    }
  }

  it('asks once for each of thousands that wait, and serves them as they came', async () => {
    const gate = new Gate()
    const streams = Array.from({ length: 20_000 }, async () => gate.queue.open({}))

    for (let i = 0; i < 10_000; i++) {
      gate.letIn(2)
    }

    expect(await Promise.all(streams)).to.deep.equal(gate.opened)
    // the first found the gate shut; each of the 10,000 times two went through, and the next did not
    expect(gate.asked).to.equal(1 + 10_000 * 3 - 1)
  })

  it('lets nobody overtake those who wait', async () => {
    const gate = new Gate()
    const first = gate.queue.open({})

    gate.room = 1

    const second = gate.queue.open({})

    gate.letIn(1)

    expect(await first).to.equal(gate.opened[0])
    expect(await second).to.equal(gate.opened[1])
  })

  it('forgets who gives up, and serves those behind', async () => {
    const gate = new Gate()
    const controller = new AbortController()
    const given = gate.queue.open({ signal: controller.signal })
    const other = gate.queue.open({})

    controller.abort(new Error('given up'))
    await expect(given).to.be.rejectedWith('given up')
    gate.letIn(2)

    expect(await other).to.equal(gate.opened[0])
    expect(gate.opened).to.have.lengthOf(1)
  })

  it('tells all who wait when it never will be possible', async () => {
    const gate = new Gate()
    const waiting = [gate.queue.open({}), gate.queue.open({})]

    gate.failure = new Error('closed')
    gate.queue.notify()

    for (const stream of waiting) {
      await expect(stream).to.be.rejectedWith('closed')
    }
  })
})
