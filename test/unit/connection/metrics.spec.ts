import { noise } from '@chainsafe/libp2p-noise'
import { defaultLogger } from '@libp2p/logger'
import { prometheusMetrics } from '@libp2p/prometheus-metrics'
import { tcp } from '@libp2p/tcp'
import { expect } from 'aegir/chai'
import { createLibp2p } from 'libp2p'
import { Registry } from 'prom-client'
import { yamux } from '../../../src/yamux.ts'
import { pattern } from '../../support/frames.ts'
import { memoryLink } from '../../support/memory-link.ts'
import { noUnhandledRejections, turn, until } from '../../support/waiting.ts'
import type { MuxedConnection } from '../../../src/connection/connection.ts'
import type { YamuxComponents, YamuxOptions } from '../../../src/yamux.ts'
import type { Libp2p, Metrics } from '@libp2p/interface'

interface Scrape {
  /** By what prometheus prints: name, then labels in braces. */
  values: Record<string, number>
  types: Record<string, string>
}

async function scrape (registry: Registry): Promise<Scrape> {
  const lines = (await registry.metrics()).split('\n')
  const split = (line: string): [string, string] => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]

  return {
    values: Object.fromEntries(lines.filter(line => /^libp2p_yamux_/.test(line)).map(split).map(([name, value]) => [name, Number(value)])),
    types: Object.fromEntries(lines.filter(line => /^# TYPE libp2p_yamux_/.test(line)).map(line => split(line.slice(7))))
  }
}

function createMetrics (registry: Registry): Metrics {
  return prometheusMetrics({ registry, collectDefaultMetrics: false })({ logger: defaultLogger() })
}

describe('metrics', () => {
  noUnhandledRejections()

  let registry: Registry
  let metrics: Metrics
  const open: MuxedConnection[] = []

  /** The dialler counts, the listener does not unless it is given something to count with. */
  async function connect (components?: YamuxComponents, options: YamuxOptions = {}, listening?: YamuxComponents): Promise<[MuxedConnection, MuxedConnection]> {
    const link = memoryLink()
    const quiet = { enableKeepAlive: false, ...options }
    const pair: [MuxedConnection, MuxedConnection] = [
      await yamux(quiet)(components).multiplex(link.outbound),
      await yamux(quiet)(listening).multiplex(link.inbound)
    ] as any

    open.push(...pair)

    return pair
  }

  beforeEach(() => {
    registry = new Registry()
    metrics = createMetrics(registry)
  })

  afterEach(() => {
    for (const connection of open.splice(0)) {
      connection.abort(new Error('the test is over'))
    }
  })

  it('have libp2p\'s names, a type and all their labels before anything has happened', async () => {
    yamux()({ metrics })

    const { types, values } = await scrape(registry)

    expect(types).to.deep.equal({
      libp2p_yamux_streams_opened_total: 'counter',
      libp2p_yamux_streams_closed_total: 'counter',
      libp2p_yamux_streams_refused_total: 'counter',
      libp2p_yamux_streams_reset_total: 'counter',
      libp2p_yamux_data_bytes_total: 'counter',
      libp2p_yamux_frames_total: 'counter',
      libp2p_yamux_window_updates_total: 'counter',
      libp2p_yamux_pings_total: 'counter',
      libp2p_yamux_stalls_total: 'counter',
      libp2p_yamux_stalled_seconds_total: 'counter',
      libp2p_yamux_streams_active: 'gauge',
      libp2p_yamux_queued_bytes: 'gauge',
      libp2p_yamux_connections: 'gauge',
      libp2p_yamux_round_trip_seconds: 'histogram'
    })
    expect(values).to.include({
      'libp2p_yamux_streams_opened_total{direction="inbound"}': 0,
      'libp2p_yamux_streams_opened_total{direction="outbound"}': 0,
      'libp2p_yamux_streams_reset_total{origin="remote"}': 0,
      'libp2p_yamux_data_bytes_total{direction="sent"}': 0,
      libp2p_yamux_stalls_total: 0
    })
  })

  it('say what stats() says, summed over connections', async () => {
    const pairs = [await connect({ metrics }), await connect({ metrics }), await connect({ metrics })]

    for (const [dialer, listener] of pairs) {
      const stream = await dialer.newStream()
      const accepted = await listener.acceptStream()

      await stream.write(pattern(1_000))
      await accepted.read({ bytes: 1_000 })
      await accepted.write(pattern(10))
      await stream.read({ bytes: 10 })
      await dialer.ping()
    }

    const { values } = await scrape(registry)
    const sum = (read: (stats: ReturnType<MuxedConnection['stats']>) => number): number => pairs.reduce((sum, [dialer]) => sum + read(dialer.stats()), 0)

    expect(values).to.include({
      libp2p_yamux_connections: 3,
      'libp2p_yamux_streams_opened_total{direction="outbound"}': 3,
      'libp2p_yamux_streams_opened_total{direction="inbound"}': 0,
      'libp2p_yamux_streams_active{direction="outbound"}': 3,
      'libp2p_yamux_data_bytes_total{direction="sent"}': 3_000,
      'libp2p_yamux_data_bytes_total{direction="received"}': 30,
      'libp2p_yamux_frames_total{direction="sent"}': sum(stats => stats.framesSent),
      'libp2p_yamux_frames_total{direction="received"}': sum(stats => stats.framesReceived),
      'libp2p_yamux_window_updates_total{direction="sent"}': sum(stats => stats.windowUpdatesSent),
      'libp2p_yamux_pings_total{direction="sent"}': sum(stats => stats.pingsSent),
      libp2p_yamux_stalls_total: 0
    })
    expect(values.libp2p_yamux_round_trip_seconds_count).to.be.at.least(3)
    expect(values.libp2p_yamux_round_trip_seconds_sum).to.be.below(3)
  })

  it('count what came since, however often they are read', async () => {
    const [dialer, listener] = await connect({ metrics })
    const sent: number[] = []

    for (let i = 0; i < 3; i++) {
      const stream = await dialer.newStream()

      await stream.write(pattern(100))
      await (await listener.acceptStream()).read({ bytes: 100 })
      sent.push((await scrape(registry)).values['libp2p_yamux_data_bytes_total{direction="sent"}'])
      sent.push((await scrape(registry)).values['libp2p_yamux_data_bytes_total{direction="sent"}'])
    }

    expect(sent).to.deep.equal([100, 100, 200, 200, 300, 300])
  })

  it('keep what closed connections had counted, to the last frame', async () => {
    const [first, listener] = await connect({ metrics })
    const stream = await first.newStream()

    await stream.write(pattern(500))
    await (await listener.acceptStream()).read({ bytes: 500 })

    const before = (await scrape(registry)).values

    await first.close()
    await connect({ metrics })

    const { values } = await scrape(registry)
    const frames = 'libp2p_yamux_frames_total{direction="sent"}'

    expect(values).to.include({
      libp2p_yamux_connections: 1,
      'libp2p_yamux_streams_opened_total{direction="outbound"}': 1,
      'libp2p_yamux_streams_closed_total{direction="outbound"}': 1,
      'libp2p_yamux_streams_active{direction="outbound"}': 0,
      'libp2p_yamux_data_bytes_total{direction="sent"}': 500,
      libp2p_yamux_queued_bytes: 0
    })
    expect(values[frames]).to.equal(first.stats().framesSent + (open.at(-2)?.stats().framesSent ?? NaN))
    expect(values[frames]).to.be.above(before[frames])
  })

  it('count connections that nobody looked at while they were open, and those that break', async () => {
    const [dialer, listener] = await connect({ metrics })

    await dialer.newStream()
    await listener.acceptStream()
    dialer.abort(new Error('enough'))

    expect((await scrape(registry)).values).to.include({
      libp2p_yamux_connections: 0,
      'libp2p_yamux_streams_opened_total{direction="outbound"}': 1,
      'libp2p_yamux_streams_closed_total{direction="outbound"}': 1,
      'libp2p_yamux_streams_active{direction="outbound"}': 0
    })
  })

  it('tell resets and refusals by who made them', async () => {
    const [dialer, listener] = await connect({ metrics }, { maxOutboundStreams: 3 })
    const ours = await dialer.newStream()
    const theirs = await dialer.newStream()

    await listener.acceptStream()
    ours.reset();
    (await listener.acceptStream()).reset()
    await until(() => theirs.status === 'reset')
    await Promise.all([dialer.newStream(), dialer.newStream(), dialer.newStream()])
    await expect(dialer.newStream()).to.eventually.be.rejected().with.property('name', 'TooManyOutboundProtocolStreamsError')

    expect((await scrape(registry)).values).to.include({
      'libp2p_yamux_streams_reset_total{origin="local"}': 1,
      'libp2p_yamux_streams_reset_total{origin="remote"}': 1,
      'libp2p_yamux_streams_refused_total{direction="outbound"}': 1,
      'libp2p_yamux_streams_refused_total{direction="inbound"}': 0
    })
  })

  it('show bytes that wait for credit, and count the wait', async () => {
    const [dialer, listener] = await connect({ metrics })
    const stream = await dialer.newStream()
    const accepted = await listener.acceptStream()

    stream.send(pattern(300_000))
    await turn()
    expect((await scrape(registry)).values).to.include({ libp2p_yamux_queued_bytes: 300_000 - 262_144, libp2p_yamux_stalls_total: 1 })

    await accepted.read({ bytes: 300_000 })
    expect((await scrape(registry)).values).to.include({ libp2p_yamux_queued_bytes: 0, libp2p_yamux_stalls_total: 1 })
  })

  it('of several factories on the same metrics are counted together', async () => {
    await connect({ metrics }, {}, { metrics })
    await connect({ metrics }, { maxMessageSize: 1_024 })

    expect((await scrape(registry)).values.libp2p_yamux_connections).to.equal(3)
  })

  it('of nodes with metrics of their own are counted apart', async () => {
    const other = new Registry()

    await connect({ metrics })
    await connect({ metrics: createMetrics(other) })
    await connect({ metrics })

    expect((await scrape(registry)).values.libp2p_yamux_connections).to.equal(2)
    expect((await scrape(other)).values.libp2p_yamux_connections).to.equal(1)
  })

  it('are no condition: a muxer runs without components, and with components that have none', async () => {
    for (const components of [undefined, {}, { metrics: undefined }]) {
      const [dialer] = await connect(components)

      expect(await dialer.ping()).to.be.at.least(0)
    }

    expect((await scrape(registry)).values).to.deep.equal({})
  })

  it('that throw are logged, and cost no answer to a ping', async () => {
    const link = memoryLink()
    const errors: string[] = []
    const log = Object.assign(() => {}, link.outbound.log, {
      error: (message: string, err: Error) => { errors.push(message.replace('%e', err.message)) },
      newScope: () => log
    })

    Object.defineProperty(link.outbound, 'log', { value: log })

    const broken = Object.assign(Object.create(metrics), {
      registerHistogram: () => ({ observe: () => { throw new Error('out of order') } })
    })
    const dialer: MuxedConnection = await yamux({ enableKeepAlive: false })({ metrics: broken }).multiplex(link.outbound) as any
    const listener: MuxedConnection = await yamux({ enableKeepAlive: false })().multiplex(link.inbound) as any

    open.push(dialer, listener)
    expect(await dialer.ping()).to.be.at.least(0)
    await dialer.close()
    expect(errors.length).to.be.at.least(1)
    expect(new Set(errors)).to.deep.equal(new Set(['metrics threw at a round trip: out of order']))
  })

  it('are given by a libp2p node to its muxer', async () => {
    const registries = [new Registry(), new Registry()]
    const nodes = await Promise.all(registries.map(async registry => createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      metrics: prometheusMetrics({ registry, collectDefaultMetrics: false })
    }))) as [Libp2p, Libp2p]
    const [dialer, listener] = nodes
    let received = 0

    try {
      await listener.handle('/count/1.0.0', async stream => {
        for await (const data of stream) {
          received += data.byteLength
        }

        await stream.close()
      })

      const stream = await dialer.dialProtocol(listener.getMultiaddrs(), '/count/1.0.0')

      stream.send(pattern(100_000))
      await stream.close()
      await until(() => received === 100_000)

      const [dialed, listened] = await Promise.all(registries.map(scrape))

      expect(dialed.values.libp2p_yamux_connections).to.equal(1)
      expect(listened.values.libp2p_yamux_connections).to.equal(1)
      // the negotiation of the protocol goes over the stream as well
      expect(dialed.values['libp2p_yamux_data_bytes_total{direction="sent"}']).to.be.above(100_000)
      expect(listened.values['libp2p_yamux_data_bytes_total{direction="received"}']).to.equal(dialed.values['libp2p_yamux_data_bytes_total{direction="sent"}'])
      expect(listened.values['libp2p_yamux_streams_opened_total{direction="inbound"}']).to.equal(1)
    } finally {
      await Promise.all(nodes.map(async node => node.stop()))
    }
  })
})
