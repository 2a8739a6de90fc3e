import { expect } from 'aegir/chai'
import { StreamTable } from '../../../src/core/stream-table.ts'
import { record } from './records.ts'

const MAX_ID = 2 ** 32 - 1

describe('core/stream-table', () => {
  it('gives odd ids to a client and even ids to a server', () => {
    const client = new StreamTable('client', MAX_ID)
    const server = new StreamTable('server', MAX_ID)

    expect([client.nextId(), client.nextId(), client.nextId()]).to.deep.equal([1, 3, 5])
    expect([server.nextId(), server.nextId(), server.nextId()]).to.deep.equal([2, 4, 6])
  })

  it('tells whose an id is, also with the 32nd bit set', () => {
    const client = new StreamTable('client', MAX_ID)
    const server = new StreamTable('server', MAX_ID)

    for (const id of [1, 2 ** 31 - 1, 2 ** 31 + 1, MAX_ID]) {
      expect([client.isLocal(id), server.isLocal(id)]).to.deep.equal([true, false])
    }

    for (const id of [0, 2, 2 ** 31, MAX_ID - 1]) {
      expect([client.isLocal(id), server.isLocal(id)]).to.deep.equal([false, true])
    }
  })

  it('never gives an id twice: the last is the largest, then there are none', () => {
    const odd = new StreamTable('client', 5)
    const even = new StreamTable('server', 5)

    expect([odd.nextId(), odd.nextId(), odd.nextId(), odd.nextId(), odd.nextId()]).to.deep.equal([1, 3, 5, undefined, undefined])
    expect([even.nextId(), even.nextId(), even.nextId()]).to.deep.equal([2, 4, undefined])
  })

  it('gives no id away again when its stream is gone', () => {
    const table = new StreamTable('client', MAX_ID)
    const stream = record(table.nextId())

    table.add(stream)
    table.delete(stream)

    expect(table.nextId()).to.equal(3)
  })

  it('finds a stream by its id until it is deleted', () => {
    const table = new StreamTable('client', MAX_ID)
    const first = record(1)
    const second = record(3)

    table.add(first)
    table.add(second)
    expect(table.get(1)).to.equal(first)
    expect(table.get(3)).to.equal(second)
    expect(table.get(5)).to.equal(undefined)
    expect([...table.values()]).to.deep.equal([first, second])
    expect(table.size).to.equal(2)

    table.delete(first)
    expect(table.get(1)).to.equal(undefined)
    expect([...table.values()]).to.deep.equal([second])
    expect(table.size).to.equal(1)
  })

  it('counts by direction what is open, and what ever was', () => {
    const table = new StreamTable('client', MAX_ID)
    const ours = record(1)
    const theirs = [record(2, undefined, true), record(4, undefined, true)]

    table.add(ours)
    theirs.forEach(stream => {
      table.add(stream)
    })
    expect(table).to.include({ outbound: 1, inbound: 2, openedOutbound: 1, openedInbound: 2 })

    table.delete(ours)
    table.delete(theirs[0])
    expect(table).to.include({ outbound: 0, inbound: 1, openedOutbound: 1, openedInbound: 2 })
  })

  it('counts a stream that is deleted twice once', () => {
    const table = new StreamTable('client', MAX_ID)
    const stream = record(2, undefined, true)

    table.add(stream)

    expect(table.delete(stream)).to.be.true()
    expect(table.delete(stream)).to.be.false()
    expect(table.inbound).to.equal(0)
  })
})
