import { expect } from 'aegir/chai'
import { Kept } from '../../src/core/kept.ts'
import { until } from '../../trials/faults/round.ts'
import { Load } from '../../trials/soak/load.ts'
import { growthOf, isLeak } from '../../trials/soak/report.ts'
import type { MuxerName } from '../../trials/command.ts'
import type { Sample } from '../../trials/soak/report.ts'

const MUXERS: MuxerName[] = ['yamux', 'mplex']
const STREAMS = 20

const MIB = 1_048_576

/** Thirty looks, of which each finds so many bytes more than the last, beside what goes up and down. */
function samples (bytesPerLook: number, streamsPerLook: number): Sample[] {
  return Array.from({ length: 30 }, (_, look) => ({
    seconds: look,
    heapUsed: 40 * MIB + look * bytesPerLook + (look % 3) * 100_000,
    external: 5 * MIB,
    resident: 100 * MIB,
    streams: look * streamsPerLook,
    bytes: look * MIB
  }))
}

describe('trials: soak', () => {
  it('tells by how much memory grew from the second quarter to the last', () => {
    expect(Math.abs(growthOf(samples(0, 100)))).to.be.below(0.002)
    expect(growthOf(samples(0.45 * MIB, 100))).to.be.within(0.1, 0.2)
  })

  it('takes nothing for a leak that goes up and down, however long it ran', () => {
    for (const minutes of [0.5, 30]) {
      expect(isLeak(samples(0, 100), minutes)).to.be.false()
    }
  })

  it('finds a leak of a hundred bytes for each stream in a long run', () => {
    expect(isLeak(samples(1_000 * 100, 1_000), 30)).to.be.true()
  })

  it('finds a leak of four kilobytes for each stream in a short one', () => {
    expect(isLeak(samples(500 * 4_096, 500), 0.5)).to.be.true()
  })

  it('does not take for a leak in a short one what is compiled late', () => {
    expect(isLeak(samples(200_000, 500), 0.5)).to.be.false()
  })

  for (const muxer of MUXERS) {
    it(`ends halves of streams of ${muxer} with data still to come, and meets no error`, async function () {
      this.timeout(60_000)

      const load = await Load.start(muxer, STREAMS, 1)

      await until(() => load.counts.halfClosedAhead >= STREAMS || load.errors.length > 0, 30_000)
      await load.stop()

      expect(load.errors).to.deep.equal([])
      expect(load.counts.halfClosedAhead).to.be.at.least(STREAMS)
      expect(load.counts.halfClosed).to.be.at.least(load.counts.halfClosedAhead)
    })

    it(`finds that ${muxer} drops what comes when our half has ended, if it is planted`, async function () {
      this.timeout(60_000)

      const { prototype } = Kept
      const { push } = prototype

      prototype.push = function (stream, piece) {
        if (stream.send !== 'ended') {
          push.call(this, stream, piece)
        }
      }

      try {
        const load = await Load.start(muxer, STREAMS, 1)

        await until(() => load.errors.length > 0, 30_000)
        await load.stop()

        expect(load.errors[0]).to.match(/^half-close ahead: /)
      } finally {
        prototype.push = push
      }
    })
  }
})
