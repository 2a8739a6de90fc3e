import { expect } from 'aegir/chai'
import { Episode } from '../../trials/fuzz/episode.ts'
import { LANGUAGES } from '../../trials/languages.ts'

const EPISODES = 400

describe('trials: fuzz', () => {
  for (const language of LANGUAGES) {
    it(`meets no exception and no broken promise of ${language.name} in its first ${EPISODES} connections`, () => {
      let inputs = 0

      for (let number = 1; number <= EPISODES; number++) {
        const episode = new Episode(language, number)

        episode.run()
        inputs += episode.inputs
      }

      expect(inputs).to.be.at.least(EPISODES * 4)
    })

    it(`does the same for the same number over ${language.name}`, () => {
      const [one, other] = [new Episode(language, 7), new Episode(language, 7)]

      one.run()
      other.run()

      expect(other.inputs).to.equal(one.inputs)
      expect(other.input).to.deep.equal(one.input)
    })
  }
})
