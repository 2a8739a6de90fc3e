import { MPLEX_ONLY } from './mplex.ts'
import { SHARED } from './shared.ts'
import { YAMUX_ONLY } from './yamux.ts'
import type { Attack } from '../types.ts'

export const ATTACKS: Attack[] = [...SHARED, ...YAMUX_ONLY, ...MPLEX_ONLY]
