/**
 * @packageDocumentation
 *
 * A file on its way to the disk. It grows under a `.part` name that no reader
 * takes for the file, reaches the disk, and only then gets its own name, one that
 * nothing else had: an existing file is never overwritten, not even one that
 * appears while we look for a free name.
 */

import { createHash, randomBytes } from 'node:crypto'
import { link, open, rename, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { CliError, codeOf, fileProblem } from './errors.ts'
import { candidateName, cutBytes } from './file-protocol.ts'
import { formatBytes } from './progress.ts'
import { forgetTemporary, rememberTemporary } from './temporary.ts'

/**
 * Bytes gathered before a write: a system call and a thread hop for each piece of
 * a frame would cost more than the write itself
 */
const WRITE_LENGTH = 512 * 1024

/**
 * Bytes read at a time when a file is hashed again
 */
const READ_LENGTH = 1024 * 1024

/**
 * Names tried before giving up; a directory with so many copies needs its owner
 */
const MAX_ATTEMPTS = 1_000

/**
 * Of the name in a `.part` name, so that the random suffix always fits
 */
const PART_STEM_LENGTH = 200

/**
 * What is needed of an open file, a test can give another
 */
export interface WritableFile {
  writev(pieces: Uint8Array[]): Promise<{ bytesWritten: number }>
  sync(): Promise<void>
  close(): Promise<void>
}

export type OpenFile = (path: string) => Promise<WritableFile>

export interface PartFileOptions {
  directory: string
  name: string
  size: number
  open?: OpenFile
}

export class PartFile {
  readonly path: string
  readonly #directory: string
  readonly #name: string
  readonly #file: WritableFile
  #pieces: Uint8Array[] = []
  #pending = 0
  #open = true

  private constructor (path: string, file: WritableFile, options: PartFileOptions) {
    this.path = path
    this.#file = file
    this.#directory = options.directory
    this.#name = options.name
  }

  static async create (options: PartFileOptions): Promise<PartFile> {
    await checkSpace(options.directory, options.size)

    const path = join(options.directory, `${cutBytes(options.name, PART_STEM_LENGTH)}.${randomBytes(8).toString('hex')}.part`)

    try {
      // 'x' neither follows a link nor opens what is there already
      const file = await (options.open ?? (async path => open(path, 'wx')))(path)
      rememberTemporary(path)

      return new PartFile(path, file, options)
    } catch (err) {
      throw fileProblem(err, 'write to', options.directory)
    }
  }

  /**
   * The bytes must not change afterwards, they are written when enough came together
   */
  async write (bytes: Uint8Array): Promise<void> {
    this.#pieces.push(bytes)
    this.#pending += bytes.byteLength

    if (this.#pending >= WRITE_LENGTH) {
      await this.#flush()
    }
  }

  /**
   * Everything written is on the disk when this resolves, still under the `.part` name
   */
  async finish (): Promise<void> {
    await this.#flush()

    try {
      await this.#file.sync()
      await this.#close()
    } catch (err) {
      throw fileProblem(err, 'write to', this.#directory)
    }
  }

  /**
   * Give the finished file its own name, or the next one that is free
   */
  async publish (): Promise<string> {
    try {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const name = candidateName(this.#name, attempt)

        if (await this.#claim(join(this.#directory, name))) {
          forgetTemporary(this.path)
          await syncDirectory(this.#directory)

          return name
        }
      }
    } catch (err) {
      throw fileProblem(err, 'write to', this.#directory)
    }

    throw new CliError(`cannot store ${this.#name} in ${this.#directory}: there are ${MAX_ATTEMPTS} files of this name; remove some`)
  }

  /**
   * Leave nothing behind
   */
  async discard (): Promise<void> {
    await this.#close().catch(() => {})
    await rm(this.path, { force: true }).catch(() => {})
    forgetTemporary(this.path)
  }

  async #claim (path: string): Promise<boolean> {
    try {
      // unlike a rename, a link fails when the name is taken
      await link(this.path, path)
    } catch (err) {
      if (codeOf(err) === 'EEXIST') {
        return false
      }

      if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL'].includes(codeOf(err))) {
        throw err
      }

      // no hard links here (FAT, some network drives)
      return this.#claimByRename(path)
    }

    // the file is whole and has its name, a second one does no harm
    await rm(this.path, { force: true }).catch(() => {})

    return true
  }

  /**
   * Reserve the name with an empty file of our own and rename over it
   */
  async #claimByRename (path: string): Promise<boolean> {
    try {
      await (await open(path, 'wx')).close()
    } catch (err) {
      if (codeOf(err) === 'EEXIST') {
        return false
      }

      throw err
    }

    try {
      await rename(this.path, path)
    } catch (err) {
      await rm(path, { force: true })
      throw err
    }

    return true
  }

  async #flush (): Promise<void> {
    let pieces = this.#pieces
    this.#pieces = []
    this.#pending = 0

    try {
      while (pieces.length > 0) {
        // a disk that is nearly full takes a part, and says so only to the next write
        const { bytesWritten } = await this.#file.writev(pieces)
        pieces = dropBytes(pieces, bytesWritten)
      }
    } catch (err) {
      throw fileProblem(err, 'write to', this.#directory)
    }
  }

  async #close (): Promise<void> {
    if (this.#open) {
      this.#open = false
      await this.#file.close()
    }
  }
}

/**
 * The SHA-256 of what the disk holds
 */
export async function hashFile (path: string): Promise<Uint8Array> {
  const file = await open(path, 'r')

  try {
    const hash = createHash('sha256')

    for await (const chunk of file.createReadStream({ highWaterMark: READ_LENGTH, autoClose: false })) {
      hash.update(chunk)
    }

    return hash.digest()
  } finally {
    await file.close()
  }
}

/**
 * Fail before gigabytes have travelled in vain. The check cannot be exact: others
 * write to the disk as well, so running full is still expected later
 */
export async function checkSpace (directory: string, size: number): Promise<void> {
  let free: number

  try {
    const { bavail, blocks, bsize } = await statfs(directory)
    // some network file systems do not tell
    free = blocks === 0 ? Infinity : bavail * bsize
  } catch (err) {
    throw fileProblem(err, 'write to', directory)
  }

  if (free < size) {
    throw new CliError(`cannot write to ${directory}: the disk is full, ${formatBytes(size)} are needed and ${formatBytes(free)} are free; free some space or choose another directory`, {
      tell: 'the disk of the receiver is full'
    })
  }
}

function dropBytes (pieces: Uint8Array[], count: number): Uint8Array[] {
  const rest = [...pieces]

  while (rest.length > 0 && count >= rest[0].byteLength) {
    count -= rest[0].byteLength
    rest.shift()
  }

  if (count > 0 && rest.length > 0) {
    rest[0] = rest[0].subarray(count)
  }

  return rest
}

/**
 * The new name is an entry of the directory, it survives a power cut only when the
 * directory has reached the disk too. Not every system can do that
 */
async function syncDirectory (directory: string): Promise<void> {
  try {
    const handle = await open(directory, 'r')

    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch {
    // the file is whole, which is what the receipt promises
  }
}
