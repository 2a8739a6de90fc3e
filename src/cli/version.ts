/**
 * @packageDocumentation
 *
 * The version, from the `package.json` of the package that this file is in.
 */

import { readFileSync } from 'node:fs'

export function readVersion (): string {
  // next to src/, or to the dist/ that src/ was built into
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))

      if (name === 'libp2p-muxers' && typeof version === 'string') {
        return version
      }
    } catch {
      // not there
    }
  }

  return 'unknown'
}
