import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { bar, barLine, fitLabel, formatBytes, formatPercent, formatRate, formatTime, fractionOf, plainLine, Progress, RateMeter } from '../../src/cli/progress.ts'

class Screen {
  text = ''
  isTTY: boolean
  columns = 80

  constructor (isTTY: boolean) {
    this.isTTY = isTTY
  }

  write (text: string): void {
    this.text += text
  }
}

describe('cli/progress', () => {
  it('formats amounts', () => {
    expect([0, 1, 1023, 1024, 1536, 1024 * 1024 - 1, 256 * 1024 * 1024, 1024 ** 4, 1024 ** 6].map(formatBytes)).to.deep.equal([
      '0 B', '1 B', '1023 B', '1.0 KiB', '1.5 KiB', '1.0 MiB', '256.0 MiB', '1.0 TiB', '1024.0 PiB'
    ])
  })

  it('formats rates', () => {
    expect(formatRate(2048)).to.equal('2.0 KiB/s')
    expect(formatRate(undefined)).to.equal('-')
    expect(formatRate(Infinity)).to.equal('-')
  })

  it('formats times', () => {
    expect([0, 0.2, 59, 60, 61.5, 3_600, 36_061, Infinity, NaN, -1].map(formatTime)).to.deep.equal([
      '0:00', '0:01', '0:59', '1:00', '1:02', '1:00:00', '10:01:01', '-:--', '-:--', '-:--'
    ])
  })

  it('says 100 % only when all is done', () => {
    expect(formatPercent(fractionOf(999_999, 1_000_000))).to.equal('99 %')
    expect(formatPercent(fractionOf(1_000_000, 1_000_000))).to.equal('100 %')
    expect(formatPercent(fractionOf(0, 0))).to.equal('100 %')
  })

  it('draws bars', () => {
    expect(bar(0, 4)).to.equal('[----]')
    expect(bar(0.5, 4)).to.equal('[##--]')
    expect(bar(1, 4)).to.equal('[####]')
  })

  it('says what is left in a plain line', () => {
    expect(plainLine({ label: 'f', done: 1024, total: 4096, rate: 1024 })).to.equal('f: 25 %, 1.0 KiB of 4.0 KiB, 1.0 KiB/s, 0:03 left')
    expect(plainLine({ label: 'f', done: 0, total: 4096 })).to.equal('f: 0 %, 0 B of 4.0 KiB, -, -:-- left')
    expect(plainLine({ label: 'f', done: 4096, total: 4096 })).to.equal('f: 100 %, 4.0 KiB of 4.0 KiB, -, 0:00 left')
  })

  it('never draws a line as wide as the terminal', () => {
    fc.assert(fc.property(fc.record({
      label: fc.string({ maxLength: 255 }),
      done: fc.nat(),
      total: fc.nat(),
      rate: fc.option(fc.double({ min: 0, noNaN: true }), { nil: undefined })
    }), fc.integer({ min: 1, max: 300 }), (snapshot, columns) => {
      expect(barLine(snapshot, columns).length).to.be.lessThan(columns)
    }))
  })

  it('shortens labels to columns, wide letters counted twice', () => {
    expect(fitLabel('abc', 3)).to.equal('abc')
    expect(fitLabel('abcd', 3)).to.equal('ab…')
    expect(fitLabel('文件名', 6)).to.equal('文件名')
    expect(fitLabel('文件名', 5)).to.equal('文件…')
    expect(fitLabel('文件名', 4)).to.equal('文…')
    expect(fitLabel('abc', 0)).to.equal('')
  })

  it('measures the rate of the last seconds only', () => {
    const meter = new RateMeter(1_000)

    meter.add(0, 0)
    expect(meter.rate).to.be.undefined()

    meter.add(1_000, 1_000_000)
    expect(meter.rate).to.equal(1_000_000)

    for (let at = 1_100; at <= 3_000; at += 100) {
      meter.add(at, 1_000_000 + at)
    }

    expect(meter.rate).to.equal(1_000)
  })

  it('writes plain lines without control characters where there is no terminal', () => {
    const screen = new Screen(false)
    let now = 0
    const progress = new Progress(screen, { now: () => now, timer: false })
    const task = progress.start('f', 2048)

    now = 1_000
    task.update(1024)
    progress.tick()
    progress.print('a line')
    task.end()
    progress.tick()

    expect(screen.text).to.equal('f: 50 %, 1.0 KiB of 2.0 KiB, 1.0 KiB/s, 0:01 left\na line\n')
  })

  it('draws one bar on a terminal and clears it for lines that stay', () => {
    const screen = new Screen(true)
    const progress = new Progress(screen, { now: () => 0, timer: false })
    const task = progress.start('f', 2048)

    task.update(1024)
    progress.tick()
    expect(screen.text).to.match(/^\rf \[#+-+\] .*50 % 1\.0 KiB of 2\.0 KiB/)
    expect(screen.text).to.not.include('\n')

    screen.text = ''
    progress.print('a line')
    expect(screen.text).to.equal('\r\x1b[Ka line\n')

    const other = progress.start('g', 2048)
    screen.text = ''
    progress.tick()
    expect(screen.text).to.include('2 files')
    expect(screen.text).to.include('1.0 KiB of 4.0 KiB')

    screen.text = ''
    task.end()
    other.end()
    expect(screen.text).to.equal('\r\x1b[K')
  })
})
