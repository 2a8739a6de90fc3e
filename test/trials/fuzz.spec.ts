import { expect } from 'aegir/chai'
import { FuzzError, runEpisode } from '../../trials/fuzz/episode.ts'
import { LANGUAGES } from '../../trials/languages.ts'
import type { Engine } from '../../src/core/engine.ts'
import type { Language } from '../../trials/languages.ts'

const EPISODES = 8

/** The same language, but for an engine that cannot bear a ping, or whatever else has this byte in second place. */
function fragile (language: Language, type: number): Language {
  return {
    ...language,

    createEngine (...args): Engine {
      const engine = language.createEngine(...args)
      const receive = engine.receive.bind(engine)

      engine.receive = (bytes, now) => {
        if (bytes[1] === type) {
          throw new RangeError('planted')
        }

        receive(bytes, now)
      }

      return engine
    }
  }
}

describe('trials: fuzz', () => {
  for (const language of LANGUAGES) {
    it(`meets no exception and no broken promise of ${language.name} in its first ${EPISODES} episodes`, function () {
      this.timeout(60_000)

      let inputs = 0

      for (let number = 1; number <= EPISODES; number++) {
        inputs += runEpisode(language, number)
      }

      expect(inputs).to.be.at.least(EPISODES * 100)
    })

    it(`does the same for the same number over ${language.name}`, () => {
      expect(runEpisode(language, 7)).to.equal(runEpisode(language, 7))
    })

    it(`makes what fails in ${language.name} small, and says how to repeat it`, () => {
      const failing = (): unknown => {
        for (let number = 1; number <= 20; number++) {
          runEpisode(fragile(language, 2), number)
        }

        return undefined
      }

      expect(failing).to.throw(FuzzError).with.property('message').that.matches(/^RangeError: planted\nseed \d+, path [\d:]+, (client|server)[^\n]*:(\n {2}[0-9a-f]*; act \d+, choice \d+){1,4}$/)
    })
  }
})
