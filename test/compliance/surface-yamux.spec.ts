import { yamux } from '../../src/yamux.ts'
import { surfaceOverCarriers } from './surface-carriers.ts'

surfaceOverCarriers('yamux', {
  codes: true, flowControl: true, windows: true, ping: true, openBacklog: true, countsFrames: true
}, options => yamux({ enableKeepAlive: false, ...options })())
