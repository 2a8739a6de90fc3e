import { expect } from 'aegir/chai'
import { Output, SEGMENT_BYTES } from '../../../src/core/output.ts'
import { join, pattern } from '../../support/frames.ts'

const LARGE = 40_000

function header (output: Output, ...bytes: number[]): void {
  output.reserve(bytes.length).set(bytes, output.offset)
}

/** The ranges of memory that were given out: no byte may be in two of them. */
function overlap (buffers: Uint8Array[]): boolean {
  const ranges = new Map<ArrayBufferLike, Array<[number, number]>>()

  for (const { buffer, byteOffset, byteLength } of buffers) {
    const known = ranges.get(buffer) ?? []

    if (known.some(([start, end]) => byteOffset < end && start < byteOffset + byteLength)) {
      return true
    }

    ranges.set(buffer, [...known, [byteOffset, byteOffset + byteLength]])
  }

  return false
}

describe('core/output', () => {
  it('gives nothing when nothing was put in', () => {
    const output = new Output()

    expect(output.byteLength).to.equal(0)
    expect(output.take()).to.deep.equal([])
  })

  it('packs headers and small payloads into one buffer', () => {
    const output = new Output()

    header(output, 1, 2, 3)
    output.append(pattern(100))
    header(output, 4)
    output.append(pattern(200, 5))

    expect(output.byteLength).to.equal(304)
    expect(output.take()).to.deep.equal([join(Uint8Array.of(1, 2, 3), pattern(100), Uint8Array.of(4), pattern(200, 5))])
  })

  it('copies small payloads: a sender may use its buffer again', () => {
    const output = new Output()
    const payload = pattern(100)

    output.append(payload)
    payload.fill(0)

    expect(output.take()).to.deep.equal([pattern(100)])
  })

  it('passes large payloads on by reference, in their place', () => {
    const output = new Output()
    const payload = pattern(LARGE)

    header(output, 1)
    output.append(payload)
    header(output, 2)

    const buffers = output.take()

    expect(buffers.map(buffer => buffer.byteLength)).to.deep.equal([1, LARGE, 1])
    expect(buffers[1]).to.equal(payload)
    expect([buffers[0][0], buffers[2][0]]).to.deep.equal([1, 2])
  })

  for (const { length, over } of [{ length: SEGMENT_BYTES, over: 0 }, { length: 65_536, over: 72 }, { length: 3 * SEGMENT_BYTES, over: 0 }, { length: 2 * SEGMENT_BYTES + 4_096, over: 4_096 }, { length: SEGMENT_BYTES + 4_097, over: 0 }]) {
    it(`puts ${over} of ${length} bytes behind the header, so that the rest is whole segments, or as good as that`, () => {
      const output = new Output()
      const payload = pattern(length)

      header(output, 1, 2)
      output.append(payload)
      expect(output.byteLength).to.equal(2 + length)

      const [run, rest] = output.take()

      expect(run).to.deep.equal(join(Uint8Array.of(1, 2), payload.subarray(0, over)))
      expect([rest.buffer, rest.byteOffset, rest.byteLength]).to.deep.equal([payload.buffer, over, length - over])
    })
  }

  it('starts with a large payload when nothing goes before it', () => {
    const output = new Output()
    const [first, second] = [pattern(LARGE, 1), pattern(LARGE, 2)]

    output.append(first)
    output.append(second)

    expect(output.take()).to.deep.equal([first, second])
  })

  it('keeps a run contiguous that outgrows its slab', () => {
    const output = new Output()
    const parts = Array.from({ length: 60 }, (_, i) => pattern(30_000, i))

    parts.forEach(part => {
      output.append(part)
    })

    expect(output.take()).to.deep.equal([join(...parts)])
  })

  it('tells how much waits, by reference or packed', () => {
    const output = new Output()

    header(output, 1, 2)
    expect(output.byteLength).to.equal(2)
    output.append(pattern(10))
    expect(output.byteLength).to.equal(12)
    output.append(pattern(LARGE))
    expect(output.byteLength).to.equal(12 + LARGE)

    expect(output.take().reduce((sum, buffer) => sum + buffer.byteLength, 0)).to.equal(12 + LARGE)
    expect(output.byteLength).to.equal(0)
  })

  it('never writes again where it has given bytes out', () => {
    const output = new Output()
    const taken: Uint8Array[] = []
    const expected: Uint8Array[] = []

    for (let i = 0; i < 2_000; i++) {
      const payload = pattern(i * 37 % 1_000 + 1, i)

      output.append(payload)
      expected.push(payload)

      if (i % 3 === 0) {
        taken.push(...output.take())
      }
    }

    taken.push(...output.take())

    expect(join(...taken)).to.deep.equal(join(...expected))
    expect(overlap(taken)).to.be.false()
  })

  it('asks for memory seldom, and for as much as it needs', () => {
    const asked: number[] = []
    const output = new Output(length => {
      asked.push(length)

      return new Uint8Array(length)
    })

    for (let i = 0; i < 1_000; i++) {
      output.append(pattern(12))
      output.take()
    }

    expect(asked).to.have.lengthOf(1)

    output.reserve(10 * asked[0])
    expect(asked).to.have.lengthOf(2)
    expect(asked[1]).to.be.at.least(10 * asked[0])
  })

  it('writes into memory that is not zeroed as into any other', () => {
    const output = new Output(length => new Uint8Array(length).fill(0xff))

    header(output, 0, 0)
    output.append(new Uint8Array(3))

    expect(output.take()).to.deep.equal([new Uint8Array(5)])
  })
})
