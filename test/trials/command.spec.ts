import { expect } from 'aegir/chai'
import { MAX_SEED, Options, UsageError, runCommand } from '../../trials/command.ts'
import { run } from './support/processes.ts'

function options (...args: string[]): Options {
  return new Options(['seeds', 'time', 'cut', 'muxer'], ['dry'], args)
}

describe('trials: options', () => {
  it('are what was given, or else the default', () => {
    const given = options('--seeds', '7', '--time', '0.5', '--dry')

    expect([given.whole('seeds', 1), given.positive('time', 10), given.has('dry')]).to.deep.equal([7, 0.5, true])
    expect([options().whole('seeds', Infinity), options().positive('time', 10), options().has('dry')]).to.deep.equal([Infinity, 10, false])
  })

  it('name muxers, of which each has its turn unless one is asked for', () => {
    expect(options().muxers).to.deep.equal(['yamux', 'mplex'])
    expect(options('--muxer', 'mplex').muxers).to.deep.equal(['mplex'])
    expect(() => options('--muxer', 'spdy').muxers).to.throw(UsageError, '--muxer must be some of yamux, mplex, was spdy')
  })

  it('may be several words', () => {
    expect(options('--cut', 'rst,fin').some('cut', ['rst', 'fin', 'blackhole'])).to.deep.equal(['rst', 'fin'])
    expect(() => options('--cut', 'rst,').some('cut', ['rst'])).to.throw(UsageError, '--cut must be some of rst, was rst,')
  })

  it('are seeds only as far as each is another', () => {
    expect(options('--seeds', `${MAX_SEED}`).seed('seeds', 1)).to.equal(4_294_967_295)
    expect(options('--seeds', `${MAX_SEED}`).seed('seeds', 1, 1)).to.equal(MAX_SEED)
    expect(options().seed('seeds', 7, MAX_SEED - 6)).to.equal(7)
    expect(() => options('--seeds', `${MAX_SEED + 1}`).seed('seeds', 1)).to.throw(UsageError, 'the last seed is 4294967295: --seeds 4294967296 goes beyond')
    expect(() => options('--seeds', `${MAX_SEED}`).seed('seeds', 1, 2)).to.throw(UsageError, 'the last seed is 4294967295: --seeds 4294967295 with 2 of them goes beyond')
    expect(() => options().seed('seeds', 7, MAX_SEED - 5)).to.throw(UsageError)
  })

  for (const [args, read] of [
    [['--seeds', '0'], given => given.whole('seeds', 1)],
    [['--seeds', '1.5'], given => given.whole('seeds', 1)],
    [['--seeds', 'many'], given => given.whole('seeds', 1)],
    [['--seeds', '9007199254740992'], given => given.whole('seeds', 1)],
    [['--seeds', ''], given => given.whole('seeds', 1)],
    [['--time', '0'], given => given.positive('time', 1)],
    [['--time', 'Infinity'], given => given.positive('time', 1)],
    [['--seed', '1'], given => given.has('dry')],
    [['seeds'], given => given.has('dry')]
  ] as Array<[string[], (given: Options) => unknown]>) {
    it(`are refused as ${args.join(' ')}`, () => {
      expect(() => read(options(...args))).to.throw(UsageError)
    })
  }
})

describe('trials: commands', function () {
  this.timeout(90_000)

  for (const [result, code] of [[true, 0], [false, 1]] as const) {
    it(`end with exit code ${code} when they ran ${result ? 'well' : 'badly'}`, async () => {
      const codes: number[] = []

      await runCommand({ help: '', names: [], run: async () => result }, [], code => { codes.push(code) })

      expect(codes).to.deep.equal([code])
    })
  }

  it('end the process when all is said, whatever keeps it alive', async () => {
    const { code, output } = await run('test/trials/support/held', [])

    expect(output).to.have.lengthOf(1_000_017)
    expect(output).to.match(/-\nFAILED: the end\n$/)
    expect(code).to.equal(1)
  })

  for (const [args, expectedCode, expected] of [
    [['--from', '100000000000000000', '--seeds', '1'], 2, /^--from must be a whole number/],
    [['--from', '4294967297', '--seeds', '1'], 2, /^the last seed is 4294967295/],
    [['--muxer', 'yamux', '--time', '0.000000001'], 1, /^FAILED: no seed of yamux was run/],
    [['--muxer', 'yamux', '--from', '4294967295', '--time', '100'], 0, /^yamux: 1 seeds from 4294967295.*all as the model says/]
  ] as Array<[string[], number, RegExp]>) {
    it(`simulate with ${args.join(' ')} ends with exit code ${expectedCode}`, async () => {
      const { code, output } = await run('trials/simulate/main', args)

      expect(output).to.match(expected)
      expect(code).to.equal(expectedCode)
    })
  }
})
