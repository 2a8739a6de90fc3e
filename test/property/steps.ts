/** What happens in a world, drawn at random. */
import fc from 'fast-check'

/** What happens, as it is printed when something went wrong: paste the lines into a test to see it happen again. */
export class Step {
  readonly name: string
  readonly args: number[]

  constructor (name: string, args: number[]) {
    this.name = name
    this.args = args
  }

  run (world: any): void {
    world[this.name](...this.args)
  }

  toString (): string {
    return `world.${this.name}(${this.args.join(', ')})`
  }
}

export function step<World> (weight: number, name: keyof World & string, ...args: Array<fc.Arbitrary<number>>): fc.WeightedArbitrary<Step> {
  return { weight, arbitrary: fc.tuple(...args).map(args => new Step(name, args)) }
}
