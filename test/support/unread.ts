/** Streams of yamux on which bytes wait to be read. */
import { data } from './frames.ts'
import type { EngineDriver } from './engine-pair.ts'
import type { YamuxStream } from '../../src/protocols/yamux/stream.ts'

export const WINDOW = 262_144

/** Streams of the peer whose windows are full. */
export function fill (link: EngineDriver, ...ids: number[]): YamuxStream[] {
  return ids.map(id => {
    const stream = link.inbound(id)

    link.give(data(id, WINDOW))

    return stream
  })
}

export function pushBack (link: EngineDriver, stream: YamuxStream, bytes: Uint8Array, inFront = true): void {
  link.engine.pushBack(stream, [bytes], inFront, link.now)
}
