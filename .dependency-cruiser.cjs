/*
 * The floors of src/ as law. Imports go down only, rooms on one floor never import one another,
 * and type imports count: a type that points up is a dependency that points up.
 */
const floors = require('./scripts/floors/floors.json')

const SANS_IO = 2
const rooms = Object.keys(floors)

/** A room is a file or a folder below src/ */
const pattern = (room) => `^src/${room.endsWith('.ts') ? `${room.replace('.', '\\.')}$` : `${room}/`}`
const on = (test) => rooms.filter(room => test(floors[room], room)).map(pattern)

/**
 * What people build on muxed connections is given them: it must work over any engine, so it sees
 * the promises and the floor of promises and events, and nothing between
 */
const mayImport = (room) => floors[room] === 5
  ? on(floor => floor === 0 || floor === 3)
  : on(floor => floor < floors[room])

module.exports = {
  forbidden: [
    ...rooms.map(room => ({
      name: `floor-${floors[room]}-${room}`,
      comment: `src/${room} is on floor ${floors[room]}: imports go down only and never to a room beside`,
      severity: 'error',
      from: { path: pattern(room) },
      to: { path: '^src/', pathNot: [pattern(room), ...mayImport(room)] }
    })),
    {
      name: 'no-room-without-a-floor',
      comment: 'what imports must have its floor in scripts/floors/floors.json',
      severity: 'error',
      from: { path: '^src/', pathNot: rooms.map(pattern) },
      to: {}
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true }
    },
    {
      name: 'sans-io-stands-alone',
      comment: 'floors 0 to 2 import nothing from outside, but for the promises of libp2p',
      severity: 'error',
      from: { path: on((floor, room) => floor <= SANS_IO && room !== 'interface') },
      to: { pathNot: '^src/' }
    },
    {
      name: 'interface-knows-libp2p-only',
      severity: 'error',
      from: { path: pattern('interface') },
      to: { pathNot: ['^src/', '^node_modules/@libp2p/interface/'] }
    },
    {
      name: 'node-in-transports-and-cli-only',
      severity: 'error',
      from: { path: '^src/', pathNot: [pattern('transports'), pattern('cli')] },
      to: { dependencyTypes: ['core'] }
    },
    {
      name: 'no-node-for-browsers',
      comment: 'the entry point for Web Streams runs where there is no Node',
      severity: 'error',
      from: { path: '^src/transports/', pathNot: '^src/transports/(node|duplex)\\.ts$' },
      to: { dependencyTypes: ['core'] }
    },
    {
      name: 'src-stands-without-the-house',
      comment: 'tests, benchmarks, scripts and build output are not published with src/',
      severity: 'error',
      from: { path: '^src/' },
      to: { pathNot: ['^src/', '^node_modules/'], dependencyTypesNot: ['core'] }
    },
    {
      name: 'no-undeclared-packages',
      comment: 'a type from a devDependency fails the consumer as surely as a value does',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'npm-optional', 'unknown', 'undetermined'] }
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: { path: '^src/' },
      to: { couldNotResolve: true }
    }
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    detectJSDocImports: true,
    skipAnalysisNotInRules: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default']
    }
  }
}
