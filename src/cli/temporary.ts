/**
 * @packageDocumentation
 *
 * Remembers temporary files and directories, and removes what is left of them
 * when the process exits in a way that runs no `finally`: a second Ctrl-C, an
 * uncaught exception.
 */

import { rmSync } from 'node:fs'

const paths = new Set<string>()
let listening = false

export function rememberTemporary (path: string): void {
  paths.add(path)

  if (!listening) {
    listening = true
    process.once('exit', removeTemporaries)
  }
}

export function forgetTemporary (path: string): void {
  paths.delete(path)
}

export function removeTemporaries (): void {
  for (const path of paths) {
    try {
      // a file that was being opened may come into a directory while it is emptied
      rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 10 })
    } catch {
      // nobody is left to tell
    }
  }

  paths.clear()
}
