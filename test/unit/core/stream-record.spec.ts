import { expect } from 'aegir/chai'
import { DEFAULT_URGENCY, StreamRecord } from '../../../src/core/stream-record.ts'
import { LIMITS } from './records.ts'

describe('core/stream-record', () => {
  it('starts open in both halves, with nothing queued, owed or raised', () => {
    const stream = new StreamRecord(6, true, LIMITS, 17)

    expect(stream).to.include({
      id: 6,
      inbound: true,
      limits: LIMITS,
      activeAt: 17,
      stalledAt: undefined,
      send: 'open',
      receive: 'open',
      readClosed: false,
      closed: false,
      error: undefined,
      edges: 0,
      owed: 0,
      scheduled: false,
      needsDrain: false,
      urgency: DEFAULT_URGENCY,
      bytesSent: 0,
      bytesReceived: 0,
      framesSent: 0,
      framesReceived: 0
    })
    expect(stream.sendQueue.byteLength).to.equal(0)
    expect(stream.receiveQueue.byteLength).to.equal(0)
  })

  it('shares no queue with another', () => {
    const [a, b] = [new StreamRecord(1, false, LIMITS, 0), new StreamRecord(3, false, LIMITS, 0)]

    a.sendQueue.push(Uint8Array.of(1))
    a.receiveQueue.push(Uint8Array.of(1, 2))

    expect([b.sendQueue.byteLength, b.receiveQueue.byteLength]).to.deep.equal([0, 0])
  })
})
