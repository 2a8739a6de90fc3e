/** Whether something is still held: the garbage collector knows best. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { turn } from './waiting.ts'

let collect: (() => void) | undefined

/** How many of these are still reachable. */
export async function countReachable (refs: Array<WeakRef<object>>): Promise<number> {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }

  // a target is kept alive until the turn in which it was made, or looked at, has ended
  await turn()
  collect()

  return refs.filter(ref => ref.deref() !== undefined).length
}
