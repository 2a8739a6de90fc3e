import { expect } from 'aegir/chai'
import { Options, UsageError } from '../../trials/command.ts'

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

  for (const [args, read] of [
    [['--seeds', '0'], given => given.whole('seeds', 1)],
    [['--seeds', '1.5'], given => given.whole('seeds', 1)],
    [['--seeds', 'many'], given => given.whole('seeds', 1)],
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
