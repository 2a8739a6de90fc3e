/** Two engines and the link between them. */
import { VirtualClock } from './clock.ts'
import { Endpoint } from './endpoint.ts'
import { Pipe } from './pipe.ts'
import type { PipeOptions } from './pipe.ts'
import type { YamuxOptions } from '../../../src/protocols/yamux/config.ts'

export interface PairOptions {
  /** Of both directions. */
  link?: PipeOptions
  clientOptions?: YamuxOptions
  serverOptions?: YamuxOptions
}

export interface Pair {
  clock: VirtualClock
  client: Endpoint
  server: Endpoint

  /** Where the bytes of each go. */
  fromClient: Pipe
  fromServer: Pipe

  /** Cuts the link: whatever is on its way is lost, and both ends are told. */
  cut(cause?: Error): void
}

export function createPair (options: PairOptions = {}): Pair {
  const clock = new VirtualClock()
  const fromClient = new Pipe(clock, options.link)
  const fromServer = new Pipe(clock, options.link)
  const client = new Endpoint('client', 'client', clock, fromClient, options.clientOptions ?? {})
  const server = new Endpoint('server', 'server', clock, fromServer, options.serverOptions ?? {})

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

function connect (pipe: Pipe, to: Endpoint): void {
  pipe.onBytes = bytes => { to.receive(bytes) }
  pipe.onEnd = () => { to.receiveEnd() }
}

/** So many megabits per second, as bytes per millisecond. */
export function megabits (perSecond: number): number {
  return perSecond * 125
}
