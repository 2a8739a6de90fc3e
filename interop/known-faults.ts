/**
 * What peers are known to do wrong. A cell that fails in such a way, and whose transcript shows it, is the peer's; one
 * that fails in any other way, or by our own discipline, is ours.
 */
import type { Peer } from './peers/index.ts'
import type { Scenario } from './scenarios/types.ts'

interface Evidence {
  /** What the scenario said. */
  reason: string
  transcript: string[]

  /** Our own faults in the same cell. */
  ours: string[]

  /** Why the connection could not be closed in good order, if it could not. */
  closing?: string
}

interface KnownFault {
  peers: string[]
  scenarios: RegExp
  fault: string

  /** The peer hears nothing any more: its connection can only be cut. */
  deaf?: boolean
  shows(evidence: Evidence): boolean
}

/** A frame of ours, or of the peer's, as it is in the transcript. */
function has (transcript: string[], line: RegExp): boolean {
  return transcript.some(entry => line.test(entry))
}

/** The streams of which we said it. In mplex both sides count from 0: whose it is belongs to its name. */
function streamsOf (transcript: string[], said: RegExp): string[] {
  return transcript
    .map(line => new RegExp(`> (?:${said.source}) (\\d+(?: of \\w+)?) `).exec(line)?.[1])
    .filter(id => id !== undefined)
}

/** One of them had not been ended by us. */
function notEnded (transcript: string[], said: RegExp): boolean {
  const ended = streamsOf(transcript, /\w+\|FIN|close/)

  return streamsOf(transcript, said).some(id => !ended.includes(id))
}

/** For how many seconds nothing went over the wire at most, from the first reset of ours until the scenario was over. */
function silence (transcript: string[]): number {
  const times = transcript.slice(transcript.findIndex(line => / > reset /.test(line))).filter(line => !line.startsWith('…')).map(parseFloat)

  return Math.max(0, ...times.slice(1).map((at, index) => at - times[index]))
}

const RUST = ['rust-libp2p', 'rust-0.13', 'rust-0.14', 'rust-libp2p-mplex']

const PYTHON = ['py-libp2p', 'py-mplex']

const FAULTS: KnownFault[] = [
  {
    peers: [...RUST, ...PYTHON],
    scenarios: /^reset-ours-/,
    fault: 'its readers take a reset for the end of the stream: they are told so (EOF) after an RST and no FIN',
    shows: ({ reason, transcript }) => reason.startsWith('the peer\'s reader was told eof') && notEnded(transcript, /\w+\|RST|reset/)
  },
  {
    peers: RUST,
    scenarios: /^empty-theirs$/,
    fault: 'a stream on which nothing was written is never announced: its first and last frame is a FIN, without a SYN',
    shows: ({ transcript }) => has(transcript, /< data\|FIN \d+ 0/) && !has(transcript, /< (data|window)\|SYN/)
  },
  {
    peers: [...RUST, ...PYTHON, 'hashicorp', 'js-libp2p', 'chainsafe', 'js-mplex'],
    scenarios: /^cut-ours$/,
    fault: 'its readers take a connection that was cut for the end of the stream, though no FIN was sent',
    shows: ({ reason, transcript }) => reason.includes('took the end of the connection for the end of the stream') && notEnded(transcript, /\w+\|SYN|new/)
  },
  {
    peers: ['rust-libp2p-mplex'],
    scenarios: /^reset-theirs-/,
    fault: 'the reset of a stream that its application drops stays in its buffer until it has something else to send',
    shows: ({ reason, transcript }) => reason.startsWith('nothing came') && !has(transcript, /< reset/)
  },
  {
    peers: ['go-mplex', 'go-libp2p-mplex'],
    scenarios: /^after-everything$/,
    // Stream.Read of go-mplex returns at once when a stream is reset, without giving back the buffers of what is unread
    fault: 'it stops reading from the connection for good when streams were reset whose bytes its application has not read: its four input buffers stay in use',
    deaf: true,
    shows: ({ transcript }) => has(transcript, /> reset/) && silence(transcript) > 5
  }
]

/** The fault of the peer's that explains a failure, if there is one. */
export function knownFault (peer: Peer, scenario: Scenario, evidence: Evidence): string | undefined {
  if (evidence.ours.length > 0) {
    return undefined
  }

  return FAULTS.find(({ peers, scenarios, deaf, shows }) =>
    peers.includes(peer.name) && scenarios.test(scenario.name) && (evidence.closing === undefined || deaf === true) && shows(evidence))?.fault
}
