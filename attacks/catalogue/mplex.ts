/** Attacks on what mplex adds: varints, names, messages without flow control. */
import { NEW_STREAM, mplexFrame } from '../dialects.ts'
import { GOES_ON, PROTOCOL } from './ends.ts'
import type { Attack } from '../types.ts'

const MPLEX: Attack['languages'] = ['mplex']
const MIB = 1_048_576

export const MPLEX_ONLY: Attack[] = [
  {
    name: 'endless-varint',
    title: 'a header of 16 MiB, each byte of which says that more come',
    languages: MPLEX,
    ends: PROTOCOL,
    run: async wire => {
      await wire.repeat(16 * MIB, Uint8Array.of(0xff))
    }
  },
  {
    name: 'endless-length',
    title: 'a length of 16 MiB, each byte of which says that more come',
    languages: MPLEX,
    ends: PROTOCOL,
    run: async (wire, { open, data }) => {
      await wire.send(open(0), data(0, new Uint8Array(1)).subarray(0, 1))
      await wire.repeat(16 * MIB, Uint8Array.of(0x80))
    }
  },
  {
    name: 'long-names',
    title: '200 streams, each with a name of 1 MiB',
    languages: MPLEX,
    ends: GOES_ON,
    run: async wire => {
      const name = new Uint8Array(MIB).fill(97)

      for (let n = 0; n < 200 && !wire.closed; n++) {
        await wire.send(mplexFrame(n, NEW_STREAM, undefined, MIB), name)
      }
    }
  },
  {
    name: 'mib-on-many',
    title: '1 MiB on each of 1,000 streams that are not read',
    languages: MPLEX,
    ends: GOES_ON,
    app: 'ignore',
    run: async (wire, { open, data }) => {
      const message = data(0, new Uint8Array(MIB).fill(7))
      const body = message.subarray(message.byteLength - MIB)

      for (let n = 0; n < 1_000 && !wire.closed; n++) {
        await wire.send(open(n), mplexFrame(n, 2, undefined, MIB), body)
      }
    }
  },
  {
    name: 'too-long',
    title: 'a message of 1 MiB and a byte',
    languages: MPLEX,
    ends: PROTOCOL,
    app: 'ignore',
    run: async (wire, { open, data }) => {
      await wire.send(open(0), data(0, new Uint8Array(MIB + 1)))
    }
  },
  {
    name: 'unknown-flag',
    title: 'a frame of type 7, then 16 MiB',
    languages: MPLEX,
    ends: PROTOCOL,
    run: async (wire, { open, data }) => {
      await wire.send(open(0), mplexFrame(0, 7))
      await wire.repeat(16_384, data(0, new Uint8Array(1_024)))
    }
  }
]
