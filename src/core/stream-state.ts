/**
 * The life of one stream as two halves, and what each of five inputs does to each. The table is total: an input that a
 * state has no use for is a refusal (`undefined`), never an oversight. No half reopens, and none changes how it ended.
 */

/** `ending`: the application has ended the half, its last bytes or its FIN are not on the wire yet. */
export type SendHalf = 'open' | 'ending' | 'ended' | 'reset'
export type ReceiveHalf = 'open' | 'ended' | 'reset'

export type StreamInput = 'end' | 'fin-sent' | 'fin-received' | 'reset-sent' | 'reset-received'

export const SEND: Record<StreamInput, Record<SendHalf, SendHalf | undefined>> = {
  end: { open: 'ending', ending: undefined, ended: undefined, reset: undefined },
  'fin-sent': { open: undefined, ending: 'ended', ended: undefined, reset: undefined },
  'fin-received': { open: 'open', ending: 'ending', ended: 'ended', reset: 'reset' },
  'reset-sent': { open: 'reset', ending: 'reset', ended: 'ended', reset: 'reset' },
  'reset-received': { open: 'reset', ending: 'reset', ended: 'ended', reset: 'reset' }
}

export const RECEIVE: Record<StreamInput, Record<ReceiveHalf, ReceiveHalf | undefined>> = {
  end: { open: 'open', ended: 'ended', reset: 'reset' },
  'fin-sent': { open: 'open', ended: 'ended', reset: 'reset' },
  'fin-received': { open: 'ended', ended: undefined, reset: undefined },
  // what came before a FIN was received whole, and stays readable under a later reset
  'reset-sent': { open: 'reset', ended: 'ended', reset: 'reset' },
  'reset-received': { open: 'reset', ended: 'ended', reset: 'reset' }
}
