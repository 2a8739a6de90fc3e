/** One line of JSON for each event. */
import type { PeerEvent } from '../program.ts'

export function report (event: PeerEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}
