import { expect } from 'aegir/chai'
import { CliError, dialProblem, exitCodeOf, fileProblem, InterruptedError, listenProblem, messageOf, oneLine, UsageError } from '../../src/cli/errors.ts'

function named (name: string, message: string, code?: string): Error {
  return Object.assign(new Error(message), { name }, code == null ? {} : { code })
}

describe('cli/errors', () => {
  const file: Array<[string, string]> = [
    ['ENOENT', 'does not exist'],
    ['EACCES', 'permission denied'],
    ['EPERM', 'permission denied'],
    ['EISDIR', 'is a directory'],
    ['ENOTDIR', 'not a directory'],
    ['EROFS', 'read-only'],
    ['ENOSPC', 'disk is full'],
    ['EDQUOT', 'quota'],
    ['EMFILE', 'too many open files'],
    ['EFBIG', 'of this size'],
    ['EWHATEVER', 'some text']
  ]

  for (const [code, text] of file) {
    it(`says what ${code} means, names the file, and does not tell the peer its path`, () => {
      const err = fileProblem(named('Error', 'some text', code), 'read', '/home/me/f')

      expect(err.message).to.include('cannot read /home/me/f: ').and.to.include(text)
      expect(err.tell).to.not.include('/home')
      expect(err.exitCode).to.equal(1)
    })
  }

  it('tells the peer that the disk is full', () => {
    expect(fileProblem(named('Error', '', 'ENOSPC'), 'write to', '/d').tell).to.equal('the disk of the receiver is full')
  })

  const dial: Array<[string, Error, string]> = [
    ['nobody listens', named('Error', 'x', 'ECONNREFUSED'), 'nothing listens there'],
    ['there is no route', named('Error', 'x', 'EHOSTUNREACH'), 'no route'],
    ['there is no such host', named('Error', 'x', 'ENOTFOUND'), 'does not exist'],
    ['nobody answers', named('TimeoutError', 'x'), 'no answer in time'],
    ['the handshake takes too long', named('EncryptionFailedError', 'The operation was aborted due to timeout'), 'no answer in time'],
    ['another peer answers', named('UnexpectedPeerError', 'x'), 'wrong peer id'],
    ['noise finds another peer', named('EncryptionFailedError', 'Payload identity key A does not match expected remote identity key B'), 'wrong peer id'],
    ['the address has no TCP', named('NoValidAddressesError', 'x'), 'only TCP addresses'],
    ['there is no common muxer', named('EncryptionFailedError', 'no common muxers'), 'on noise and a stream muxer'],
    ['the protocol is unknown there', named('UnsupportedProtocolError', 'x'), 'does not take files'],
    ['several dials fail', new AggregateError([named('Error', 'x', 'ECONNREFUSED')]), 'nothing listens there'],
    ['something else happens', named('Error', 'two\nlines'), 'two lines']
  ]

  for (const [what, err, text] of dial) {
    it(`says so when ${what}`, () => {
      const message = messageOf(dialProblem(err, '/ip4/192.0.2.7/tcp/1'))

      expect(message).to.include('/ip4/192.0.2.7/tcp/1').and.to.include(text)
      expect(message).to.not.include('\n')
    })
  }

  for (const [reason, text] of [
    ['EADDRINUSE', 'another program'],
    ['EADDRNOTAVAIL', 'does not have that address'],
    ['EACCES', 'permission denied'],
    ['UnsupportedListenAddressError', 'only TCP'],
    ['other', 'other']
  ]) {
    it(`says why it cannot listen: ${reason}`, () => {
      expect(listenProblem(new Error(`Some addresses failed:\n\n  /x: Error: ${reason}\n    at f`), '/x').message).to.include('cannot listen on /x').and.to.include(text)
    })
  }

  it('leaves an error alone that is clear already', () => {
    const err = new CliError('clear')

    expect(fileProblem(err, 'read', 'f')).to.equal(err)
    expect(dialProblem(err, 'a')).to.equal(err)
  })

  it('puts text of strangers on one line that steers no terminal', () => {
    expect(oneLine(' a\r\n\n b\x1b[2Jc\u202ed\u2028e ')).to.equal('a b\ufffd[2Jc\ufffdd e')
  })

  it('knows the exit status of each error', () => {
    expect(exitCodeOf(new UsageError('x'))).to.equal(2)
    expect(exitCodeOf(new CliError('x'))).to.equal(1)
    expect(exitCodeOf(new Error('x'))).to.equal(1)
    expect(exitCodeOf('x')).to.equal(1)
    expect(exitCodeOf(new InterruptedError(143))).to.equal(143)
  })
})
