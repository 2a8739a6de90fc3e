/** Message headers to bytes. */
import { LOW_IDS, LOW_ID_BITS } from './frame.ts'
import type { Output } from '../../core/output.ts'
import type { StreamId } from '../../core/stream-record.ts'

export function writeHeader (output: Output, flag: number, id: StreamId, length: number): void {
  const isSmall = typeof id === 'number'
  const low = (isSmall ? id % LOW_IDS : Number(id & BigInt(LOW_IDS - 1))) << 3 | flag
  const high = isSmall ? Math.floor(id / LOW_IDS) : Number(id >> BigInt(LOW_ID_BITS))
  const lowBytes = high === 0 ? varintLength(low) : 4
  const headerBytes = lowBytes + (high === 0 ? 0 : varintLength(high))
  const slab = output.reserve(headerBytes + varintLength(length))
  const at = output.offset

  writeVarint(slab, at, low, lowBytes)

  if (high > 0) {
    slab[at + 3] |= 0x80
    writeVarint(slab, at + 4, high, headerBytes - 4)
  }

  writeVarint(slab, at + headerBytes, length, varintLength(length))
}

function varintLength (value: number): number {
  let length = 1

  for (let left = value; left >= 0x80; left = Math.floor(left / 0x80)) {
    length++
  }

  return length
}

/** In so many bytes, whether or not they are needed. */
function writeVarint (bytes: Uint8Array, at: number, value: number, length: number): void {
  let left = value

  for (const last = at + length - 1; at < last; at++) {
    bytes[at] = left % 0x80 | 0x80
    left = Math.floor(left / 0x80)
  }

  bytes[at] = left
}
