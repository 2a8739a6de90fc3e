/** One of the two processes of a run: a peer at one end, which runs its half of a case whenever it is told to. */
import { CASES } from '../cases/index.ts'
import { PEERS } from '../peers/index.ts'
import { Arrivals } from '../peers/types.ts'
import { SampleProfiler } from './profile.ts'
import type { Figures, Parameters, Side } from '../cases/types.ts'
import type { LinkName } from '../peers/index.ts'
import type { Address, Session } from '../peers/types.ts'

export type Role = 'server' | 'client'

export interface RunMessage {
  type: 'run'
  case: string
  parameters: Parameters

  /** Of the server, or of a link in front of it. */
  address?: Address
}

export type ToWorker =
  RunMessage |
  { type: 'told', message: unknown } |
  // both halves are done: while one still sends, the other must not close
  { type: 'close' }

export type FromWorker =
  { type: 'listening', address?: Address } |
  { type: 'started' } |
  { type: 'tell', message: unknown } |
  { type: 'figures', figures: Figures } |
  { type: 'failed', reason: string }

const [role, peerName, link] = process.argv.slice(2) as [Role, string, LinkName]

function report (message: FromWorker): void {
  process.send?.(message)
}

function fail (err: any): void {
  report({ type: 'failed', reason: err?.message ?? String(err) })
}

async function main (): Promise<void> {
  const info = PEERS.find(({ name }) => name === peerName)

  if (info?.create === undefined) {
    throw new Error(`there is no peer ${peerName} in JavaScript`)
  }

  const peer = await info.create(link)
  const server = role === 'server' ? await peer.listen() : undefined
  let heard = new Arrivals<unknown>()
  let sessions: Session[] = []

  async function run (message: RunMessage): Promise<void> {
    const benchCase = CASES.find(({ name }) => name === message.case)

    if (benchCase === undefined) {
      throw new Error(`there is no case ${message.case}`)
    }

    const side: Side = {
      parameters: message.parameters,
      tell: told => {
        report({ type: 'tell', message: told })
      },
      hear: async () => heard.next(),
      session: async () => {
        const session = await (server?.accept() ?? peer.connect(message.address as Address))

        sessions.push(session)

        return session
      }
    }

    const profiler = message.parameters.profile ? new SampleProfiler() : undefined

    await profiler?.start()

    const figures = benchCase[role](side)

    report({ type: 'started' })

    const measured = await figures

    report({ type: 'figures', figures: { ...measured, ...await profiler?.stop(role) } })
  }

  process.on('message', (message: ToWorker) => {
    if (message.type === 'run') {
      run(message).catch(fail)
    } else if (message.type === 'told') {
      heard.add(message.message)
    } else {
      for (const session of sessions) {
        session.close()
      }

      // what this sample left unheard is not for the next
      sessions = []
      heard = new Arrivals()
    }
  })
  report({ type: 'listening', address: server?.address })
}

// a parent that died leaves nobody behind
process.on('disconnect', () => {
  process.exit()
})
process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)

main().catch(fail)
