/** All scenarios, in the order of the table. */
import { ENDINGS } from './endings.ts'
import { PACE } from './pace.ts'
import { TRANSFER } from './transfer.ts'
import type { Scenario } from './types.ts'

export const SCENARIOS: Scenario[] = [...TRANSFER, ...PACE, ...ENDINGS]
