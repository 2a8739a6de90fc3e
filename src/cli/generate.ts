/**
 * @packageDocumentation
 *
 * Makes the file of the demonstration: bytes that nothing on the way can compress
 * or guess, the same ones every time, faster than a disk takes them.
 */

import { createCipheriv } from 'node:crypto'
import { open } from 'node:fs/promises'
import { fileProblem } from './errors.ts'

const CHUNK_LENGTH = 1024 * 1024

/**
 * The key stream of AES in counter mode under a fixed key
 */
export function * pseudoRandom (size: number): Generator<Uint8Array> {
  const cipher = createCipheriv('aes-256-ctr', new Uint8Array(32).fill(0x6d), new Uint8Array(16))
  const zeros = new Uint8Array(Math.min(size, CHUNK_LENGTH))

  for (let made = 0; made < size; made += zeros.byteLength) {
    yield cipher.update(zeros.subarray(0, Math.min(zeros.byteLength, size - made)))
  }
}

export async function generateFile (path: string, size: number, signal: AbortSignal): Promise<void> {
  try {
    const file = await open(path, 'wx')

    try {
      for (const chunk of pseudoRandom(size)) {
        signal.throwIfAborted()
        await file.writeFile(chunk)
      }
    } finally {
      await file.close()
    }
  } catch (err) {
    throw fileProblem(err, 'write to', path)
  }
}
