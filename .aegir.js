/** @type {import('aegir').PartialOptions} */
export default {
  build: {
    // consumers bundle for themselves and a bundle of a library with peers in it helps nobody
    bundle: false
  },
  test: {
    target: ['node'],
    // aegir gives --build and --bail one letter, and so one value: to build here would be to stop
    // at the first failure. The script builds instead
    build: false,
    // only what the build made: the sources of the tests run there
    files: ['dist/test/**/*.spec.js']
  },
  lint: {
    // a list given here replaces aegir's own, which does not know the folder scripts/
    files: [
      '*.{js,ts}',
      'src/**/*.{js,ts}',
      'test/**/*.{js,ts}',
      'benchmarks/**/*.{js,ts}',
      'attacks/**/*.{js,ts}',
      'trials/**/*.{js,ts}',
      'examples/**/*.{js,ts}',
      'interop/**/*.{js,ts}',
      'scripts/**/*.js',
      '!interop/peers/build/**',
      '!**/node_modules/**'
    ]
  },
  docs: {
    // aegir publishes by default where CI is set
    publish: false
  },
  dependencyCheck: {
    productionIgnorePatterns: [
      '/attacks',
      '/benchmarks',
      '/dist',
      '/examples',
      '/interop',
      '/scripts',
      '/test',
      '/trials',
      '.aegir.js',
      '.dependency-cruiser.cjs',
      'eslint.config.js'
    ],
    ignore: [
      // run by the scripts of package.json, never imported
      'c8',
      'dependency-cruiser',
      'node',
      // comes with aegir, at the version that aegir pins
      'typescript'
    ]
  }
}
