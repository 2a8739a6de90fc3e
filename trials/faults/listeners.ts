/** Who listens to what outlives a connection, or carries it: each kind with its number. */
import { getEventListeners } from 'node:events'
import type { MessageStream, StreamMuxer } from '@libp2p/interface'

export interface Listened {
  listenerCount(type: string): number
}

/** What a muxer was put on. */
export interface Carrier {
  side: 'sender' | 'receiver'
  maConn: MessageStream
  muxer: StreamMuxer

  /** Who listened before the muxer did: an encrypter, and the connection itself. */
  before: Record<string, number>
}

const CARRIER_EVENTS = ['message', 'drain', 'idle', 'end', 'remoteCloseWrite', 'close']

const NODE_EVENTS = [
  'start', 'stop', 'peer:discovery', 'peer:connect', 'peer:disconnect', 'peer:reconnect-failure', 'peer:identify', 'peer:update',
  'self:peer:update', 'transport:listening', 'transport:close', 'connection:prune', 'connection:open', 'connection:close'
]

function count (target: Listened, names: string[], of: string): Record<string, number> {
  return Object.fromEntries(names.map(name => [`listeners of ${of} for ${name}`, target.listenerCount(name)]))
}

export function countOfCarrier (side: Carrier['side'], maConn: Listened): Record<string, number> {
  return count(maConn, CARRIER_EVENTS, `the connection under a muxer of the ${side}`)
}

export function countOfNode (what: string, node: Listened): Record<string, number> {
  return count(node, NODE_EVENTS, what)
}

export function countOfSignal (signal: AbortSignal): Record<string, number> {
  return { 'listeners of the signal that all share': getEventListeners(signal, 'abort').length }
}

export function countOfProcess (): Record<string, number> {
  return Object.fromEntries(process.eventNames().map(name => [`listeners for ${String(name)}`, process.listenerCount(name)]))
}

/** Kinds of which there are more than before, with how many. */
export function more (before: Record<string, number>, after: Record<string, number>): string[] {
  return Object.entries(after)
    .filter(([name, count]) => count > (before[name] ?? 0))
    .map(([name, count]) => `${name}: ${count}, before ${before[name] ?? 0}`)
}
