/*
 * A file that no test imports would not be in the report at all, and one hundred percent of the
 * rest would look like one hundred percent. c8's own answer to that counts files that hold nothing
 * but types as uncovered; loading every file does not.
 */
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

for (const room of ['interface', 'core', 'protocols']) {
  const folder = path.resolve('dist/src', room)

  if (!fs.existsSync(folder)) {
    continue
  }

  for (const name of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.js')) {
      await import(pathToFileURL(path.join(folder, name)).href)
    }
  }
}
