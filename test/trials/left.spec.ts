/** What is left behind by connections that are cut is planted, and must be found. */
import { readdirSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { getCallSites } from 'node:util'
import { expect } from 'aegir/chai'
import { Alarm } from '../../src/connection/clock.ts'
import { Link } from '../../src/connection/link.ts'
import { OpenQueue } from '../../src/connection/open-queue.ts'
import { until } from '../../trials/faults/round.ts'
import { leftBehind, runRounds } from '../../trials/faults/rounds.ts'
import { start } from './support/processes.ts'
import type { MuxerName } from '../../trials/command.ts'

type Method = (this: any, ...args: any[]) => any

interface Planted {
  what: string
  where: { prototype: any }
  method: string
  instead(original: Method): Method
  muxers: MuxerName[]
  found: RegExp
}

const BOTH: MuxerName[] = ['yamux', 'mplex']

/** Cleared after each test. */
const planted: NodeJS.Timeout[] = []

const PLANTED: Planted[] = [
  {
    what: 'an alarm that is not stopped with its connection',
    where: Alarm,
    method: 'stop',
    instead: () => function () {},
    muxers: BOTH,
    found: /timer of src\/connection\/clock\.[jt]s:\d+ <.*: \d+, before 0/
  },
  {
    what: 'a timer of each connection that keeps no process alive',
    where: Link,
    method: 'transmit',
    instead: original => function (...args) {
      this.planted ??= planted.push(setInterval(() => {}, 2 ** 30).unref())
      original.apply(this, args)
    },
    muxers: ['yamux'],
    found: /timer of src\/connection\/driver\.[jt]s:\d+.*: \d+, before 0/
  },
  {
    what: 'a timer of 20 s for each connection',
    where: Link,
    method: 'detach',
    instead: original => function () {
      planted.push(setTimeout(() => {}, 20_000))
      original.call(this)
    },
    muxers: ['yamux'],
    found: /timer of src\/connection\/driver\.[jt]s:\d+.*: \d+, before 0/
  },
  {
    what: 'listeners of a muxer that is over on what carried it',
    where: Link,
    method: 'detach',
    instead: () => function () {},
    muxers: BOTH,
    found: /listeners of the connection under a muxer of the (sender|receiver) for message: \d, before \d/
  },
  {
    what: 'a listener on the signal of each stream that is opened',
    where: OpenQueue,
    method: 'open',
    instead: original => function (options) {
      options.signal?.addEventListener('abort', () => {})

      return original.call(this, options)
    },
    muxers: BOTH,
    found: /listeners of the signal that all share: \d+, before 0/
  },
  {
    what: 'a listener on the signal of each stream that had to wait for others',
    where: AbortSignal,
    method: 'removeEventListener',
    instead: original => function (...args) {
      if (!getCallSites().some(({ scriptName }) => scriptName.includes('open-queue'))) {
        original.apply(this, args)
      }
    },
    muxers: ['yamux'],
    found: /listeners of the signal that all share: \d+, before 0/
  }
]

describe('trials: what connections that are cut leave behind', function () {
  this.timeout(120_000)

  afterEach(() => {
    planted.splice(0).forEach(clearTimeout)
  })

  for (const { what, where: { prototype }, method, instead, muxers, found } of PLANTED) {
    for (const muxer of muxers) {
      it(`is found over ${muxer}: ${what}`, async () => {
        const original = Object.getOwnPropertyDescriptor(prototype, method)

        prototype[method] = instead(prototype[method])

        try {
          await expect(runRounds({ muxer, rounds: 12, from: 1, cuts: ['rst'], size: 262_144 })).to.eventually.be.rejectedWith(found)
        } finally {
          if (original === undefined) {
            Reflect.deleteProperty(prototype, method)
          } else {
            Object.defineProperty(prototype, method, original)
          }
        }
      })
    }
  }

  it('is found: a listener on a node for each connection', async () => {
    const report = await runRounds({
      muxer: 'yamux',
      rounds: 4,
      from: 1,
      cuts: ['rst'],
      size: 65_536,
      onRound: (_, __, { sender }) => { sender.addEventListener('peer:connect', () => {}) }
    })

    expect(leftBehind(report)).to.deep.equal(['listeners of the sender for peer:connect: 4, before 2'])
  })

  it('is no file of a trial that is interrupted', async () => {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'libp2p-muxers-test-'))

    try {
      const { child, ended } = start('trials/faults/main', ['--rounds', '1000', '--size', '64'], { TMPDIR: directory })

      // made when the directory around it is known to be temporary
      await until(() => child.exitCode !== null || readdirSync(directory, { recursive: true }).some(name => path.basename(String(name)) === 'received'), 60_000)
      child.kill('SIGINT')

      expect((await ended).code).to.equal(130)
      expect(await readdir(directory)).to.be.empty()
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
