/** Our application and those of our programs in Go and Rust, each as dialer and as listener: `npm run interop:transport`. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { BUILD, build } from '../peers/toolchains.ts'
import { Redis } from './redis.ts'
import type { Language } from '../peers/toolchains.ts'
import type { ChildProcess } from 'node:child_process'

interface App {
  name: string
  language: Language
  command: string[]
}

const APPS: App[] = [
  { name: 'ours', language: 'js', command: [process.execPath, path.join(import.meta.dirname, 'app.ts')] },
  { name: 'go', language: 'go', command: [path.join(BUILD, 'go/peer'), 'transport-test'] },
  { name: 'rust', language: 'rust', command: [path.join(BUILD, 'rust/release/peer'), 'transport-test'] }
]

const PATIENCE_MILLIS = 30_000

function print (text: string): void {
  process.stdout.write(`${text}\n`)
}

async function freePort (): Promise<number> {
  return new Promise(resolve => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo

      server.close(() => { resolve(port) })
    })
  })
}

/** A Redis of our own, which keeps nothing. */
async function startRedis (folder: string): Promise<{ address: string, stop(): void }> {
  const port = await freePort()
  const child = spawn('redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder], { stdio: ['ignore', 'pipe', 'inherit'] })

  await new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', code => { reject(new Error(`redis-server ended with ${code}`)) })
    child.stdout.on('data', data => {
      if (data.toString().includes('Ready to accept connections')) {
        resolve()
      }
    })
  })

  return { address: `127.0.0.1:${port}`, stop: () => { child.kill() } }
}

function start (app: App, dials: boolean, muxer: string, redis: string, key: string): ChildProcess {
  const [program, ...args] = app.command

  return spawn(program, args, {
    // listeners end with their standard input, or are killed
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      IS_DIALER: `${dials}`,
      REDIS_ADDR: redis,
      TEST_KEY: key,
      TRANSPORT: 'tcp',
      SECURE_CHANNEL: 'noise',
      MUXER: muxer,
      // as the project always has it
      LISTENER_IP: '0.0.0.0'
    }
  })
}

function keyOf (name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 8)
}

function listOf (key: string): string {
  return `${key}_listener_multiaddr`
}

/** Hands the listener's address on to the dialer, which may wait for it already. Throws when others could not reach it. */
async function tell (redis: string, listenerKey: string, dialerKey: string): Promise<void> {
  const store = new Redis(redis)

  try {
    const [, address = 'nothing'] = await store.call('BLPOP', listOf(listenerKey), `${PATIENCE_MILLIS / 1_000}`)

    await store.call('RPUSH', listOf(dialerKey), address)

    if (address.startsWith('/ip4/127.') && othersCanReachUs()) {
      throw new Error(`the listener has told ${address}, where applications on other machines do not find it`)
    }
  } finally {
    store.close()
  }
}

function othersCanReachUs (): boolean {
  return Object.values(os.networkInterfaces()).flat().some(one => one?.family === 'IPv4' && !one.internal)
}

/** What the dialer printed. Throws unless it ended with code 0 and what it printed is as the contract has it. */
async function meet (dialer: App, listener: App, muxer: string, redis: string): Promise<string> {
  const key = keyOf(`${dialer.name} x ${listener.name} (${muxer})`)
  const listenerKey = keyOf(`${listener.name} (${muxer})`)
  const listening = start(listener, false, muxer, redis, listenerKey)
  const dialing = start(dialer, true, muxer, redis, key)
  const told = tell(redis, listenerKey, key)

  // looked at when the dialer has come to its end
  told.catch(() => {})

  const timer = setTimeout(() => { dialing.kill('SIGKILL') }, PATIENCE_MILLIS)
  let output = ''
  let errors = ''

  listening.stderr?.on('data', data => { errors += data })
  dialing.stderr?.on('data', data => { errors += data })
  dialing.stdout?.on('data', data => { output += data })

  try {
    const code = await new Promise(resolve => {
      dialing.on('error', resolve)
      dialing.on('close', resolve)
    })

    if (code !== 0 || !/^latency:\n {2}handshake_plus_one_rtt: [\d.]+\n {2}ping_rtt: [\d.]+\n {2}unit: ms\n$/.test(output)) {
      throw new Error(`the dialer ended with ${code} and printed ${JSON.stringify(output)}; ${errors.slice(-600)}`)
    }

    await told
  } finally {
    clearTimeout(timer)
    listening.kill('SIGKILL')

    const store = new Redis(redis)

    await store.call('DEL', listOf(key), listOf(listenerKey))
    store.close()
  }

  return output.replaceAll(/latency:|unit: ms|\s+/g, ' ').trim()
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'transport-test-'))
let failed = 0
let passed = 0
let redis: Awaited<ReturnType<typeof startRedis>> | undefined

try {
  redis = await startRedis(folder)

  const unbuilt = new Set<Language>()

  for (const { language } of APPS) {
    const why = await build(language)

    if (why !== undefined) {
      unbuilt.add(language)
      failed += why.missing ? 0 : 1
      print(`${why.missing ? 'MISSING' : 'FAILED'} ${why.reason}`)
    }
  }

  const apps = APPS.filter(({ language }) => !unbuilt.has(language))

  for (const muxer of ['yamux', 'mplex']) {
    for (const [dialer, listener] of apps.flatMap(one => apps.map(other => [one, other])).filter(pair => pair.some(({ name }) => name === 'ours'))) {
      try {
        print(`ok     ${`${dialer.name} x ${listener.name} (tcp, noise, ${muxer})`.padEnd(40)} ${await meet(dialer, listener, muxer, redis.address)}`)
        passed++
      } catch (err: any) {
        print(`FAILED ${dialer.name} x ${listener.name} (tcp, noise, ${muxer}): ${err.message}`)
        failed++
      }
    }
  }

  print(`\n${passed} passed, ${failed} failed`)
} catch (err: any) {
  failed++
  print(err.code === 'ENOENT' ? 'MISSING there is no redis-server on this machine: nothing was tried. To have it: apt-get install redis-server' : err.stack)
} finally {
  redis?.stop()
  fs.rmSync(folder, { recursive: true, force: true })
}

process.exit(failed === 0 ? 0 : 1)
