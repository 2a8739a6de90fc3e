import { expect } from 'aegir/chai'
import { knownFault } from '../../interop/known-faults.ts'
import { MplexRecorder } from '../../interop/recorder/mplex-recorder.ts'
import { YamuxRecorder } from '../../interop/recorder/recorder.ts'
import type { Peer } from '../../interop/peers/index.ts'
import type { Scenario } from '../../interop/scenarios/types.ts'

/** Of mplex: the flag, the id, the body, each of which fits in a byte. */
function message (flag: number, id: number, body: number[] = []): Uint8Array {
  return Uint8Array.of(id << 3 | flag, body.length, ...body)
}

const SYN = 1

const NEW = 0
const DATA_OF_RECEIVER = 1
const DATA = 2
const CLOSE = 4
const RESET_OF_RECEIVER = 5
const RESET = 6

describe('who reads along with our mplex', () => {
  const opened = message(NEW, 1, [49])
  const offences: Array<[string, Uint8Array[], Uint8Array]> = [
    ['a stream that is opened twice', [opened], opened],
    ['data on a stream that was never opened', [opened], message(DATA, 2, [1])],
    ['data on a stream of the peer\'s that it never opened', [opened], message(DATA_OF_RECEIVER, 1, [1])],
    ['data without a byte', [opened], message(DATA, 1)],
    ['data after an end', [opened, message(CLOSE, 1)], message(DATA, 1, [1])],
    ['a second end', [opened, message(CLOSE, 1)], message(CLOSE, 1)],
    ['an end with a body', [opened], message(CLOSE, 1, [1])],
    ['data after a reset', [opened, message(RESET, 1)], message(DATA, 1, [1])],
    ['a second reset', [opened, message(RESET, 1)], message(RESET, 1)],
    ['half a message', [opened], message(DATA, 1, [1, 2]).subarray(0, 3)],
    ['a message over 64 KiB', [opened], Uint8Array.of(1 << 3 | DATA, 0x81, 0x80, 0x04, ...new Uint8Array(65_537))]
  ]

  for (const [what, before, offence] of offences) {
    it(`should not let pass ${what}`, () => {
      const recorder = new MplexRecorder()

      recorder.sent(before)
      expect(recorder.violations).to.deep.equal([])
      recorder.sent([offence])
      expect(recorder.violations).to.have.lengthOf(1)
    })
  }

  it('should not let pass data after a reset of the peer\'s, but a reset that crosses it', () => {
    const recorder = new MplexRecorder()

    recorder.sent([opened, message(DATA, 1, [1])])
    recorder.received([message(RESET_OF_RECEIVER, 1)])
    recorder.sent([message(RESET, 1)])
    expect(recorder.violations).to.deep.equal([])

    const other = new MplexRecorder()

    other.sent([opened])
    other.received([message(RESET_OF_RECEIVER, 1)])
    other.sent([message(DATA, 1, [1])])
    expect(other.violations).to.have.lengthOf(1)
  })

  it('should let pass what is as it should be, however it is cut', () => {
    const recorder = new MplexRecorder()

    recorder.sent([opened, message(DATA, 1, [1, 2, 3]), message(CLOSE, 1)])

    for (const byte of [...message(NEW, 1, [49]), ...message(DATA, 1, [7, 8]), ...message(DATA_OF_RECEIVER, 1, [9]), ...message(3, 1)]) {
      recorder.received([Uint8Array.of(byte)])
    }

    recorder.sent([message(DATA_OF_RECEIVER, 1, [1])])
    expect(recorder.violations).to.deep.equal([])
    expect(recorder.largestFrameReceived).to.equal(2)
    expect(recorder.hasEnded('1')).to.be.true()
    expect(recorder.transcript.lines).to.have.lengthOf(8)
  })
})

describe('who reads along with our yamux', () => {
  it('should collect what the recorder throws, and go on', () => {
    const recorder = new YamuxRecorder('client')
    const pong = Uint8Array.of(0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 7)

    recorder.sent([pong])
    recorder.sent([pong])
    expect(recorder.violations).to.deep.equal(new Array(2).fill('we sent ping ACK of 7 on stream 0: one pong a ping'))
  })
})

