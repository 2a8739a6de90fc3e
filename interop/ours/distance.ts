/** Distance between two ends on one machine: what goes by this way arrives so much later, whole and in order. */
import net from 'node:net'

export interface Distance {
  /** Where the far end is found by this way. */
  address: string
  stop(): void
}

/** Of `127.0.0.1:PORT`, or of a multiaddr. */
const PORT = /(?<=^127\.0\.0\.1:|\/tcp\/)\d+/

/** The way to a listener, `millis` long in each direction, and as wide as one likes. */
export async function distanceTo (address: string, millis: number): Promise<Distance> {
  const sockets: net.Socket[] = []
  const server = net.createServer(OPTIONS, near => {
    const far = net.connect({ host: '127.0.0.1', port: Number(PORT.exec(address)?.[0]), ...OPTIONS })

    sockets.push(near, far)
    carry(near, far, millis)
    carry(far, near, millis)
  })

  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })

  return {
    address: address.replace(PORT, `${(server.address() as net.AddressInfo).port}`),
    stop () {
      server.close()
      sockets.forEach(socket => { socket.destroy() })
    }
  }
}

const OPTIONS = { allowHalfOpen: true, noDelay: true }

/** Nobody is told to wait: more than the windows of the streams is never under way. */
function carry (from: net.Socket, to: net.Socket, millis: number): void {
  const underWay: Array<() => void> = []

  const later = (arrive: () => void): void => {
    underWay.push(arrive)
    // timers do not promise to keep an order
    setTimeout(() => { underWay.shift()?.() }, millis)
  }

  from.on('data', data => { later(() => { to.write(data) }) })
  from.on('end', () => { later(() => { to.end() }) })
  // 'close' comes next
  from.on('error', () => {})
  from.on('close', () => { later(() => { to.destroySoon() }) })
}
