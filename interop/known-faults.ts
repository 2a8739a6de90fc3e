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
}

interface KnownFault {
  peers: string[]
  scenarios: RegExp
  fault: string
  shows(evidence: Evidence): boolean
}

/** A frame of ours, or of the peer's, as it is in the transcript. */
function has (transcript: string[], line: RegExp): boolean {
  return transcript.some(entry => line.test(entry))
}

const RUST = ['rust-libp2p', 'rust-0.13', 'rust-0.14', 'rust-libp2p-mplex']

const FAULTS: KnownFault[] = [
  {
    peers: RUST,
    scenarios: /^reset-ours-/,
    fault: 'its readers take a reset for the end of the stream: they are told so (EOF) after an RST and no FIN',
    shows: ({ reason, transcript }) => reason.startsWith('the peer\'s reader was told eof') && has(transcript, /> \w+\|RST/) && !has(transcript, /> \w+\|FIN/)
  },
  {
    peers: RUST,
    scenarios: /^empty-theirs$/,
    fault: 'a stream on which nothing was written is never announced: its first and last frame is a FIN, without a SYN',
    shows: ({ transcript }) => has(transcript, /< data\|FIN \d+ 0/) && !has(transcript, /< (data|window)\|SYN/)
  },
  {
    peers: [...RUST, 'hashicorp', 'js-libp2p', 'chainsafe'],
    scenarios: /^cut-ours$/,
    fault: 'its readers take a connection that was cut for the end of the stream, though no FIN was sent',
    shows: ({ reason, transcript }) => reason.includes('took the end of the connection for the end of the stream') && !has(transcript, /> \w+\|FIN/)
  }
]

/** The fault of the peer's that explains a failure, if there is one. */
export function knownFault (peer: Peer, scenario: Scenario, evidence: Evidence): string | undefined {
  if (evidence.ours.length > 0) {
    return undefined
  }

  return FAULTS.find(({ peers, scenarios, shows }) => peers.includes(peer.name) && scenarios.test(scenario.name) && shows(evidence))?.fault
}
