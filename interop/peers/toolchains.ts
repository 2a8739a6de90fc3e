/** Builds the peers' programs with their own toolchains, and tells the versions that their lock files pin. */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

export type Language = 'go' | 'rust' | 'python' | 'js'

const HERE = import.meta.dirname
export const BUILD = path.join(HERE, 'build')

interface Step {
  command: string
  args: string[]
}

interface Toolchain {
  steps: Step[]

  /** How to get what is missing. */
  mend: string
}

const PYTHON = path.join(BUILD, 'python')

const TOOLCHAINS: Record<Language, Toolchain> = {
  go: {
    steps: [{ command: 'go', args: ['build', '-p', '2', '-mod=readonly', '-o', path.join(BUILD, 'go/peer'), '.'] }],
    mend: 'see https://go.dev/doc/install (1.26 or newer; from 1.21 on it gets that by itself, Debian 12 has 1.19)'
  },
  rust: {
    steps: [{ command: 'cargo', args: ['build', '--release', '--locked', '--target-dir', path.join(BUILD, 'rust')] }],
    mend: 'curl --proto "=https" -sSf https://sh.rustup.rs | sh (1.88 or newer; Debian 12 has 1.63)'
  },
  python: {
    steps: [
      { command: 'python3', args: ['-m', 'venv', PYTHON] },
      { command: path.join(PYTHON, 'bin/pip'), args: ['install', '--quiet', '--require-hashes', '-r', 'requirements.txt'] }
    ],
    mend: 'apt-get install python3-venv (3.10 or newer)'
  },
  js: { steps: [], mend: '' }
}

/** Why a program is not there. */
export interface Unbuilt {
  /** There is no toolchain. Where there is one, and it does not build the program, that is a fault of ours. */
  missing: boolean
  reason: string
}

/** Builds the program of a language, where that is possible. */
export async function build (language: Language): Promise<Unbuilt | undefined> {
  const { steps, mend } = TOOLCHAINS[language]

  fs.mkdirSync(BUILD, { recursive: true })

  for (const { command, args } of steps) {
    const failure = await run(command, args, path.join(HERE, language))

    if (failure?.missing === true) {
      return { missing: true, reason: `${failure.reason}: its peers are left out. To have them: ${mend}` }
    } else if (failure !== undefined) {
      return { missing: false, reason: `${failure.reason}\n(it wants: ${mend})` }
    }
  }

  return undefined
}

async function run (command: string, args: string[], cwd: string): Promise<Unbuilt | undefined> {
  return new Promise(resolve => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
    let errors = ''

    child.stderr.on('data', data => { errors = (errors + data.toString()).slice(-2_000) })
    child.on('error', (err: NodeJS.ErrnoException) => {
      resolve(err.code === 'ENOENT' ? { missing: true, reason: `there is no ${command} on this machine` } : { missing: false, reason: err.message })
    })
    child.on('close', code => {
      resolve(code === 0 ? undefined : { missing: false, reason: `(cd ${path.relative('.', cwd)} && ${command} ${args.join(' ')}) failed:\n${errors.trim()}` })
    })
  })
}

/** What the lock file of a language says of a module. */
export function versionOf (language: Language, module: string): string {
  const files: Record<Language, [string, RegExp]> = {
    go: ['go/go.mod', new RegExp(`^\\s*(?:require )?${module} v(\\S+)`, 'm')],
    rust: ['rust/Cargo.lock', new RegExp(`name = "${module.split('@')[0]}"\\nversion = "(${module.split('@')[1] ?? '[^"]+'}[^"]*)"`)],
    python: ['python/requirements.txt', new RegExp(`^${module}==(\\S+)`, 'm')],
    js: ['../../package-lock.json', new RegExp(`"node_modules/${module}": \\{\\s*"version": "([^"]+)"`)]
  }
  const [file, pattern] = files[language]
  const version = pattern.exec(fs.readFileSync(path.join(HERE, file), 'utf8'))?.[1]

  if (version === undefined) {
    throw new Error(`${file} pins no version of ${module}`)
  }

  return version
}
