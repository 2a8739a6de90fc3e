import { execFileSync } from 'node:child_process'
import { expect } from 'aegir/chai'
import { ConnectionClosedError } from '../../src/interface/errors.ts'
import { weighObjects } from '../../trials/faults/heap.ts'
import { isCutError } from '../../trials/faults/round.ts'
import { growthOf, leftBehind, runRounds } from '../../trials/faults/rounds.ts'
import type { MuxerName } from '../../trials/command.ts'
import type { CutError } from '../../trials/faults/round.ts'

const MUXERS: MuxerName[] = ['yamux', 'mplex']

describe('trials: connections that are cut', () => {
  it('finds a timer, a handle and a listener that are left behind', () => {
    const before = { external: 1, resources: { TCPServerWrap: 1, Timeout: 2 } }
    const after = { external: 1, resources: { TCPServerWrap: 1, Timeout: 3, TCPSocketWrap: 1, 'listeners for exit': 1 } }

    expect(leftBehind({ before, after: before })).to.deep.equal([])
    expect(leftBehind({ before, after })).to.deep.equal(['Timeout: 3, before 2', 'TCPSocketWrap: 1, before 0', 'listeners for exit: 1, before 0'])
  })

  it('finds a leak of 1,000 bytes a round in a heap that comes and goes by 100 KiB, and none where there is none', () => {
    const noise = [60_000, -40_000, 100_000, -90_000, 20_000, -10_000, 80_000, -70_000, 0, 50_000, -100_000, 30_000]
    const flat = noise.map(bytes => 20_000_000 + bytes)
    const leaking = flat.map((bytes, index) => bytes + 1_000 * index * 500 / 12)

    expect(Math.abs(growthOf(flat))).to.be.below(0.01)
    expect(growthOf(leaking)).to.be.above(0.01)
  })

  it('finds a leak that is planted in the rounds', async function () {
    this.timeout(120_000)

    const leak: unknown[] = []
    const init = { muxer: 'yamux' as const, rounds: 12, from: 1, cuts: ['rst' as const], size: 65_536 }

    const flat = await runRounds(init)
    // 4 MiB a round, as the heap is that of all tests before this one, and what they left goes meanwhile
    const leaking = await runRounds({ ...init, onRound: () => { leak.push(new Array(524_288).fill(0.5)) } })

    expect(growthOf(leaking.heap) - Math.abs(growthOf(flat.heap))).to.be.above(0.01)
  })

  it('weighs what is made of JavaScript, and not the code that is compiled', () => {
    const types = ['code', 'object', 'string', 'hidden']
    const meta = { node_fields: ['type', 'name', 'self_size'], node_types: [types, 'string', 'number'] as [string[], ...unknown[]] }

    expect(weighObjects({ snapshot: { meta }, nodes: [0, 7, 1_000, 1, 7, 20, 2, 7, 3, 3, 7, 500, 1, 7, 100] })).to.equal(123)
  })

  it('weighs objects that are held, in a process of their own', () => {
    const grown = Number(execFileSync(process.execPath, ['--input-type=module', '-e', `
      import { objectBytes } from ${JSON.stringify(new URL('../../trials/faults/heap.js', import.meta.url))}

      await objectBytes()
      const before = await objectBytes()
      globalThis.leak = Array.from({ length: 10_000 }, (_, index) => ({ one: index, two: [index] }))
      process.stdout.write(String(await objectBytes() - before))
    `], { encoding: 'utf8' }))

    // each an object with two fields of 40 bytes, an array of 32, its one element of 24, and 8 in the array of all, which has room to spare
    expect(grown).to.be.within(1_000_000, 1_300_000)
  })

  it('takes no other error for that of a cut', () => {
    const right = new ConnectionClosedError('cut', { origin: 'transport', cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) })
    const expected = { name: 'ConnectionClosedError', scope: 'connection', origin: 'transport', code: ['ECONNRESET'] } satisfies CutError

    expect(isCutError(right, expected)).to.be.true()
    expect(isCutError(right, { ...expected, code: undefined })).to.be.false()
    expect(isCutError(right, { ...expected, code: ['EPIPE'] })).to.be.false()
    expect(isCutError(right, { ...expected, origin: 'local' })).to.be.false()
    expect(isCutError(right, { ...expected, scope: 'stream' })).to.be.false()
    expect(isCutError(right, { ...expected, name: 'TimeoutError' })).to.be.false()
    expect(isCutError(undefined, expected)).to.be.false()
  })

  for (const muxer of MUXERS) {
    it(`end every stream of ${muxer} in time and with an error, leave no part of a file, and no timer, handle or listener`, async function () {
      this.timeout(120_000)

      const report = await runRounds({ muxer, rounds: 12, from: 1, cuts: ['rst', 'fin', 'blackhole'], size: 524_288 })

      expect(report.rounds).to.equal(12)
      expect(report.reached.transfer).to.be.at.least(6)
      expect(leftBehind(report)).to.deep.equal([])
      expect(report.heap).to.have.lengthOf.at.least(6)
    })
  }
})
