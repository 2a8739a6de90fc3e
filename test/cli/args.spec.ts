import { expect } from 'aegir/chai'
import { DEFAULT_LISTEN, parseCommand } from '../../src/cli/args.ts'
import { EXIT_USAGE } from '../../src/cli/errors.ts'

function failure (...args: string[]): Error & { exitCode?: number } {
  try {
    parseCommand(args)
  } catch (err: any) {
    return err
  }

  throw new Error(`${args.join(' ')} was accepted`)
}

describe('cli/args', () => {
  it('gives the demo its defaults', () => {
    expect(parseCommand(['demo'])).to.deep.equal({ name: 'demo', muxer: 'yamux', size: 256, streams: 8 })
  })

  it('reads the options of the demo', () => {
    expect(parseCommand(['demo', '--size', '4', '--streams=0'])).to.deep.equal({ name: 'demo', muxer: 'yamux', size: 4, streams: 0 })
    expect(parseCommand(['demo', '--file', 'a b'])).to.deep.equal({ name: 'demo', muxer: 'yamux', file: 'a b', size: 256, streams: 8 })
  })

  it('gives receive its defaults', () => {
    expect(parseCommand(['receive'])).to.deep.equal({ name: 'receive', muxer: 'yamux', listen: DEFAULT_LISTEN, out: '.' })
  })

  it('reads the options of receive', () => {
    expect(parseCommand(['receive', '--out', 'd', '--listen', '/ip4/127.0.0.1/tcp/1'])).to.deep.equal({
      name: 'receive',
      muxer: 'yamux',
      listen: '/ip4/127.0.0.1/tcp/1',
      out: 'd'
    })
  })

  it('reads the operands of send', () => {
    expect(parseCommand(['send', 'f', '/ip4/127.0.0.1/tcp/1'])).to.deep.equal({ name: 'send', muxer: 'yamux', file: 'f', address: '/ip4/127.0.0.1/tcp/1' })
    expect(parseCommand(['send', '--', '-f', 'a'])).to.deep.equal({ name: 'send', muxer: 'yamux', file: '-f', address: 'a' })
  })

  it('knows help and version anywhere', () => {
    for (const args of [['--help'], ['-h'], ['help'], ['demo', '--help'], ['send', '-h'], ['receive', '-h']]) {
      expect(parseCommand(args)).to.deep.equal({ name: 'help' })
    }

    for (const args of [['--version'], ['-v'], ['send', '--version']]) {
      expect(parseCommand(args)).to.deep.equal({ name: 'version' })
    }
  })

  it('takes another muxer for every command', () => {
    for (const args of [['demo'], ['receive'], ['send', 'f', 'a'], ['demo-receiver', 'd']]) {
      expect(parseCommand([...args, '--muxer', 'mplex'])).to.have.property('muxer', 'mplex')
      expect(parseCommand([...args, '--muxer', 'yamux'])).to.have.property('muxer', 'yamux')
    }
  })

  const wrong: Array<[string, string[], string]> = [
    ['no command', [], 'no command'],
    ['an unknown command', ['fly'], 'there is no command "fly"'],
    ['an unknown option', ['demo', '--fast'], '--fast'],
    ['an option without its value', ['demo', '--size'], '--size'],
    ['an unknown muxer', ['receive', '--muxer', 'spdy'], '--muxer must be yamux or mplex, not "spdy"'],
    ['a muxer without a name', ['send', 'f', 'a', '--muxer='], '--muxer must be yamux or mplex, not ""'],
    ['an option for another command', ['send', 'f', 'a', '--out', 'd'], '--out'],
    ['a missing file', ['send'], 'FILE is missing'],
    ['a missing address', ['send', 'f'], 'MULTIADDR is missing'],
    ['one operand too many', ['send', 'f', 'a', 'b'], '"b" is one argument too many'],
    ['an operand where none belongs', ['receive', 'here'], '"here" is one argument too many'],
    ['an empty operand', ['send', '', 'a'], 'FILE is empty'],
    ['an empty option', ['receive', '--out', ''], '--out is empty'],
    ['a size with a file', ['demo', '--file', 'f', '--size', '4'], 'no meaning with --file'],
    ['too many streams', ['demo', '--streams', '513'], 'from 0 to 512'],
    ['a size of zero', ['demo', '--size', '0'], 'from 1 to'],
    ...['', ' 1', '1.5', '1e3', '0x10', '-1', 'NaN', '99999999999999999999'].map((size): [string, string[], string] =>
      [`the size "${size}"`, ['demo', `--size=${size}`], '--size must be a whole number']
    )
  ]

  for (const [what, args, message] of wrong) {
    it(`refuses ${what}`, () => {
      const err = failure(...args)

      expect(err).to.have.property('name', 'UsageError')
      expect(err).to.have.property('exitCode', EXIT_USAGE)
      expect(err.message).to.include(message)
      expect(err.message).to.not.include('\n')
    })
  }
})
