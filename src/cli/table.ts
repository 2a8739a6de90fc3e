/**
 * @packageDocumentation
 *
 * A short table of names and values, as text.
 */

export function formatTable (rows: string[][]): string {
  const width = Math.max(0, ...rows.map(([name]) => name.length))

  return rows.map(([name, ...values]) => `  ${name.padEnd(width)}  ${values.join('  ')}`.trimEnd()).join('\n')
}
