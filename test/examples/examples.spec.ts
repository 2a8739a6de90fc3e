/** Every example runs as it is shown: from its source, in a process of its own, to its end. */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'aegir/chai'
import { readText, root } from '../support/repository.ts'

const run = promisify(execFile)

/** What each prints. An example that is missing here fails: whoever adds one says what it shows. */
const PRINTS: Record<string, string[]> = {
  'http-over-a-stream.ts': [
    'you asked for /one',
    'you asked for /two',
    'you asked for /three',
    'streams opened: 1'
  ],
  'it-pipe.ts': ['LESS NOISE, PLEASE'],
  'length-prefixed.ts': [
    'Tea? Yes.',
    'Cake? Yes.',
    '2000 bytes? No.'
  ],
  'libp2p-node.ts': ['Bob echoes: hello, Bob'],
  'priorities.ts': [
    'stop came before all of the bulk was sent',
    '33554432 bytes came after all'
  ],
  'statistics.ts': [
    'the stream ended with StreamResetError (resourceLimitExceeded)',
    'stream: {"bytesSent":100000,"stalls":0,"reset":{"by":"remote","code":4098}}',
    'connection: {"streamsOpened":{"inbound":0,"outbound":1},"streamsReset":{"local":0,"remote":1}}',
    'round trip: measured'
  ],
  'web-streams.ts': ['440000 characters came as less than 10,000 bytes, all right'],
  'without-libp2p.ts': [
    'Good day, Alice',
    'Good day, Bob'
  ]
}

const files = readdirSync(path.join(root, 'examples'))

/** A process takes a second to start on a busy machine, and none of them should take ten. */
const MILLIS = 30_000

describe('examples', function () {
  this.timeout(MILLIS * 2)

  it('are all known here', () => {
    expect(files).to.have.members(Object.keys(PRINTS))
  })

  for (const [file, lines] of Object.entries(PRINTS)) {
    it(`${file} runs to its end and prints what it should`, async () => {
      // rejects for an exit status other than 0, and for a process that does not end
      const { stdout, stderr } = await run(process.execPath, [path.join('examples', file)], { cwd: root, timeout: MILLIS })

      expect(stdout.trimEnd().split('\n')).to.deep.equal(lines)
      expect(stderr).to.equal('')
    })

    it(`${file} is short`, () => {
      expect(readText('examples', file).split('\n').length).to.be.at.most(61)
    })
  }
})
