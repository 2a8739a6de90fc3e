import type { LinkShape } from '../cases/types.ts'
import type { Address } from '../peers/types.ts'

export interface ShapedLink {
  to(address: Address): Promise<Address>
  stop(): void
}

export function connectThrough (shape: LinkShape): ShapedLink {
  return { to: async address => address, stop () {} }
}
