/** A command that something keeps alive, and that says more than a pipe takes at once. */
import { print, runCommand } from '../../../trials/command.ts'

await runCommand({
  help: '',
  names: [],

  run: () => {
    setInterval(() => {}, 1_000)
    print(`${'-'.repeat(1_000_000)}\nFAILED: the end\n`)

    return false
  }
})
