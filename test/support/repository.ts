/** Files of this repository for tests, which run in `dist/` and look at what is beside it. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds our sources: above this file, with or without `dist/` between. */
function findRoot (): string {
  let folder = dirname(fileURLToPath(import.meta.url))

  // what the build makes has a package.json and a src as well, but no source in it
  while (!existsSync(join(folder, 'src', 'index.ts'))) {
    if (dirname(folder) === folder) {
      throw new Error('no folder above this file holds src/index.ts')
    }

    folder = dirname(folder)
  }

  return folder
}

export const root = findRoot()

export function readText (...path: string[]): string {
  return readFileSync(join(root, ...path), 'utf8')
}
