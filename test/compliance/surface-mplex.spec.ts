import { mplex } from '../../src/mplex.ts'
import { surfaceOverCarriers } from './surface-carriers.ts'

surfaceOverCarriers('mplex', {
  codes: false, flowControl: false, windows: false, ping: false, openBacklog: false, countsFrames: true
}, options => mplex(options)())
