/** The process that attacks: one attack against one port, then it stays until it is told to go. */
import { ATTACKS } from './catalogue/index.ts'
import { DIALECTS } from './dialects.ts'
import { Wire } from './wire.ts'
import type { FromAttacker, Language } from './types.ts'

const REPORT_MILLIS = 100

const [name, language, port] = process.argv.slice(2)

function report (message: FromAttacker): void {
  process.send?.(message)
}

async function main (): Promise<void> {
  const attack = ATTACKS.find(each => each.name === name)

  if (attack === undefined) {
    throw new Error(`there is no attack ${name}`)
  }

  const wire = await Wire.connect(Number(port), language as Language, what => {
    report({ type: 'told', what })
  })

  if (attack.deaf === true) {
    // once it is over: what was said last may lie in the socket
    process.once('message', () => {
      wire.listen()
    })
  } else {
    wire.listen()
  }

  const timer = setInterval(() => {
    report({ type: 'sent', bytes: wire.sent })
  }, REPORT_MILLIS)

  await attack.run(wire, DIALECTS[language as Language])
  clearInterval(timer)
  report({ type: 'done', bytes: wire.sent, closed: wire.closed })
}

process.on('disconnect', () => {
  process.exit()
})

main().catch(err => {
  process.stderr.write(`${err.stack}\n`)
  process.exit(1)
})
