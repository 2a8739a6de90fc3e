/** How an attack on ours ends, in the words of the table. */
import type { RateName } from '../../src/core/budgets.ts'

export const GOES_ON = 'goes on'
export const PROTOCOL = 'closed, ProtocolError'

export function overBudget (name: RateName | 'replies'): string {
  return `closed, budget \`${name}\``
}
