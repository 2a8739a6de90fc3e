/** What an entry point weighs in a browser: bundled, minified, compressed. */
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

export interface Bundle {
  title: string

  /** Of its own code: what it imports is not in it, as an application of libp2p has most of that anyway. */
  ownBytes: number
  ownGzipBytes: number

  /** With all that it imports. */
  wholeBytes: number
  wholeGzipBytes: number
}

const ROOT = path.join(import.meta.dirname, '../..')

/** An entry point, and the function of it that a user calls: what that does not need is shaken off. */
const ENTRIES = [
  { title: 'libp2p-muxers/yamux', from: './src/yamux.ts', name: 'yamux' },
  { title: 'libp2p-muxers/mplex', from: './src/mplex.ts', name: 'mplex' },
  { title: 'libp2p-muxers, muxedConnection()', from: './src/index.ts', name: 'muxedConnection' },
  { title: 'libp2p-muxers/interface', from: './src/interface/index.ts', name: '*' },
  { title: 'libp2p-muxers/web', from: './src/transports/web.ts', name: 'toMessageStream' },
  { title: 'libp2p-muxers/node', from: './src/transports/node.ts', name: 'toMessageStream' },
  { title: '@libp2p/yamux', from: '@libp2p/yamux', name: 'yamux' },
  { title: '@chainsafe/libp2p-yamux', from: '@chainsafe/libp2p-yamux', name: 'yamux' },
  { title: '@libp2p/mplex', from: '@libp2p/mplex', name: 'mplex' }
]

export async function bundles (): Promise<Bundle[]> {
  return Promise.all(ENTRIES.map(async ({ title, from, name }) => {
    const own = await bundle(from, name, true)
    const whole = await bundle(from, name, false)

    return {
      title,
      ownBytes: own.byteLength,
      ownGzipBytes: gzipSync(own, { level: 9 }).byteLength,
      wholeBytes: whole.byteLength,
      wholeGzipBytes: gzipSync(whole, { level: 9 }).byteLength
    }
  }))
}

async function bundle (from: string, name: string, own: boolean): Promise<Uint8Array> {
  const result = await build({
    stdin: { contents: `export ${name === '*' ? name : `{ ${name} }`} from '${from}'`, resolveDir: ROOT },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    // of the entry point for Node.js, which has them
    external: ['node:*'],
    logLevel: 'silent',
    plugins: own
      ? [{
          name: 'own-code-only',
          setup (build) {
            build.onResolve({ filter: /^[^./]/ }, ({ path: wanted }) => wanted === from ? undefined : { path: wanted, external: true })
          }
        }]
      : []
  })

  return result.outputFiles[0].contents
}
