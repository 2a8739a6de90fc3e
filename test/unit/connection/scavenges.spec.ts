import { expect } from 'aegir/chai'
import { ScavengePacer, fillYoung, heapOf } from '../../../src/connection/scavenges.ts'

const MIB = 1_048_576

describe('scavenges', () => {
  /** A young generation of 16 MiB, which is empty after each collection, and what is outside of it. */
  class FakeHeap {
    readonly size: number
    outside = 500 * MIB
    used = 0
    filled = 0
    scavenges = 0
    readonly pacer: ScavengePacer

    constructor (size = 16 * MIB) {
      this.size = size
      this.pacer = new ScavengePacer({
        external: () => this.outside,
        young: () => ({ used: this.used, available: this.size - this.used })
      }, bytes => {
        this.filled += bytes
        this.make(bytes)
      })
    }

    make (bytes: number): void {
      this.used += bytes

      if (this.used >= this.size) {
        this.used = 0
        this.outside = 500 * MIB
        this.scavenges++
      }
    }

    /** A MiB moves, for which so many of buffers come, and so many bytes of objects. */
    move (buffers: number, objects = 0): void {
      this.outside += buffers * MIB
      this.make(objects)
      this.pacer.moved(MIB)
    }
  }

  it('come before 64 MiB of buffers have, however many a byte takes', () => {
    for (const buffers of [0.5, 1, 3]) {
      const heap = new FakeHeap()
      let most = 0

      for (let i = 0; i < 1_024; i++) {
        heap.move(buffers)
        most = Math.max(most, heap.outside - 500 * MIB)
      }

      expect(most, `with ${buffers}`).to.be.within(36 * MIB, 48 * MIB)
      expect(heap.scavenges, `with ${buffers}`).to.be.within(1_024 * buffers / 48, 1_024 * buffers / 36)
    }
  })

  it('are not called for where objects of the application, or none, would do', () => {
    const busy = new FakeHeap()
    const idle = new FakeHeap()

    for (let i = 0; i < 256; i++) {
      busy.move(1, MIB / 2)
      idle.move(0)
    }

    expect(busy.filled).to.equal(0)
    expect(idle.filled).to.equal(0)
  })

  it('do not come because an application has buffers of its own: for those no more than one', () => {
    const heap = new FakeHeap()

    heap.move(0)
    heap.outside += 1_000 * MIB
    heap.move(0)
    heap.outside += 1_000 * MIB
    heap.move(0)
    heap.move(0)

    expect(heap.filled).to.be.within(1, 2 * heap.size)
  })

  it('are left to themselves in a young generation that was made huge', () => {
    const heap = new FakeHeap(129 * MIB)

    for (let i = 0; i < 256; i++) {
      heap.move(1)
    }

    expect(heap.filled).to.equal(0)
  })

  it('are left to themselves where nobody tells of the heap', () => {
    const pacer = new ScavengePacer(undefined, () => {
      throw new Error('filled')
    })

    pacer.moved(100 * MIB)

    expect(heapOf(undefined)).to.equal(undefined)
    expect(heapOf({})).to.equal(undefined)
    expect(heapOf({ getBuiltinModule: () => ({ getHeapSpaceStatistics: () => [] }) })).to.equal(undefined)
    expect(heapOf({
      getBuiltinModule: () => ({
        getHeapSpaceStatistics: () => { throw new Error('not implemented') }
      })
    })).to.equal(undefined)
  })

  it('come of what fills the heap of V8, also when that was compiled', () => {
    const heap = heapOf(globalThis.process)

    if (heap === undefined) {
      // a browser
      expect(globalThis.process?.versions?.node).to.equal(undefined)
      return
    }

    let collections = 0
    let used = heap.young()?.used ?? 0

    for (let i = 0; i < 1_024; i++) {
      fillYoung(MIB / 4)

      const now = heap.young()?.used ?? 0

      if (now < used) {
        collections++
      }

      used = now
    }

    // 256 MiB, into a young generation that has between 1 and 64
    expect(collections).to.be.within(3, 512)
    expect(heap.external()).to.be.above(0)
  })
})