describe('credit of a stream of our yamux, as the recorder counts it', () => {
  const frame = (type: number, flags: number, length: number): Uint8Array => Uint8Array.of(0, type, 0, flags, 0, 0, 0, 1, 0, length >> 16, length >> 8 & 255, length & 255)

  it('should be no more than the window as long as what is used comes back', () => {
    const recorder = new YamuxRecorder('client')

    recorder.sent([frame(1, SYN, 0)])
    recorder.received([frame(0, 0, 65_536), new Uint8Array(65_536)])
    recorder.sent([frame(1, 0, 65_536)])
    expect(recorder.mostCredit).to.equal(262_144)
  })

  it('should be more where more comes back, or is there from the start', () => {
    const grown = new YamuxRecorder('client')
    const large = new YamuxRecorder('client')

    grown.sent([frame(1, SYN, 0)])
    grown.received([frame(0, 0, 65_536), new Uint8Array(65_536)])
    grown.sent([frame(1, 0, 131_072)])
    expect(grown.mostCredit).to.equal(327_680)
    large.sent([frame(1, SYN, 100)])
    expect(large.mostCredit).to.equal(262_244)
  })
})

describe('faults of peers', () => {
  const peer = { name: 'rust-0.13' } as unknown as Peer
  const scenario = { name: 'reset-ours-0' } as unknown as Scenario
  const evidence = {
    reason: 'the peer\'s reader was told eof ',
    transcript: ['0.001 > window|SYN 1 +0', '0.002 > data 1 1000', '0.002 > window|RST 1 0'],
    ours: []
  }

  it('should explain what the transcript shows', () => {
    expect(knownFault(peer, scenario, evidence)).to.match(/take a reset for the end of the stream/)
  })

  it('should not take the end of a stream of the peer\'s for that of ours of the same number', () => {
    const python = (transcript: string[]): string | undefined => knownFault({ ...peer, name: 'py-mplex' }, scenario, { ...evidence, transcript })

    expect(python(['0.001 > close 0 of theirs 0', '0.002 > reset 0 of ours 0'])).to.match(/take a reset for the end of the stream/)
    expect(python(['0.001 > close 0 of ours 0', '0.002 > reset 0 of ours 0'])).to.equal(undefined)
  })

  it('should see that a stream of ours was cut though one of the peer\'s was ended', () => {
    const cut = (transcript: string[]): string | undefined => knownFault({ ...peer, name: 'py-libp2p' }, { ...scenario, name: 'cut-ours' }, {
      reason: 'the peer took the end of the connection for the end of the stream',
      transcript,
      ours: []
    })

    expect(cut(['0.001 > ping|SYN 0', '0.001 > window|FIN 2 0', '0.002 > window|SYN 1 +0', '0.003 > data 1 1000'])).to.match(/take a connection that was cut/)
    expect(cut(['0.001 > ping|SYN 0', '0.002 > window|SYN 1 +0', '0.003 > window|FIN 1 0'])).to.equal(undefined)
  })

  it('should explain nothing of another peer, in another scenario, or that the transcript does not show', () => {
    expect(knownFault({ ...peer, name: 'go-yamux' }, scenario, evidence)).to.equal(undefined)
    expect(knownFault(peer, { ...scenario, name: 'echo' }, evidence)).to.equal(undefined)
    expect(knownFault(peer, scenario, { ...evidence, reason: 'nothing came of it within 30 s' })).to.equal(undefined)
    expect(knownFault(peer, scenario, { ...evidence, transcript: ['0.002 > window|FIN 1 +0', '0.002 > window|RST 1 0'] })).to.equal(undefined)
  })

  it('should not excuse a fault of ours, nor a connection that we could not close', () => {
    expect(knownFault(peer, scenario, { ...evidence, ours: ['our discipline: we sent a second FIN'] })).to.equal(undefined)
    expect(knownFault(peer, scenario, { ...evidence, closing: 'closing: the signal was aborted' })).to.equal(undefined)
  })

  it('should excuse a connection that we could not close where the peer hears nothing any more', () => {
    const began = ['0.001 > new 1 of ours 1', '0.002 > reset 1 of ours 0', '0.003 > new 2 of ours 1']
    const deaf = (rest: string[]): string | undefined => knownFault({ ...peer, name: 'go-mplex' }, { ...scenario, name: 'after-everything' }, {
      reason: 'nothing came of it within 15 s; closing: the signal was aborted',
      transcript: [...began, ...rest],
      ours: [],
      closing: 'closing: the signal was aborted'
    })

    expect(deaf(['10.003 < reset 2 of ours 0'])).to.match(/stops reading/)
    expect(deaf(['0.004 < data 1 of ours 9', '15.001 ! nothing came of it within 15 s'])).to.match(/stops reading/)
    expect(deaf(['0.004 < data 2 of ours 9', '0.005 < reset 2 of ours 0'])).to.equal(undefined)
  })
})
