/** What a case is: two halves that run in two processes, and the figures that come of it. */
import type { LinkName } from '../peers/index.ts'
import type { Session } from '../peers/types.ts'

export type Figures = Record<string, number>

export interface Metric {
  name: string
  title: string
  unit: string
  better: 'higher' | 'lower'
}

export interface Parameters {
  /** How long one sample measures. */
  millis: number
  quick: boolean

  /** Say where the time went, too, which costs some of it. */
  profile?: boolean
}

/** What one half has of the harness. */
export interface Side {
  parameters: Parameters

  /** To the other half, through the process that runs both. */
  tell(message: unknown): void

  /** The next thing that the other half told. */
  hear(): Promise<any>

  /** The connection of this sample, new for each; closed when both halves are done. */
  session(): Promise<Session>
}

export interface BenchCase {
  name: string
  title: string
  links: LinkName[]
  metrics: Metric[]

  /** A shaped link between the two. */
  shape?: LinkShape

  /** How a program in another language is told of this case, and what is made of its answer. */
  native?: NativeCase

  /** About how long a sample takes, for the time left. */
  seconds(parameters: Parameters): number
  server(side: Side): Promise<Figures>
  client(side: Side): Promise<Figures>
}

export interface NativeCase {
  request(parameters: Parameters): NativeRequest

  /** Of both ends together. */
  figures(raw: Figures): Figures
}

export interface NativeRequest {
  kind: 'upload' | 'download' | 'round' | 'ping-pong' | 'open' | 'echo-under-bulk' | 'echo-behind-queue' | 'idle' | 'slow-reader'
  streams: number

  /** Of a message. */
  bytes: number
  millis: number

  /** Not counted, before. */
  rampMillis?: number

  /** Handed over in a single write. */
  queueBytes?: number
}

export interface LinkShape {
  bitsPerSecond: number

  /** Both ways together. */
  roundTripMillis: number
}

export const MIB = 1_048_576
export const GIB = 1_073_741_824
