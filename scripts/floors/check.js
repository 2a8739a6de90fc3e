/* eslint-disable no-console */
/*
 * The laws of src/ that neither the compiler nor dependency-cruiser can see: every room has a
 * floor, the sans-I/O floors do not use promises, clocks, chance or output, no file is too long.
 */
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const MAX_LINES = 500
const SANS_IO = 2

const root = path.resolve(fileURLToPath(import.meta.url), '../../..')
const floors = JSON.parse(fs.readFileSync(new URL('./floors.json', import.meta.url), 'utf8'))

// most of these do not compile there either: this names them even where a dependency's types leak
const PLATFORM = new Set([
  'performance', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'console', 'Buffer', 'globalThis'
])
const ASYNCHRONY = new Set([
  'Promise', 'PromiseLike', 'AsyncIterable', 'AsyncIterator', 'AsyncIterableIterator', 'AsyncGenerator',
  'AbortSignal', 'AbortController', 'EventTarget', 'CustomEvent', 'ReadableStream', 'WritableStream'
])

/** @type {string[]} */
const faults = []

/** @param {string} file */
function roomOf (file) {
  return Object.keys(floors).find(room => file === `src/${room}` || file.startsWith(`src/${room}/`))
}

/**
 * @param {string} file
 * @param {string} text
 * @param {boolean} mayPromise
 */
function checkWords (file, text, mayPromise) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)

  /**
   * @param {ts.Node} node
   * @param {string} word
   */
  function fault (node, word) {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart(source))
    faults.push(`${file}:${line + 1}: '${word}' is not for the floors without I/O`)
  }

  /**
   * A field that happens to bear the name of a global is not that global
   *
   * @param {ts.Node} node
   */
  function isMemberName (node) {
    const { parent } = node

    return (ts.isPropertyAccessExpression(parent) || ts.isPropertySignature(parent) || ts.isPropertyDeclaration(parent) ||
      ts.isMethodDeclaration(parent) || ts.isMethodSignature(parent) || ts.isPropertyAssignment(parent)) && parent.name === node
  }

  /** @param {ts.Node} node */
  function visit (node) {
    if (ts.isIdentifier(node) && !isMemberName(node)) {
      if (PLATFORM.has(node.text) || (!mayPromise && ASYNCHRONY.has(node.text))) {
        fault(node, node.text)
      } else if (node.text === 'Date') {
        // new Date() reads the clock as much as Date.now() does
        fault(node, 'Date')
      } else if (node.text === 'Math' && /^Math\s*(\?\.|\.|\[)\s*['"`]?random\b/.test(node.parent.getText(source))) {
        fault(node, 'Math.random')
      }
    } else if (!mayPromise && (node.kind === ts.SyntaxKind.AsyncKeyword || node.kind === ts.SyntaxKind.AwaitKeyword || ts.isAwaitExpression(node))) {
      fault(node, node.kind === ts.SyntaxKind.AsyncKeyword ? 'async' : 'await')
    } else if (node.kind === ts.SyntaxKind.ImportKeyword && ts.isCallExpression(node.parent)) {
      fault(node, 'import()')
    }

    ts.forEachChild(node, visit)
  }

  visit(source)
}

const files = fs.readdirSync(path.join(root, 'src'), { recursive: true, withFileTypes: true })
  .filter(entry => entry.isFile())
  .filter(entry => /\.[cm]?[jt]sx?$/.test(entry.name))
  .map(entry => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
  .sort()

/** @type {Array<{ file: string, lines: number }>} */
const lengths = []

for (const file of files) {
  const room = roomOf(file)

  if (room == null) {
    faults.push(`${file}: this room has no floor in scripts/floors/floors.json`)
  }

  const text = fs.readFileSync(path.join(root, file), 'utf8')
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  lengths.push({ file, lines })

  if (lines > MAX_LINES) {
    faults.push(`${file}: ${lines} lines, ${MAX_LINES} at most`)
  }

  if (room != null && floors[room] <= SANS_IO) {
    checkWords(file, text, room === 'interface')
  }
}

lengths.sort((a, b) => b.lines - a.lines)
console.log(`${lengths.length} source files, the longest: ${lengths.slice(0, 3).map(({ file, lines }) => `${file} (${lines})`).join(', ')}`)

if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exitCode = 1
}
