#!/usr/bin/env node
/**
 * @packageDocumentation
 *
 * The `libp2p-muxers` program: reads the command line, runs one command, turns
 * what comes of it into lines and an exit status. The commands are in the files of
 * their names; this folder uses the muxers as any other program would.
 */

import { HELP, parseCommand } from './args.ts'
import { codeOf, exitCodeOf, EXIT_OK, messageOf } from './errors.ts'
import { onInterrupt } from './interrupt.ts'
import { Progress } from './progress.ts'
import { readVersion } from './version.ts'
import type { Command } from './args.ts'

async function run (command: Command): Promise<void> {
  if (command.name === 'help') {
    process.stdout.write(`${HELP}\n`)
    return
  }

  if (command.name === 'version') {
    process.stdout.write(`${readVersion()}\n`)
    return
  }

  // the commands load libp2p, --help should not wait for that
  if (command.name === 'demo-receiver') {
    const { runDemoReceiver } = await import('./demo-receiver.ts')
    await runDemoReceiver(command.directory, command.muxer)
    return
  }

  const interrupt = onInterrupt()
  const progress = new Progress(process.stdout)

  try {
    switch (command.name) {
      case 'demo': {
        const { runDemo } = await import('./demo.ts')
        await runDemo(command, progress, interrupt.signal)
        break
      }
      case 'receive': {
        const { runReceive } = await import('./receive.ts')
        await runReceive(command, progress, process.stderr, interrupt.signal)
        break
      }
      default: {
        const { runSend } = await import('./send.ts')
        await runSend(command, progress, interrupt.signal)
      }
    }
  } finally {
    interrupt.dispose()
  }
}

async function main (args: string[]): Promise<number> {
  try {
    await run(parseCommand(args))

    return EXIT_OK
  } catch (err) {
    process.stderr.write(`libp2p-muxers: ${messageOf(err)}\n`)

    return exitCodeOf(err)
  }
}

/**
 * A pipe may take output later, and what is not taken at the exit is lost
 */
async function written (output: NodeJS.WriteStream): Promise<void> {
  return new Promise(resolve => {
    output.write('', () => { resolve() })
  })
}

// "libp2p-muxers receive | head" closes our output, that is no error of ours
process.stdout.on('error', (err: Error) => {
  process.exit(codeOf(err) === 'EPIPE' ? EXIT_OK : exitCodeOf(err))
})

const exitCode = await main(process.argv.slice(2))

await Promise.all([written(process.stdout), written(process.stderr)])
// everything is closed and on the disk by now, but libp2p leaves a timer running for
// another second
process.exit(exitCode)
