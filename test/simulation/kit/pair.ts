/** Two engines and the link between them. */
import { VirtualClock } from './clock.ts'
import { Endpoint } from './endpoint.ts'
import { Pipe } from './pipe.ts'
import type { AnyEndpoint } from './endpoint.ts'
import type { PipeOptions } from './pipe.ts'
import type { YamuxOptions } from '../../../src/protocols/yamux/config.ts'

export interface PairOptions {
  /** Of both directions. */
  link?: PipeOptions
  clientOptions?: YamuxOptions
  serverOptions?: YamuxOptions
}

export interface AnyPair<End extends AnyEndpoint> {
  clock: VirtualClock
  client: End
  server: End

  /** Where the bytes of each go. */
  fromClient: Pipe
  fromServer: Pipe

  /** Cuts the link: whatever is on its way is lost, and both ends are told. */
  cut(cause?: Error): void
}

export type Pair = AnyPair<Endpoint>

export function createPair (options: PairOptions = {}): Pair {
  return linkEnds(options.link, (role, clock, out) => new Endpoint(role, role, clock, out, options[`${role}Options`] ?? {}))
}

/** Of any language. */
export function linkEnds<End extends AnyEndpoint> (link: PipeOptions | undefined, createEnd: (role: 'client' | 'server', clock: VirtualClock, out: Pipe) => End): AnyPair<End> {
  const clock = new VirtualClock()
  const fromClient = new Pipe(clock, link)
  const fromServer = new Pipe(clock, link)
  const client = createEnd('client', clock, fromClient)
  const server = createEnd('server', clock, fromServer)

  connect(fromClient, server)
  connect(fromServer, client)

  function cut (cause: Error = new Error('the link was cut')): void {
    fromClient.die()
    fromServer.die()
    client.receiveEnd(cause)
    server.receiveEnd(cause)
  }

  fromClient.onDeath = cut
  fromServer.onDeath = cut

  return { clock, client, server, fromClient, fromServer, cut }
}

function connect (pipe: Pipe, to: AnyEndpoint): void {
  pipe.onBytes = bytes => { to.receive(bytes) }
  pipe.onEnd = () => { to.receiveEnd() }
}

/** So many megabits per second, as bytes per millisecond. */
export function megabits (perSecond: number): number {
  return perSecond * 125
}
