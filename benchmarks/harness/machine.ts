/** Where figures come from. */
import os from 'node:os'

export interface Machine {
  cores: number
  model: string
  memoryGiB: number
  platform: string
  node: string
  date: string
}

export function machine (): Machine {
  const cpus = os.cpus()

  return {
    cores: cpus.length,
    model: cpus[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    platform: `${os.platform()} ${os.release()} ${os.arch()}`,
    node: process.version,
    date: new Date().toISOString()
  }
}

export function describe (facts: Machine): string {
  return `${facts.cores} cores (${facts.model}), ${facts.memoryGiB} GiB, ${facts.platform}, Node ${facts.node}, ${facts.date.slice(0, 10)}`
}
