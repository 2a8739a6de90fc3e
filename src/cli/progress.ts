/**
 * @packageDocumentation
 *
 * How a transfer looks while it runs: pure functions that format amounts, rates
 * and times, and a `Progress` that draws them as one bar at the bottom of a
 * terminal, or as about one plain line a second anywhere else.
 */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/**
 * How often the bar is redrawn: fast enough to look smooth
 */
const BAR_MILLIS = 100

/**
 * How often a plain line is written: logs should stay readable
 */
const PLAIN_MILLIS = 1_000

/**
 * The rate is that of the last few seconds, so that it follows a change of the
 * network but does not flicker
 */
const RATE_MILLIS = 4_000

export interface Output {
  write(text: string): unknown
  isTTY?: boolean
  columns?: number
}

export interface Snapshot {
  label: string
  done: number
  total: number

  /**
   * Bytes a second, `undefined` while it is not known yet
   */
  rate?: number
}

export function formatBytes (bytes: number): string {
  let value = bytes
  let unit = 0

  // 1023.95 KiB would be shown as 1024.0 KiB
  while (value >= (unit === 0 ? 1024 : 1023.95) && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }

  return `${unit === 0 ? String(Math.round(value)) : value.toFixed(1)} ${UNITS[unit]}`
}

export function formatRate (bytesPerSecond: number | undefined): string {
  return bytesPerSecond == null || !Number.isFinite(bytesPerSecond) ? '-' : `${formatBytes(bytesPerSecond)}/s`
}

