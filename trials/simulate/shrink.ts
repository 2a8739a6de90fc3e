/** Makes a plan that fails shorter, as long as it fails in the same way. */
import { runPlan } from '../../test/simulation/kit/random-operations.ts'
import type { Plan } from '../../test/simulation/kit/random-operations.ts'

/** A run takes some milliseconds; most plans are short after far fewer. */
const MAX_RUNS = 2_000

/** Which numbers a failure names changes as the plan gets shorter. */
function kindOf (err: Error): string {
  return err.message.replaceAll(/[\d.]+/g, 'N')
}

export function failureOf (plan: Plan, log?: (line: string) => void): Error | undefined {
  try {
    runPlan(plan, log)

    return undefined
  } catch (err: any) {
    return err
  }
}

export function shrink (plan: Plan, run: (plan: Plan) => Error | undefined = failureOf): Plan {
  const failure = run(plan)

  if (failure === undefined) {
    return plan
  }

  const kind = kindOf(failure)
  let runs = 0

  const fails = (candidate: Plan): boolean => {
    const err = runs++ < MAX_RUNS ? run(candidate) : undefined

    return err !== undefined && kindOf(err) === kind
  }

  let best = plan

  for (const simpler of [{ plainLink: true }, { plainOptions: true }, { ending: 'finish' as const }]) {
    best = fails({ ...best, ...simpler }) ? { ...best, ...simpler } : best
  }

  // leaves out half of the steps, then quarters, and so on, until not a single one can go
  for (let size = Math.ceil(best.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.steps.length;) {
      const candidate = { ...best, steps: best.steps.toSpliced(at, size) }

      if (fails(candidate)) {
        best = candidate
      } else {
        at += size
      }
    }
  }

  return best
}
