/** All cases, in the order of the tables. */
import { growth } from './growth.ts'
import { idle } from './idle.ts'
import { echoBehindQueue, echoUnderBulk, pingPong } from './latency.ts'
import { openEchoClose } from './open.ts'
import { shaped } from './shaped.ts'
import { slowReader } from './slow-reader.ts'
import { transfer } from './transfer.ts'
import type { BenchCase } from './types.ts'

const BOTH: BenchCase['links'] = ['bare', 'noise']
const LARGE = 65_536

export const CASES: BenchCase[] = [
  transfer({ name: 'download-1', title: 'download, 1 stream', direction: 'down', streams: 1, bytes: LARGE, links: BOTH }),
  transfer({ name: 'upload-1', title: 'upload, 1 stream', direction: 'up', streams: 1, bytes: LARGE, links: BOTH }),
  transfer({ name: 'upload-10', title: 'upload, 10 streams', direction: 'up', streams: 10, bytes: LARGE }),
  transfer({ name: 'upload-100', title: 'upload, 100 streams', direction: 'up', streams: 100, bytes: LARGE, links: BOTH }),
  transfer({ name: 'download-100', title: 'download, 100 streams', direction: 'down', streams: 100, bytes: LARGE }),
  transfer({ name: 'upload-1000', title: 'upload, 1,000 streams', direction: 'up', streams: 1_000, bytes: LARGE }),
  transfer({ name: 'upload-10000', title: 'upload, 10,000 streams', direction: 'up', streams: 10_000, bytes: LARGE }),
  growth({ name: 'upload-growth', title: 'upload, more and more streams', counts: [1, 10, 100, 1_000, 10_000], bytes: LARGE }),
  transfer({ name: 'messages-100', title: '100-byte messages, 1 stream', direction: 'up', streams: 1, bytes: 100, links: BOTH }),
  transfer({ name: 'messages-512', title: '512-byte messages, 1 stream', direction: 'up', streams: 1, bytes: 512, links: BOTH }),
  transfer({ name: 'messages-1000-streams', title: '100-byte messages over 1,000 streams', direction: 'up', streams: 1_000, bytes: 100, links: BOTH }),
  transfer({ name: 'messages-10000-streams', title: '100-byte messages over 10,000 streams', direction: 'up', streams: 10_000, bytes: 100 }),
  pingPong({ name: 'ping-pong', title: 'ping-pong, 64 bytes', links: BOTH }),
  openEchoClose({ name: 'open', title: 'open, echo 1 byte, close; 16 at a time', links: BOTH }),
  echoUnderBulk({ name: 'echo-under-bulk', title: '64-byte echo while another stream sends bulk', links: BOTH }),
  echoBehindQueue({ name: 'echo-behind-queue', title: '64-byte echo while 256 MiB wait on another stream', links: BOTH, bytes: 268_435_456 }),
  idle({ name: 'idle', title: '10,000 idle streams', streams: 10_000, links: BOTH }),
  slowReader({ name: 'slow-reader', title: 'reader of 64 KiB every 50 ms, writer of all it can' }),
  shaped({ name: 'shaped-60ms', title: '1 Gbit/s, 60 ms round trip', shape: { bitsPerSecond: 1e9, roundTripMillis: 60 } }),
  shaped({ name: 'shaped-20ms', title: '100 Mbit/s, 20 ms round trip', shape: { bitsPerSecond: 1e8, roundTripMillis: 20 } })
]