export function formatTime (seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) {
    return '-:--'
  }

  const whole = Math.ceil(seconds)
  const minutes = Math.floor(whole / 60) % 60
  const hours = Math.floor(whole / 3_600)
  const tail = String(whole % 60).padStart(2, '0')

  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`
}

/**
 * Zero of zero bytes are all of them
 */
export function fractionOf (done: number, total: number): number {
  return total <= 0 ? 1 : Math.min(1, Math.max(0, done / total))
}

/**
 * Rounded down: 100 % means that all is done
 */
export function formatPercent (fraction: number): string {
  return `${Math.floor(fraction * 100)} %`
}

export function bar (fraction: number, width: number): string {
  const filled = Math.floor(fraction * width)

  return `[${'#'.repeat(filled)}${'-'.repeat(width - filled)}]`
}

export function secondsLeft (snapshot: Snapshot): number {
  const rest = snapshot.total - snapshot.done

  return rest <= 0 ? 0 : rest / (snapshot.rate ?? 0)
}

export function plainLine (snapshot: Snapshot): string {
  const { label, done, total, rate } = snapshot

  return `${label}: ${formatPercent(fractionOf(done, total))}, ${formatBytes(done)} of ${formatBytes(total)}, ${formatRate(rate)}, ${formatTime(secondsLeft(snapshot))} left`
}

/**
 * Never wider than the terminal: a line that wraps could not be drawn over
 */
export function barLine (snapshot: Snapshot, columns: number): string {
  const { label, done, total, rate } = snapshot
  const fraction = fractionOf(done, total)
  const tail = `${formatPercent(fraction).padStart(5)} ${formatBytes(done)} of ${formatBytes(total)} ${formatRate(rate)} ${formatTime(secondsLeft(snapshot))} left`
  // the last column stays free, some terminals wrap as soon as it is written
  const room = columns - 1 - tail.length - 1
  const head = fitLabel(label, Math.floor(room / 2))
  const barWidth = Math.min(40, room - widthOf(head) - 3)
  const line = barWidth >= 5 ? `${head} ${bar(fraction, barWidth)} ${tail}` : tail.trimStart()

  return line.slice(0, Math.max(0, columns - 1))
}

/**
 * The beginning of a label that takes no more than so many columns
 */
export function fitLabel (label: string, columns: number): string {
  if (widthOf(label) <= columns) {
    return label
  }

  let fitting = ''

  for (const character of label) {
    if (widthOf(fitting) + widthOf(character) + 1 > columns) {
      break
    }

    fitting += character
  }

  return columns < 1 ? '' : `${fitting}…`
}

/**
 * Columns on a terminal, rather too many than too few: letters of East Asia and
 * emoji take two, and so does here all that comes after the alphabets of Europe and
 * the Near East
 */
function widthOf (text: string): number {
  let width = 0

  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    width += code < 0x1100 || code === 0x2026 ? 1 : 2
  }

  return width
}

/**
 * The rate over the last seconds, from samples of time and bytes
 */
export class RateMeter {
  readonly #windowMillis: number
  #samples: Array<{ at: number, bytes: number }> = []

  constructor (windowMillis = RATE_MILLIS) {
    this.#windowMillis = windowMillis
  }

  add (at: number, bytes: number): void {
    this.#samples.push({ at, bytes })

    // the oldest sample is one that lies outside, so that the window is always full
    while (this.#samples.length > 2 && this.#samples[1].at <= at - this.#windowMillis) {
      this.#samples.shift()
    }
  }

  /**
   * Bytes a second, `undefined` without two samples
   */
  get rate (): number | undefined {
    const first = this.#samples.at(0)
    const last = this.#samples.at(-1)

    if (first == null || last == null || last.at <= first.at) {
      return
    }

    return (last.bytes - first.bytes) * 1_000 / (last.at - first.at)
  }
}

export interface ProgressTask {
  /**
   * Cheap, may be called for every piece
   */
  update(done: number): void
  end(): void
}

interface Task {
  label: string
  done: number
  total: number
  meter: RateMeter
}

export interface ProgressOptions {
  now?(): number

  /**
   * `false` draws nothing by itself; a test calls `tick`
   */
  timer?: boolean
}

export class Progress {
  readonly #output: Output
  readonly #isBar: boolean
  readonly #options: ProgressOptions
  readonly #tasks = new Set<Task>()
  #timer?: NodeJS.Timeout
  #drawn = false

  constructor (output: Output, options: ProgressOptions = {}) {
    this.#output = output
    // a dumb terminal cannot go back to the beginning of its line
    this.#isBar = output.isTTY === true && process.env.TERM !== 'dumb'
    this.#options = options
  }

  start (label: string, total: number): ProgressTask {
    const task: Task = { label, total, done: 0, meter: new RateMeter() }
    task.meter.add(this.#now(), 0)
    this.#tasks.add(task)

    if (this.#timer == null && this.#options.timer !== false) {
      this.#timer = setInterval(() => { this.tick() }, this.#isBar ? BAR_MILLIS : PLAIN_MILLIS)
    }

    return {
      update: (done) => {
        task.done = done
      },
      end: () => {
        this.#tasks.delete(task)

        if (this.#tasks.size === 0) {
          clearInterval(this.#timer)
          this.#timer = undefined
          this.#clear()
        }
      }
    }
  }

  /**
   * Draw what is known now
   */
  tick (): void {
    const now = this.#now()

    for (const task of this.#tasks) {
      task.meter.add(now, task.done)
    }

    if (this.#tasks.size === 0) {
      return
    }

    if (!this.#isBar) {
      for (const task of this.#tasks) {
        this.#output.write(`${plainLine(snapshotOf(task))}\n`)
      }

      return
    }

    // \x1b[K erases what a longer line left behind
    this.#output.write(`\r${barLine(this.#total(), this.#output.columns ?? 80)}\x1b[K`)
    this.#drawn = true
  }

  /**
   * A line that stays, above the bar
   */
  print (line: string): void {
    this.#clear()
    this.#output.write(`${line}\n`)
  }

  #clear (): void {
    if (this.#drawn) {
      this.#drawn = false
      this.#output.write('\r\x1b[K')
    }
  }

  /**
   * There is one bar, however many files are under way
   */
  #total (): Snapshot {
    const all = [...this.#tasks].map(snapshotOf)

    return all.length === 1
      ? all[0]
      : {
          label: `${all.length} files`,
          done: all.reduce((sum, { done }) => sum + done, 0),
          total: all.reduce((sum, { total }) => sum + total, 0),
          rate: all.reduce((sum, { rate }) => sum + (rate ?? 0), 0)
        }
  }

  #now (): number {
    return this.#options.now?.() ?? performance.now()
  }
}

function snapshotOf (task: Task): Snapshot {
  return { label: task.label, done: task.done, total: task.total, rate: task.meter.rate }
}
