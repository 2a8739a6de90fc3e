/** What libp2p calls the options of a new stream, as an engine takes them. */
import { checkPriority } from './checks.ts'
import type { OpenOptions } from '../core/engine.ts'
import type { NewStreamOptions } from '../interface/muxer.ts'
import type { CreateStreamOptions } from '@libp2p/interface'

/** The options that one stream may have of its own; the object is absent when there are none, as it costs memory. */
export function toOpenOptions (options: NewStreamOptions & CreateStreamOptions): OpenOptions {
  const limits: any = {}

  for (const name of STREAM_OPTIONS) {
    const value = (options as any)[name]

    if (value != null) {
      limits[name] = value
    }
  }

  return {
    ...checkPriority(options.priority),
    ...(Object.keys(limits).length === 0 ? {} : { limits })
  }
}

const STREAM_OPTIONS = [
  'inactivityTimeout', 'maxReadBufferLength', 'maxWriteBufferLength', 'writeHighWaterMark', 'writeStallTimeout',
  'initialStreamWindowSize', 'maxStreamWindowSize'
] as const
