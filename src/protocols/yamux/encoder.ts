/** Frame headers to bytes. */
import { HEADER_LENGTH, VERSION } from './frame.ts'
import type { Output } from '../../core/output.ts'

export function writeHeader (output: Output, type: number, flags: number, streamId: number, length: number): void {
  const slab = output.reserve(HEADER_LENGTH)
  const at = output.offset

  slab[at] = VERSION
  slab[at + 1] = type
  slab[at + 2] = flags >>> 8
  slab[at + 3] = flags
  slab[at + 4] = streamId >>> 24
  slab[at + 5] = streamId >>> 16
  slab[at + 6] = streamId >>> 8
  slab[at + 7] = streamId
  slab[at + 8] = length >>> 24
  slab[at + 9] = length >>> 16
  slab[at + 10] = length >>> 8
  slab[at + 11] = length
}
